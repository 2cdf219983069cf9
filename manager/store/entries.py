"""What a batch changes for search: entries of new bundles and of service runs (pure; both stores use it).

A bundle's entry is that of its newest version. A run that has left no bundle is there as well, in its own state, until
its bundle comes; running again what is a bundle already changes nothing here until the new version is in.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from manager.store import Batch, ServiceRow
from plotter2.clock import Instant
from plotter2.ids import ServiceId, request_of
from plotter2.model import tags
from plotter2.model.bundle import BundleVersion
from plotter2.model.entry import Entry
from plotter2.model.service import ServiceState


@dataclass(frozen=True, slots=True)
class Changes:
    """What one batch changes, in this order.

    Attributes:
        entries: new or newer ones, by path; see `supersedes`.
        tags: the tags that a bundle has now, by path.
        states: path, state and time of runs that were known before; only for entries without a bundle.
    """

    entries: dict[str, Entry]
    states: tuple[tuple[str, ServiceState, Instant], ...]
    tags: dict[str, str]


def changes(batch: Batch, known: Container[ServiceId]) -> Changes:
    """What a batch changes. `known`: the service runs that were written before."""
    entries: dict[str, Entry] = {}
    states = []
    for row in batch.services.values():
        if row.spec.service_id in known:
            states.append((row.spec.child, row.status.state, _time(row)))
        else:
            entries[row.spec.child] = of_service(row)
    for contents in batch.bundles:
        version, tagged = contents.bundle, batch.tags.get(contents.bundle.path)
        entry = of_version(replace(version, tags_json=tagged.by_hand_json) if tagged else version)
        if supersedes(entry, entries.get(entry.path)):
            entries[entry.path] = entry
    marks = {path: one.shown_json for path, one in batch.tags.items() if path not in entries}
    return Changes(entries, tuple(states), marks)


def supersedes(new: Entry, old: Entry | None) -> bool:
    """Whether an entry takes the place of the one that is there."""
    return old is None or old.version == 0 or new.version > old.version


def of_version(version: BundleVersion) -> Entry:
    """The entry of a bundle."""
    return Entry(
        version.path,
        version.version,
        ServiceState.DONE if version.ok else ServiceState.FAILED,
        version.created_at,
        version.archived,
        version.parameters_json,
        version.metrics_json,
        tags.shown(version.package_json, version.tags_json),
    )


def of_service(row: ServiceRow) -> Entry:
    """The entry of a run that has left no bundle."""
    return Entry(row.spec.child, 0, row.status.state, _time(row), parameters_json=row.spec.parameters_json)


def _time(row: ServiceRow) -> Instant:
    """When it came into its state; a run that waits has waited since it was asked for, which its name says."""
    known = row.status.finished_at or row.status.started_at
    asked = request_of(row.spec.service_id).removeprefix("req-")[:12]
    return known or Instant(int(asked, 16) / 1000)
