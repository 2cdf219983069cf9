"""The tree of bundles as the manager's machine knows it: newest versions, what they declare, who lies below whom.

Pure. Holds no file lists: only for declared tasks it knows the digest of each source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from blake3 import blake3

from plotter2.clock import Instant
from plotter2.errors import NotFoundError, PackageError
from plotter2.ids import TaskId, uuid7
from plotter2.model import package, paths
from plotter2.model.bundle import BundleVersion, FileEntry
from plotter2.model.package import Package, TaskDeclaration
from plotter2.model.paths import BundlePath
from plotter2.model.task import PIPELINE_SUFFIX, SCRIPT_SUFFIX, Task, TaskKind

SUGGESTIONS_MAX = 20


@dataclass(frozen=True, slots=True)
class Node:
    """A bundle at its newest version, with its declaration read."""

    version: BundleVersion
    package: Package = field(default_factory=Package)
    sources: dict[str, bytes] = field(default_factory=dict)


def source_digests(declared: Package, files: Iterable[FileEntry]) -> dict[str, bytes]:
    """Digest of each task source that a package names.

    Raises:
        PackageError: a source is not among the files.
    """
    by_path = {entry.path: entry.digest for entry in files}
    found: dict[str, bytes] = {}
    for task in declared.tasks:
        if not task.task_src:
            continue
        if task.task_src not in by_path:
            raise PackageError(f"package.json: task {task.name!r} names {task.task_src!r}, which is not in the bundle.")
        if not task.task_src.endswith((PIPELINE_SUFFIX, SCRIPT_SUFFIX)):
            raise PackageError(
                f"package.json: task {task.name!r} names {task.task_src!r}; a task is a .py script or a .json pipeline."
            )
        found[task.task_src] = by_path[task.task_src]
    return found


class Catalog:
    """The newest version of every bundle, by path."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._children: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def put(self, version: BundleVersion, sources: dict[str, bytes] | None = None) -> Node:
        """Take in a version as the newest of its bundle. Its package has been checked before."""
        declared = package.read(version.package_json)
        node = Node(version, declared, sources or {})
        self._nodes[version.path] = node
        above = paths.parent(version.path)
        while above is not None:
            self._children.setdefault(above, set()).add(version.path)
            above = paths.parent(above)
        return node

    def get(self, path: str) -> Node | None:
        """The bundle, if it is known."""
        return self._nodes.get(path)

    def need(self, path: str) -> Node:
        """The bundle.

        Raises:
            NotFoundError: there is none; the message names those nearby.
        """
        node = self._nodes.get(path)
        if node is None:
            near = sorted(name for name in self._nodes if name.rsplit("/", 1)[-1] == path.rsplit("/", 1)[-1])
            hint = f"; did you mean {near[0]!r}?" if near else "; `plotter2 ls` shows all."
            raise NotFoundError(f"There is no bundle {path!r}{hint}")
        return node

    def below(self, path: str) -> list[str]:
        """Paths of all bundles below this one, sorted."""
        return sorted(self._children.get(path, ()))

    def paths(self) -> Iterator[str]:
        """All bundles, in no order."""
        return iter(self._nodes)

    def has_below(self, path: str) -> bool:
        """Whether any bundle lies below this path."""
        return path in self._children

    def holders(self, path: str) -> list[Node]:
        """The bundle and those above it, nearest first: whose tasks apply to it (requirement 033)."""
        found: list[Node] = []
        at: BundlePath | None = BundlePath(path)
        while at is not None:
            node = self._nodes.get(at)
            if node is not None:
                found.append(node)
            at = paths.parent(at)
        return found

    def task(self, name: str, bundle: str, now: Instant) -> Task:
        """The definition that a name means for a bundle: its own first, then those of the bundles above.

        Raises:
            NotFoundError: nobody declares it; the message lists what is declared.
        """
        known: list[str] = []
        for node in self.holders(bundle):
            for declared in node.package.tasks:
                if declared.name == name:
                    return define(declared, node, now)
                known.append(declared.name)
        offered = ", ".join(repr(one) for one in known[:SUGGESTIONS_MAX]) or "none"
        raise NotFoundError(f"Bundle {bundle!r} has no task {name!r}; declared tasks: {offered}.")


def define(declared: TaskDeclaration, node: Node, now: Instant) -> Task:
    """The definition behind a declaration; its id comes from bundle, version and name, so it is always the same."""
    version = node.version
    if declared.pipeline is not None:
        source = package.pipeline_json(declared)
        digest, kind, filename = (
            blake3(source.encode()).digest(),
            TaskKind.PIPELINE,
            f"{declared.name}{PIPELINE_SUFFIX}",
        )
    else:
        source, digest, filename = "", node.sources[declared.task_src], declared.task_src
        kind = TaskKind.PIPELINE if filename.endswith(PIPELINE_SUFFIX) else TaskKind.SCRIPT
    seed = blake3(f"{version.path}\0{version.version}\0{declared.name}".encode()).digest()
    task_id = TaskId(uuid7(int(version.created_at * 1000), seed))
    return Task(task_id, declared.name, kind, source, digest, filename, version.path, declared.limits.bounds, now)
