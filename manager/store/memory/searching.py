"""What search sees, in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from manager.store import (
    FACT_NAMES_MAX,
    Page,
    entries,
    matching,
)
from manager.store.memory.paging import page
from plotter2.model.entry import Entry, Space, facts
from plotter2.model.query import Search


class Entries:
    """Entries by path, and the names of their facts."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: dict[str, Entry] = {}
        self._fact_names: set[tuple[Space, str]] = set()

    def _take_entries(self, changes: entries.Changes) -> None:
        for entry in changes.entries.values():
            if entries.supersedes(entry, self._entries.get(entry.path)):
                self._take_entry(entry)
        for path, tags_json in changes.tags.items():
            if path in self._entries:
                self._take_entry(replace(self._entries[path], tags_json=tags_json))
        for path, state, at in changes.states:
            known = self._entries.get(path)
            if known is not None and known.version == 0:
                self._entries[path] = replace(known, state=state, at=at)

    def _hide_entries(self, archived: dict[str, bool]) -> None:
        for path, is_so in archived.items():
            if path in self._entries:
                self._entries[path] = replace(self._entries[path], archived=is_so)

    def _take_entry(self, entry: Entry) -> None:
        self._entries[entry.path] = entry
        self._fact_names |= {(fact.space, fact.name) for fact in facts(entry)}

    async def search(self, search: Search, offset: int, limit: int) -> Page[Entry]:
        """The bundles and runs that a search finds."""
        return page(matching.search(self._entries.values(), search), offset, limit)

    async def fact_names(self, wanted: Iterable[tuple[Space, str]] = ()) -> dict[Space, tuple[str, ...]]:
        """Names under which any entry has, or once had, a value."""
        del wanted
        found = sorted(self._fact_names)[:FACT_NAMES_MAX]
        return {space: tuple(name for of, name in found if of is space) for space in Space}
