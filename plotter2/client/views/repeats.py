"""A run that was made again."""

from __future__ import annotations

from dataclasses import dataclass

from plotter2.model.difference import ChangeKind
from plotter2.model.repeat import Repeat as RepeatModel


@dataclass(frozen=True, slots=True)
class Repeat:
    """Whether a program left the same again.

    Attributes:
        bundle: the child: `before` is the version that was there, `after` the one that came of it.
        equal: byte for byte.
        files: those of its files that differ, and how; the first of them, where they are very many.
        differing, same: how many differ, and how many do not.
        environment: sentences about what was not as it had been.
    """

    bundle: str
    before: int
    after: int
    equal: bool
    files: tuple[tuple[str, ChangeKind], ...]
    differing: int
    same: int
    environment: tuple[str, ...]

    @classmethod
    def of(cls, repeat: RepeatModel) -> Repeat:
        """The view of a repeated run."""
        files = tuple((one.path, one.kind) for one in repeat.files)
        return cls(
            repeat.bundle, repeat.before, repeat.after, repeat.is_equal, files, repeat.differing, repeat.same,
            repeat.environment,
        )  # fmt: skip
