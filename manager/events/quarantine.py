"""What a walk over everything at rest has found."""

from __future__ import annotations

from dataclasses import dataclass

from manager.events.token import Token
from plotter2.model.quarantine import QuarantineItem
from plotter2.model.verification import Counts


@dataclass(frozen=True, slots=True)
class StraysFound:
    """Things that nobody explains lie in the quarantine folder now."""

    token: Token
    items: tuple[QuarantineItem, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """A walk has ended; `is_whole` when content was read as well."""

    token: Token
    counts: Counts
    is_whole: bool
