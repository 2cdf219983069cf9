"""The tree of bundles as the manager's machine knows it: newest versions, what they declare, who lies below whom.

Pure. Holds no file lists: only for declared tasks it knows the digest of each source.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import msgspec
from blake3 import blake3

from plotter2.clock import Instant
from plotter2.errors import NotFoundError, PackageError
from plotter2.ids import TaskId, uuid7
from plotter2.model import inheritance, names, package, paths
from plotter2.model.bundle import BundleVersion, FileEntry
from plotter2.model.inheritance import NOTHING, Ancestor, Kin, Snapshot
from plotter2.model.package import Package, TaskDeclaration
from plotter2.model.paths import BundlePath
from plotter2.model.task import PIPELINE_SUFFIX, SCRIPT_SUFFIX, Task, TaskKind

SUGGESTIONS_MAX = 20
SHARED_CHARS_MAX = 8 << 10
SHARED_MAX = 10_000
"""Declarations up to this length, and so many of them, are kept once however many bundles have them."""
CHANGES_KEPT = 1_000
"""So many of the newest changes are known by name, for whoever works out what they make old."""
NAMES_TRIED_MAX = 1_000
"""Names that an unknown one is compared with: a bundle may have very many children."""

_NO_SOURCES: dict[str, bytes] = {}


@dataclass(frozen=True, slots=True)
class Node:
    """A bundle at its newest version, with its declaration and what it inherits read."""

    version: BundleVersion
    package: Package = field(default_factory=Package)
    sources: dict[str, bytes] = field(default_factory=dict)
    inherited: Snapshot = NOTHING

    def as_parent(self) -> Kin:
        """What another bundle inherits from this one."""
        one = self.version
        return Kin(one.path, one.version, one.created_at, self.package, self.sources, self.inherited)


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
        self._snapshots: dict[bytes, Snapshot] = {b"": NOTHING}
        self._handed: tuple[tuple[str, int], bytes, str] = (("", 0), b"", "")
        self._declared: dict[str, tuple[str, Package]] = {}
        self._order: dict[str, list[str]] = {}
        self._latest: deque[str] = deque(maxlen=CHANGES_KEPT)
        self.changes = 0
        """Grows with every version: what was found out before may be old."""

    def __len__(self) -> int:
        return len(self._nodes)

    def know(self, digest: bytes, text: str = "") -> Snapshot:
        """The snapshot of this text, read once however many bundles share it; known ones are found without a text."""
        if digest not in self._snapshots:
            self._snapshots[digest] = inheritance.decode(text)
        return self._snapshots[digest]

    def put(self, version: BundleVersion, sources: dict[str, bytes] | None = None) -> Node:
        """Take in a version as the newest of its bundle. Its package was checked, its snapshot is known."""
        version, declared = self._shared(version)
        node = Node(version, declared, sources or _NO_SOURCES, self._snapshots[version.inherited])
        self._nodes[version.path] = node
        self.changes += 1
        self._latest.append(version.path)
        self._order.pop(version.path, None)
        at = version.path
        while (above := paths.parent(at)) is not None and at not in self._children.setdefault(above, set()):
            self._children[above].add(at)
            self._order.pop(above, None)
            at = above
        return node

    def _shared(self, version: BundleVersion) -> tuple[BundleVersion, Package]:
        """The version and what it declares; a short declaration that many bundles have is kept once."""
        text = version.package_json
        if len(text) > SHARED_CHARS_MAX or not text:
            return version, package.read(text)
        if text not in self._declared:
            if len(self._declared) >= SHARED_MAX:
                self._declared.clear()
            self._declared[text] = text, package.read(text)
        known, declared = self._declared[text]
        return version if known is text else replace(version, package_json=known), declared

    def changed(self, since: int) -> set[str] | None:
        """The bundles that got a version after `changes` was so; None where that is too long ago to be known."""
        count = self.changes - since
        if count > len(self._latest):
            return None
        return set(islice(reversed(self._latest), count))

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
            raise NotFoundError(f"There is no bundle {path!r}{self._hint(path)}")
        return node

    def check_place(self, path: str) -> None:
        """Whether there is anything that a list about this path can be about: the bundle, or bundles below.

        Raises:
            NotFoundError: there is nothing; the message names those nearby.
        """
        if path not in self._nodes and path not in self._children:
            raise NotFoundError(f"There is no bundle {path!r}{self._hint(path)}")

    def _hint(self, path: str) -> str:
        above, _, last = path.rpartition("/")
        elsewhere = min((name for name in self._nodes if name.rpartition("/")[2] == last), default="")
        if elsewhere:
            return f"; did you mean {elsewhere!r}?"
        beside = (name for name in self._nodes if name.rpartition("/")[0] == above)
        near = names.did_you_mean(path, islice(beside, NAMES_TRIED_MAX))
        return near if near != names.NOTHING_NEAR else "; `plotter2 ls` shows all."

    def paths(self) -> Iterator[str]:
        """All bundles, in no order."""
        return iter(self._nodes)

    def has_below(self, path: str) -> bool:
        """Whether any bundle lies below this path."""
        return path in self._children

    def below(self, path: str) -> Iterator[str]:
        """Paths of all bundles below this one: each before its children, in the order it declares for them."""
        waiting = self._in_reverse(path).copy()
        while waiting:
            child = waiting.pop()
            if child in self._nodes:
                yield child
            if child in self._children:
                waiting.extend(self._in_reverse(child))

    def _in_reverse(self, path: str) -> list[str]:
        """What lies directly below, the last first; kept until one comes, or the bundle declares another order."""
        known = self._order.get(path)
        if known is None:
            node = self._nodes.get(path)
            place = {name: number for number, name in enumerate(node.package.children)} if node else {}
            known = self._order[path] = sorted(
                self._children.get(path, ()),
                key=lambda one: (place.get(one.rpartition("/")[2], len(place)), one),
                reverse=True,
            )
        return known

    def holder(self, path: str) -> Node | None:
        """The nearest bundle above."""
        at = paths.parent(BundlePath(path))
        while at is not None:
            if at in self._nodes:
                return self._nodes[at]
            at = paths.parent(at)
        return None

    def parents(self, path: str, declared: Package) -> list[Kin]:
        """Those that a bundle names as its parents, in that order.

        Raises:
            PackageError: one is not here.
        """
        found = []
        for number, name in enumerate(declared.parents):
            node = self._nodes.get(paths.bundle_path(name))
            if node is None:
                raise PackageError(
                    f"package.json: 'parents[{number}]' of {path!r} names {name!r}, and there is no such bundle"
                    f"{self._hint(name)}"
                )
            found.append(node.as_parent())
        return found

    def inherit(self, path: str, declared: Package, holder: Node | None = None) -> tuple[bytes, str]:
        """What a bundle has from its parents as they are now: the snapshot's digest and text, empty for nothing.

        Args:
            path: the bundle.
            declared: what it declares itself.
            holder: the bundle above as it shall be taken; none: its newest version.

        Raises:
            PackageError: a parent is not here, or what they give does not go together.
        """
        above = holder or self.holder(path)
        kin = above.as_parent() if above is not None else None
        if kin is None or declared.parents or declared.prefer or path in kin.line:
            return self._keep(inheritance.inherit(path, declared, self.parents(path, declared), kin))
        place = kin.path, kin.version
        if self._handed[0] != place:  # the many children of a redo all have the same from one version of their holder
            self._handed = place, *self._keep(inheritance.inherit(path, declared, (), kin))
        return self._handed[1:]

    def _keep(self, snapshot: Snapshot) -> tuple[bytes, str]:
        text = inheritance.encode(snapshot)
        digest = inheritance.digest_of(text)
        self._snapshots.setdefault(digest, snapshot)
        return digest, text

    def task(self, name: str, bundle: str, now: Instant) -> Task:
        """The definition that a name means for a bundle: its own, else the one that it inherits.

        Raises:
            NotFoundError: neither; the message lists what there is.
        """
        node = self.need(bundle)
        for declared in node.package.tasks:
            if declared.name == name:
                return define(declared, node.as_parent().itself, node.sources.get(declared.task_src, b""), now)
        trait = node.inherited.of("tasks").get(name)
        if trait is not None:
            origin = node.inherited.line[trait.origin]
            return define(msgspec.convert(trait.value, TaskDeclaration), origin, bytes.fromhex(trait.source), now)
        raise NotFoundError(f"Bundle {bundle!r} has no task {name!r}; {self._tasks_of(node, name)}")

    def declaration(self, task: Task, target: str) -> TaskDeclaration | None:
        """What declares the task of a run on a bundle; None for a task that came with its request."""
        for node in (self._nodes.get(target), self._nodes.get(task.bundle)) if task.version else ():
            if node is None:
                continue
            if (node.version.path, node.version.version) == (task.bundle, task.version):
                return next((one for one in node.package.tasks if one.name == task.name), None)
            trait = node.inherited.of("tasks").get(task.name)
            if trait is not None:
                origin = node.inherited.line[trait.origin]
                if (origin.bundle, origin.version) == (task.bundle, task.version):
                    return msgspec.convert(trait.value, TaskDeclaration)
        return None

    def parameters(self, task: Task, target: str) -> Mapping[str, Any]:
        """What the declaration of a task gives to a run on a bundle, where the run does not give it itself."""
        found = self.declaration(task, target)
        return found.parameters if found is not None else {}

    def tasks(self, bundle: str, now: Instant) -> Iterator[tuple[Task, TaskDeclaration]]:
        """Every definition of a bundle: its own, then those that it inherits and does not declare itself.

        Raises:
            NotFoundError: there is no such bundle.
        """
        node = self.need(bundle)
        own = {one.name for one in node.package.tasks}
        for declared in node.package.tasks:
            origin = node.as_parent().itself
            yield define(declared, origin, node.sources.get(declared.task_src, b""), now), declared
        for name, trait in node.inherited.of("tasks").items():
            if name not in own:
                declared = msgspec.convert(trait.value, TaskDeclaration)
                origin = node.inherited.line[trait.origin]
                yield define(declared, origin, bytes.fromhex(trait.source), now), declared

    def _tasks_of(self, node: Node, name: str) -> str:
        own = [task.name for task in node.package.tasks]
        known = [*own, *(one for one in node.inherited.of("tasks") if one not in own)]
        offered = "declared tasks: " + (", ".join(map(repr, known[:SUGGESTIONS_MAX])) or "none")
        holder = self.holder(node.version.path)
        if holder is not None and any(task.name == name for task in holder.package.tasks):
            path = node.version.path
            return f"{offered}. {holder.version.path!r} above has had it since: `plotter2 inherit {path}` takes it."
        return offered + names.did_you_mean(name, known)


def define(declared: TaskDeclaration, origin: Ancestor, source_digest: bytes, now: Instant) -> Task:
    """The definition behind a declaration; its id comes from bundle, version and name, so it is always the same.

    Args:
        declared: as it stands in the package.json of its origin.
        origin: the bundle that declares it, at the version that does.
        source_digest: of its source file; b"" for a pipeline that stands in package.json.
        now: when it is made.
    """
    if declared.pipeline is not None:
        source = package.pipeline_json(declared)
        digest, kind, filename = (
            blake3(source.encode()).digest(),
            TaskKind.PIPELINE,
            package.pipeline_place(declared),
        )
    else:
        source, digest, filename = "", source_digest, declared.task_src
        kind = TaskKind.PIPELINE if filename.endswith(PIPELINE_SUFFIX) else TaskKind.SCRIPT
    seed = blake3(f"{origin.bundle}\0{origin.version}\0{declared.name}".encode()).digest()
    task_id = TaskId(uuid7(int(origin.created_at * 1000), seed))
    return Task(
        task_id, declared.name, kind, source, digest, filename, origin.bundle, declared.limits.bounds, now,
        version=origin.version,
    )  # fmt: skip
