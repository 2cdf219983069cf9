"""A run that was made again: whether the program left the same bytes, and what else was different (requirement 018).

Compared is what the program left. What plotter2 puts beside it (what was printed, the record of the run) differs each
time and says nothing. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from plotter2.model.bundle import MANIFEST_FILE, PACKAGE_FILE
from plotter2.model.difference import FileChange

RECORD_FILE = "run.json"
OURS = frozenset({RECORD_FILE, "parameters.json", "log/stdout.txt", "log/stderr.txt", PACKAGE_FILE, MANIFEST_FILE})
"""What is ours where no record says it."""
ENVIRONMENT = ("host", "platform", "program", "python", "implementation", "packages", "packages_digest")
SHOWN_CHARS_MAX = 80


@dataclass(frozen=True, slots=True)
class Repeat:
    """What came of a run that was made again.

    Attributes:
        bundle: the child, at version `before` when it was asked for and `after` now.
        files: those of the program's own files that differ; the first of them, where they are very many.
        differing, same: how many of its files differ, and how many do not.
        environment: sentences about what was not as it had been; empty: the same interpreter, packages and machine.
    """

    bundle: str
    before: int
    after: int
    files: tuple[FileChange, ...] = ()
    differing: int = 0
    same: int = 0
    environment: tuple[str, ...] = ()

    @property
    def is_equal(self) -> bool:
        """Whether the program left the same, byte for byte."""
        return not self.differing


def record(text: bytes) -> dict[str, Any]:
    """The record that lies in a child as run.json; empty for one that is not ours."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("service"), str) else {}


def ours(*records: Mapping[str, Any]) -> frozenset[str]:
    """Files that are not the program's own, in these children together."""
    found: set[str] = set()
    for one in records:
        named = one.get("ours")
        is_list = isinstance(named, list) and all(isinstance(name, str) for name in named)
        found |= set(named) if is_list and named is not None else OURS - ({RECORD_FILE} if not one else set())
    return frozenset(found)


def environment(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """What a run had that the other had not, a sentence each."""
    then, now = (_environment(one) for one in (before, after))
    return tuple(
        f"{key.replace('_', ' ')} was {_shown(then.get(key))}, now it is {_shown(now.get(key))}"
        for key in ENVIRONMENT
        if then.get(key) != now.get(key)
    )


def own(changes: Iterable[FileChange], not_own: frozenset[str]) -> list[FileChange]:
    """The changes in the program's own files."""
    return [one for one in changes if one.path not in not_own]


def _environment(found: Mapping[str, Any]) -> Mapping[str, Any]:
    known = found.get("environment")
    return known if isinstance(known, dict) else {}


def _shown(value: Any) -> str:
    return "not known" if value is None else str(value)[:SHOWN_CHARS_MAX]
