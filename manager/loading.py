"""What the manager reads before it decides anything: its live state from the store, and which installation it is."""

from __future__ import annotations

from collections import defaultdict

from manager.commands import Command
from manager.machine import Machine
from manager.store import Snapshot, Store
from plotter2 import files
from plotter2.clock import Clock, IdSource
from plotter2.layout import Layout
from plotter2.model import ask, package
from plotter2.model.bundle import Contents
from plotter2.model.request import RequestKind

READ_AT_A_TIME = 10_000
"""Sources of tasks whose digests are read together."""


async def load(machine: Machine, store: Store, clock: Clock) -> list[Command]:
    """Fill the machine from the store; returns what it wants written and repeated."""
    snapshot = await store.load()
    contents = await _contents(snapshot, store)
    return machine.load(snapshot, await _sources(snapshot, store), contents, clock.now())


async def _sources(snapshot: Snapshot, store: Store) -> dict[str, dict[str, bytes]]:
    """Of each bundle that declares tasks the digests of their sources: not of all its files, it may have many."""
    wanted = [
        (one.path, one.version, task.task_src)
        for one in snapshot.bundles
        for task in package.read(one.package_json).tasks
        if task.task_src
    ]
    found: dict[str, dict[str, bytes]] = defaultdict(dict)
    for start in range(0, len(wanted), READ_AT_A_TIME):
        digests = await store.digests_of(wanted[start : start + READ_AT_A_TIME])
        for (path, _, name), digest in digests.items():
            found[path][name] = digest
    return found


async def _contents(snapshot: Snapshot, store: Store) -> dict[tuple[str, int], Contents]:
    """The versions that open redos run; what they inherit is added to the snapshot, as they may not be the newest."""
    found: dict[tuple[str, int], Contents] = {}
    for request in snapshot.requests:
        if request.kind is not RequestKind.REDO:
            continue
        number = ask.redo_ask(request.ask_json).runs_version
        version = await store.get_bundle(request.bundle, number)
        if version is not None:
            entries = await store.files_of(request.bundle, number)
            snapshot.inheritances[version.inherited] = await store.get_inheritance(version.inherited)
            found[request.bundle, number] = Contents(version, entries)
    return found


def installation(layout: Layout, ids: IdSource) -> str:
    """The UUID of this installation, made at the first start."""
    path = layout.installation
    if not path.exists():
        files.write_durably(path, ids.uuid().encode())
    return path.read_text().strip()
