"""Many pieces of disk work in step: each says what it needs on disk before it goes on, and one sync serves them all.

A piece is a generator. It yields what must be durable now, goes on when it is, and returns what it has to say. One
alone costs the syncs it costs; a hundred that wait together cost the same number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from manager.organizer.disk import SYNCED_ALONE_MAX, sync_contents, sync_names, trouble
from plotter2 import files as durable
from plotter2.errors import Plotter2Error

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Need:
    """What must be on disk.

    Attributes:
        root: all of it lies below.
        contents: of these files.
        names: of these files, and of every folder between them and `root`.
        folders: also folders that were made or emptied.
    """

    root: Path
    contents: Sequence[Path] = ()
    names: Sequence[Path] = ()
    folders: bool = False


Steps = Generator[Need, None, T]


def in_step(doing: str, pieces: Iterable[Steps[T]]) -> list[T | Plotter2Error]:
    """Do all of them; what one cannot do is its own fault alone.

    Args:
        doing: what the pieces do, for the sentence about a disk that refuses.
        pieces: begun in this order, and gone on with in this order after each sync.

    Returns:
        What each returned, or why it could not.
    """
    waiting = dict(enumerate(pieces))
    ended: dict[int, T | Plotter2Error] = {}
    while waiting:
        needs: list[Need] = []
        for index, piece in list(waiting.items()):
            try:
                with trouble(doing):
                    needs.append(next(piece))
            except StopIteration as done:
                ended[index] = done.value
                del waiting[index]
            except Plotter2Error as wrong:
                ended[index] = wrong
                del waiting[index]
        try:
            with trouble(doing):
                _sync(needs)
        except Plotter2Error as wrong:
            for index, piece in waiting.items():
                piece.close()
                ended[index] = wrong
            break
    return [ended[index] for index in sorted(ended)]


def alone(doing: str, piece: Steps[T]) -> T:
    """Do one piece.

    Raises:
        Plotter2Error: why it could not.
    """
    [ended] = in_step(doing, [piece])
    if isinstance(ended, Plotter2Error):
        raise ended
    return ended


def _sync(needs: Sequence[Need]) -> None:
    contents: dict[Path, list[Path]] = defaultdict(list)
    names: dict[Path, list[Path]] = defaultdict(list)
    for need in needs:
        contents[need.root] += need.contents
        names[need.root] += need.names
    roots = [*dict.fromkeys(need.root for need in needs)]
    count = sum(len(need.contents) + len(need.names) for need in needs)
    if count <= SYNCED_ALONE_MAX and not any(need.folders for need in needs):
        for root in roots:
            sync_contents(root, contents[root])
            sync_names(root, names[root])
        return
    for root in roots:
        durable.sync_tree(root, [*contents[root], *names[root]])
