"""What came of a run that was made again: two versions of a child compared, as they lie in the store."""

from __future__ import annotations

import asyncio

from manager.doors import Doors
from plotter2.model import ask, repeat
from plotter2.model.difference import ChangeKind, FileChange
from plotter2.model.repeat import RECORD_FILE, Repeat
from plotter2.model.request import Request, RequestKind, RequestState

RECORD_BYTES_MAX = 1 << 20
CHANGES_READ_MAX = 10_000
"""Changes that are asked of the store at a time."""
CHANGES_SHOWN_MAX = 1_000


async def compared(doors: Doors, request: Request) -> Repeat | None:
    """The comparison; None for what is no repeated run, or did not end well."""
    if request.kind is not RequestKind.REDO or request.state is not RequestState.DONE or len(request.children) != 1:
        return None
    asked = ask.redo_ask(request.ask_json)
    bundle, _, before = asked.again_of.rpartition("@")
    run = await doors.store.get_service(request.children[0].service_id) if before else None
    made = await doors.store.get_delivery(run.status.delivery_id) if run is not None else None
    if made is None:
        return None
    sides = (bundle, int(before)), (bundle, made.version)
    changes: list[FileChange] = []
    while found := await doors.store.changed_files(*sides, changes[-1].path if changes else "", CHANGES_READ_MAX):
        changes += found
    records = await asyncio.to_thread(_records, doors, changes)
    not_own = repeat.ours(*records)
    differing = repeat.own(changes, not_own)
    before_files = await doors.store.files_of(*sides[0])
    gone = {one.path for one in differing if one.kind is not ChangeKind.ADDED}
    same = sum(1 for entry in before_files if entry.path not in not_own and entry.path not in gone)
    return Repeat(
        bundle, sides[0][1], sides[1][1], tuple(differing[:CHANGES_SHOWN_MAX]), len(differing), same,
        repeat.environment(*records),
    )  # fmt: skip


def _records(doors: Doors, changes: list[FileChange]) -> tuple[dict[str, object], dict[str, object]]:
    """What each run's record says; records differ always, by their times, so they are among the changes."""
    change = next((one for one in changes if one.path == RECORD_FILE), None)
    found: list[dict[str, object]] = []
    for entry in (change.before, change.after) if change is not None else (None, None):
        if entry is None or entry.size_bytes > RECORD_BYTES_MAX:
            found.append({})
            continue
        with doors.organizer.open_blob(entry.digest) as file:
            found.append(repeat.record(file.read(RECORD_BYTES_MAX)))
    return found[0], found[1]
