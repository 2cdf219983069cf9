"""What runs made goes under output/: moved durably, with what lies beside each page; again without harm.

In steps, so that many runs that end together need as many syncs as one: contents are on disk before anything is moved,
names before anybody is told.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from manager.organizer.disk import inside, plain_below, trouble
from manager.organizer.instep import Need, Steps
from plotter2 import files as durable
from plotter2.datter.pages import assets
from plotter2.errors import AlteredError, NotFoundError
from plotter2.layout import Layout
from plotter2.model import output, paths
from plotter2.model.task import Output

SIDECAR = ".json"


@dataclass(frozen=True, slots=True)
class Left:
    """What a run left, and where it goes.

    Attributes:
        run_dir: its directory.
        made: what it says that it made, by paths below that.
        target: where it goes, below `output/`.
        packed: the digest of the list of its files, where they are in the store; b"": they lie in its directory.
    """

    run_dir: Path
    made: Sequence[Output]
    target: str
    packed: bytes = b""


def lay_assets(layout: Layout) -> None:
    """Have what all pages share below output/, once a version."""
    lay_asset(layout, assets.script_name(), assets.script_path())


def lay_asset(layout: Layout, name: str, source: Path) -> None:
    """Have one file of what pages share below output/; one that is there stays."""
    with trouble("laying what all pages share"):
        folder = layout.output / assets.FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / name
        if not place.exists():
            durable.write_durably(place, source.read_bytes())


def moved(layout: Layout, left: Left) -> Steps[tuple[Output, ...]]:
    """Move what a run made; gives it with paths below `output/`.

    Sidecars go first: no figure is ever seen without the story of its making.

    Raises:
        PathRefusedError: a path that leads out of the run's directory, a link, or no plain file.
        NotFoundError: the run did not leave what it said.
        AlteredError: content differs from what the run said.
    """
    source = inside(left.run_dir, layout.runs, "what a run made")
    folder = layout.output / paths.file_path(left.target)
    names = [paths.file_path(one.path) for one in left.made]
    beside = [f"{name}{suffix}" for name in names for suffix in output.COMPANIONS]
    optional = [name for name in beside if name not in names and plain_below(source, name) is not None]
    found = [
        _output(_need(source, folder, name), one, f"{left.target}/{name}")
        for name, one in zip(names, left.made, strict=True)
    ]
    waiting = optional + [name for name in names if plain_below(source, name) is not None]
    if waiting:
        yield from _move(layout, source, folder, list(dict.fromkeys(waiting)))
    return tuple(found)


def _find(source: Path, folder: Path, name: str) -> Path | None:
    if plain_below(source, name) is not None:
        return source / name
    return folder / name if plain_below(folder, name) is not None else None


def _need(source: Path, folder: Path, name: str) -> Path:
    found = _find(source, folder, name)
    if found is None:
        raise NotFoundError(f"The run said that it made {name!r}, but it is not there.")
    return found


def _output(file: Path, said: Output, path: str) -> Output:
    size_bytes, digest = durable.unchanged_digest(file)
    if said.digest not in {b"", digest}:
        raise AlteredError(f"{said.path!r} is not what the run made: its content has changed.")
    return replace(said, path=path, size_bytes=size_bytes, digest=digest)


def _move(layout: Layout, source: Path, folder: Path, names: Sequence[str]) -> Steps[None]:
    sources = [source / name for name in names]
    yield Need(layout.runs, contents=sources)
    for file, name in zip(sources, names, strict=True):
        place = folder / name
        inside(place, layout.output, "an output")
        place.parent.mkdir(parents=True, exist_ok=True)
        file.chmod(durable.READ_ONLY)
        try:
            file.replace(place)
        except OSError as wrong:
            if wrong.errno != errno.EXDEV:
                raise
            _copy(file, place)
    yield Need(layout.output, names=[folder / name for name in names])


def _copy(file: Path, place: Path) -> None:
    """Across file systems: whole and on disk under another name first."""
    scratch = place.with_name(f".{place.name}.new")
    with file.open("rb") as old, scratch.open("wb") as new:
        shutil.copyfileobj(old, new, durable.MMAP_BYTES_MIN)
        new.flush()
        os.fchmod(new.fileno(), durable.READ_ONLY)
        os.fsync(new.fileno())
    scratch.replace(place)
    file.unlink()
