"""What is remembered of where things came from, beside what their rows say already (pure).

A run's reads are known when its outputs are taken; whose code it ran when it ends; what a version was given by the
parents that its package names, and what its manifest says that it builds on, when it is made. What every bundle has
from the one above it is not repeated here: its place says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from blake3 import blake3

from manager.catalog import Catalog
from manager.commands import SaveEdges
from manager.store.ancestry import FileAt, ManyFiles, Place
from plotter2.errors import ManifestError
from plotter2.model import depends, manifest, package
from plotter2.model.bundle import BundleVersion, FileEntry
from plotter2.model.inheritance import Snapshot
from plotter2.model.lineage import READ_FILES_MAX, Edge, EdgeKind, ReadFile, version_id
from plotter2.model.task import Task, TaskRun


def of_group(group: ManyFiles, version: Sequence[FileEntry]) -> tuple[list[FileAt], int]:
    """What a run is believed of many files of one folder: all of that folder by name, or how many they may be.

    Args:
        group: what the run says.
        version: the files that are there, by path.
    """
    folder = group.first.rpartition("/")[0]
    there = [one for one in version if one.path.rpartition("/")[0] == folder]
    if not {group.first, group.last} <= {one.path for one in there} or group.count > len(there):
        return [], 0
    lines = "\n".join(f"{one.digest.hex()} {one.path}" for one in there)
    if group.count == len(there) and blake3(lines.encode()).hexdigest() == group.digest:
        return [FileAt(group.bundle, group.version, one.path, one.digest) for one in there], 0
    return [], group.count


def reads(
    run: str, target: Place, files: Iterable[FileAt], unnamed: Mapping[Place, int] | None = None
) -> tuple[Edge, ...]:
    """What a run on a version has read, an edge a version; of very many files only how many there were.

    That it read nothing of its own target is said too, so that it can be told from not knowing.
    """
    by_place: dict[Place, list[FileAt]] = defaultdict(list)
    if target[0]:
        by_place[target] = []
    for one in files:
        by_place[one.bundle, one.version].append(one)
    more = {place: count for place, count in (unnamed or {}).items() if count}
    for place in more:
        by_place.setdefault(place, [])
    left, made = READ_FILES_MAX, []
    for place, read in by_place.items():
        named = tuple(ReadFile(one.path, one.digest.hex()) for one in read[:left])
        left -= len(named)
        made.append(Edge(version_id(*place), run, EdgeKind.READ, named, len(read) - len(named) + more.get(place, 0)))
    return tuple(made)


def of_run(task: Task, run: TaskRun) -> list[SaveEdges]:
    """Whose code a run has run, where that is declared by another version than the one it ran on."""
    declared = task.bundle, task.version
    if not task.bundle or not task.version or declared == (run.bundle, run.version):
        return []
    return [SaveEdges((Edge(version_id(*declared), run.id, EdgeKind.CODE),))]


def of_version(catalog: Catalog, made: BundleVersion, inherited: Snapshot, manifest_json: str = "") -> list[SaveEdges]:
    """What a new version was given, and what it says that it builds on."""
    name = version_id(made.path, made.version)
    given = {one.bundle: one.version for one in inherited.line}
    parents = package.read(made.package_json).parents or ()
    edges = [Edge(version_id(one, given[one]), name, EdgeKind.GAVE) for one in parents if one in given]
    for one in _depends(manifest_json):
        node = catalog.get(one.bundle)
        if node is not None and one.version <= node.version.version and one.bundle != made.path:
            number = one.version or node.version.version
            edges.append(Edge(version_id(one.bundle, number), name, EdgeKind.BASIS))
    return [SaveEdges(tuple(dict.fromkeys(edges)))] if edges else []


def _depends(manifest_json: str) -> tuple[depends.Dependency, ...]:
    if '"depends"' not in manifest_json:  # of nearly all deliveries: not worth reading it again
        return ()
    try:
        return depends.depends(manifest.parse(manifest_json))
    except ManifestError:  # inspection has found it before; whatever came past it must not end the manager
        return ()
