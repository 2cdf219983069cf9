"""DataGroup: an ordered view of many values under one name (requirement 182).

Values are loaded when they are first looked at. `sum(group)` and `sum([group])` both give the elementwise total,
because a group answers an addition with its own total. A group never changes; selecting gives a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from operator import add
from typing import Any

from typing_extensions import override

from plotter2.datter.keys import unknown
from plotter2.errors import UsageError


class Member:
    """One value of a group: its name, its place on the group's axis, and how to get it."""

    __slots__ = ("_load", "_value", "key", "name")

    def __init__(self, name: str, key: Any, load: Callable[[], Any]) -> None:
        self.name = name
        self.key = key
        self._load: Callable[[], Any] | None = load
        self._value: Any = None

    @property
    def value(self) -> Any:
        """The value, loaded once."""
        if self._load is not None:
            self._value, self._load = self._load(), None
        return self._value


class DataGroup:
    """Many values in a stable order.

    Attributes:
        name: what all of them are, as "weights".
        axis: what their keys count, as "step"; "" when they only have an order.
    """

    __array_ufunc__ = None  # numpy hands additions over to us

    def __init__(self, members: Iterable[Member], name: str = "", axis: str = "") -> None:
        self._members = tuple(members)
        self.name = name
        self.axis = axis

    @classmethod
    def of(cls, values: Iterable[Any], names: Sequence[str] | None = None, name: str = "") -> DataGroup:
        """A group of values that are already there."""
        listed = list(values)
        called = list(names) if names is not None else [str(place) for place in range(len(listed))]
        if len(called) != len(listed):
            raise UsageError(f"{len(listed)} values need as many names, not {len(called)}.")
        return cls((Member(*one) for one in _enumerated(called, listed)), name)

    @property
    def names(self) -> list[str]:
        """The members' names, in order."""
        return [member.name for member in self._members]

    @property
    def keys(self) -> list[Any]:
        """The members' places on the axis, in order."""
        return [member.key for member in self._members]

    @property
    def values(self) -> list[Any]:
        """The members' values, in order."""
        return [member.value for member in self._members]

    @property
    def members(self) -> tuple[Member, ...]:
        """The members themselves."""
        return self._members

    def items(self) -> list[tuple[str, Any]]:
        """Name and value of each member, in order."""
        return [(member.name, member.value) for member in self._members]

    def map(self, change: Callable[[Any], Any]) -> DataGroup:
        """The group of what `change` makes of each value; names and keys stay."""
        changed = [Member(one.name, one.key, _later(change, one)) for one in self._members]
        return DataGroup(changed, self.name, self.axis)

    def sorted(self, by: Callable[[Member], Any]) -> DataGroup:
        """The same members in another order; equal ones keep theirs."""
        return DataGroup(sorted(self._members, key=by), self.name, self.axis)

    def total(self) -> Any:
        """The elementwise sum of all values.

        Raises:
            UsageError: the group is empty, or its values cannot be added.
        """
        if not self._members:
            raise UsageError(f"The group {self.name!r} is empty, so it has no total.")
        try:
            return reduce(add, self.values)
        except (TypeError, ValueError) as wrong:
            raise UsageError(f"The values of {self.name!r} cannot be added: {wrong}.") from None

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Any]:
        return (member.value for member in self._members)

    def __getitem__(self, which: int | slice | str) -> Any:
        if isinstance(which, slice):
            return DataGroup(self._members[which], self.name, self.axis)
        if isinstance(which, str):
            found = next((member for member in self._members if member.name == which), None)
            if found is None:
                raise unknown(f"member of {self.name!r}", which, self.names)
            return found.value
        return self._members[which].value

    def __contains__(self, value: object) -> bool:
        return any(member.value is value for member in self._members)

    def __add__(self, other: Any) -> Any:
        total = self.total()
        return total + other.total() if isinstance(other, DataGroup) else total + other

    def __radd__(self, other: Any) -> Any:
        return self.total() if isinstance(other, int) and other == 0 else other + self.total()

    @override
    def __repr__(self) -> str:
        return f"DataGroup({self.name!r}, {len(self)} values)"


def _enumerated(names: list[str], values: list[Any]) -> Iterator[tuple[str, Any, Callable[[], Any]]]:
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        yield name, place, _always(value)


def _always(value: Any) -> Callable[[], Any]:
    return lambda: value


def _later(change: Callable[[Any], Any], member: Member) -> Callable[[], Any]:
    return lambda: change(member.value)
