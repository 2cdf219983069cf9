"""Enumerations by name: our `DONE` is protobuf's `RUN_STATE_DONE`, checked for completeness when a table is made."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Generic, Protocol, TypeVar

from plotter2.errors import RefusedError

Ours = TypeVar("Ours", bound=Enum)
Theirs = TypeVar("Theirs", bound=int)


class Numbers(Protocol[Theirs]):
    """The part of protobuf's enum wrapper that is used here."""

    def items(self) -> list[tuple[str, Theirs]]:
        """Names and numbers."""
        ...


class EnumTable(Generic[Ours, Theirs]):
    """One enumeration in both spellings."""

    def __init__(self, ours: type[Ours], theirs: Numbers[Theirs], prefix: str) -> None:
        numbers: Mapping[str, Theirs] = dict(theirs.items())
        self._what = prefix.rstrip("_").replace("_", " ").lower()
        self._to: dict[Ours, Theirs] = {member: numbers[prefix + member.name] for member in ours}
        self._from: dict[int, Ours] = {number: member for member, number in self._to.items()}

    def to_proto(self, member: Ours) -> Theirs:
        """The number on the wire."""
        return self._to[member]

    def from_proto(self, number: int) -> Ours:
        """The member for a number.

        Raises:
            RefusedError: unspecified, or from a version that knows more than this one.
        """
        try:
            return self._from[number]
        except KeyError:
            raise RefusedError(f"The {self._what} {number} means nothing to this version of plotter2.") from None
