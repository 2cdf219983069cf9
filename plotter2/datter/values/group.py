"""DataGroup: an ordered view of many values under one name (requirement 182).

Values are loaded when they are first looked at, and let go when nobody holds them. `sum(group)` and `sum([group])`
both give the elementwise total, because a group answers an addition with its own total. A group never changes;
selecting gives a new one.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from plotter2.datter.values.keys import natural, nearest, unknown
from plotter2.errors import UsageError

WHOLE_MAX = float(1 << 63)
_INCOMING = "plotter2.datter.values.incoming"
"""Imported when it is first needed: it makes groups."""
LARGEST_BYTES, SHAPES_NAMED = 8, 3


class Member:
    """One value of a group, and how to get it.

    A value that can be loaded again is let go when nobody else holds it, so a run may go over a group that is larger
    than memory; while somebody does, it is the same object.

    Attributes:
        name: what it is called; several members of a group may have one name.
        key: its place on the group's axis: a number, text, or a tuple of these.
        origin: the bundle it comes from, "" for none.
    """

    __slots__ = ("_held", "_is_kept", "_load", "_seen", "key", "name", "number", "origin")

    def __init__(self, name: str, key: Any, load: Callable[[], Any], origin: str = "") -> None:
        self.name = name
        self.key = key
        self.origin = origin
        self.number = 0
        self._load = load
        self._held: Any = None
        self._is_kept = False
        self._seen: Callable[[], Any] = _nothing

    @classmethod
    def holding(cls, name: str, key: Any, value: Any) -> Member:
        """A member whose value is there already."""
        ours = import_module(_INCOMING).taken_in(value)
        made = cls(name, key, lambda: ours)
        made._held = ours
        return made

    @classmethod
    def numbered(cls, name: str, key: Any, load: Callable[[], Any], number: int) -> Member:
        """A member whose value the ledger knows by a number."""
        made = cls(name, key, load)
        made.number = number
        return made

    @classmethod
    def keeping(cls, other: Member, change: Callable[[Any], Any]) -> Member:
        """A member whose value is made of another's, once."""
        made = cls(other.name, other.key, lambda: change(other.value), other.origin)
        made._is_kept = True
        return made

    @property
    def value(self) -> Any:
        """The value, loaded when nobody holds it; what another library holds as ours."""
        found = self._seen() if self._held is None else self._held
        if found is None:
            found = import_module(_INCOMING).taken_in(self._load())
            if type(found).__weakrefoffset__ and not self._is_kept:
                self._seen = weakref.ref(found)
            else:
                self._held = found
        return found

    def guard(self, guarded: Callable[[Callable[[], Any]], Any]) -> None:
        """Have what loads or makes it be called by `guarded`, who may say whose fault it is when it cannot be had."""
        load = self._load
        self._load = lambda: guarded(load)

    def at(self, key: Any) -> Member:
        """The same member at another place."""
        return Member(self.name, key, lambda: self.value, self.origin)

    @property
    def rank(self) -> tuple[Any, ...]:
        """Where it stands in the stable total order: by key tuple, origin, name."""
        keys = self.key if isinstance(self.key, tuple) else (self.key,)
        return tuple(_ranked(one) for one in keys), self.origin, natural(self.name)


def _numbered(group: DataGroup) -> dict[int, int]:
    places = {member.number: place for place, member in enumerate(group.members)}
    return {} if 0 in places else places


def _added(one: Any, two: Any) -> Any:
    """The sum of two values; of whole numbers in 64 bits, or beyond them in float64."""
    first, second = _wide(one), _wide(two)
    found = first + second
    kinds = {getattr(part, "dtype", np.dtype(object)).kind for part in (first, second)}
    if kinds & {"i"} and kinds <= {"i", "O"}:
        near = np.asarray(first, float) + np.asarray(second, float)
        return near if np.any(np.abs(near) >= WHOLE_MAX) else found
    return found


def _wide(value: Any) -> Any:
    """Lists as arrays; numbers of few bits in those of many, which their sums fit into."""
    found = np.asarray(value) if isinstance(value, list | tuple) else value
    if isinstance(found, str) or (isinstance(found, np.ndarray) and found.dtype.kind in "SUV"):
        raise TypeError("text has no sum")
    if not isinstance(found, np.ndarray | np.generic):
        return found
    kind = found.dtype.kind
    if kind == "u" and found.dtype.itemsize == LARGEST_BYTES and float(np.max(found, initial=0)) > WHOLE_MAX / 2:
        return found.astype(float)
    wanted: Any = np.int64 if kind in "biu" else float if found.dtype.char in "ef" else found.dtype
    return found.astype(wanted, copy=False)


def _nothing() -> None:
    return None


def _ranked(key: Any) -> tuple[int, float, list[tuple[int, int, str]]]:
    """Numbers by size, before texts in natural order, before what has no order."""
    if isinstance(key, int | float | np.number):
        return 0, float(key), []
    return (1, 0.0, natural(key)) if isinstance(key, str) else (2, 0.0, natural(repr(key)))


class DataGroup:
    """Many values in a stable order; names and keys may stand several times (a multimap).

    Attributes:
        name: what all of them are, as "weights".
        axis: what their keys count, as "step"; "" when they only have an order.
    """

    __array_ufunc__ = None  # numpy hands additions over to us

    def __init__(self, members: Iterable[Member], name: str = "", axis: str = "") -> None:
        self._members = tuple(members)
        self.name = name
        self.axis = axis
        self._kept: dict[str, Any] = {}

    @classmethod
    def of(
        cls,
        values: Iterable[Any],
        names: Sequence[str] | None = None,
        name: str = "",
        keys: Sequence[Any] | None = None,
    ) -> DataGroup:
        """A group of values that are already there; `keys` are their places, 0, 1, 2, ... without."""
        listed = list(values)
        called = list(names) if names is not None else [str(place) for place in range(len(listed))]
        placed = list(keys) if keys is not None else list(range(len(listed)))
        if not len(called) == len(placed) == len(listed):
            raise UsageError(f"{len(listed)} values need as many names and keys, not {len(called)} and {len(placed)}.")
        return cls((Member.holding(*one) for one in zip(called, placed, listed, strict=True)), name)

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

    def filled(self) -> DataGroup:
        """The same group.

        Raises:
            UsageError: it is empty.
        """
        if not self._members:
            raise UsageError(f"The group {self.name!r} is empty.")
        return self

    def map(self, change: Callable[[Any], Any]) -> DataGroup:
        """The group of what `change` makes of each value; names and keys stay."""
        changed = [Member.keeping(one, change) for one in self._members]
        return DataGroup(changed, self.name, self.axis)

    def sorted(self, by: Callable[[Member], Any]) -> DataGroup:
        """The same members in another order; equal ones keep theirs."""
        return DataGroup(sorted(self._members, key=by), self.name, self.axis)

    def ordered(self) -> DataGroup:
        """The members in the stable total order: by key (tuples part by part), origin, name; equal ones keep theirs.

        The axis stays, so drawings take their places from the keys.
        """
        return self.sorted(lambda one: one.rank)

    def at(self, key: Any) -> Any:
        """The value at a place of the axis; a group where several have that key.

        Raises:
            UsageError: none has it.
        """
        found = [member for member in self._members if member.key == key]
        if not found:
            raise UsageError(
                f"{self.name!r} has no key {str(key)!r}; {nearest(str(key), [str(one) for one in self.keys])}."
            )
        return found[0].value if len(found) == 1 else DataGroup(found, self.name, self.axis)

    def once(self, what: str, make: Callable[[DataGroup], Any]) -> Any:
        """What was worked out of this group before, or is now; for values that nobody writes to."""
        if what not in self._kept:
            self._kept[what] = make(self)
        return self._kept[what]

    @property
    def numbered(self) -> dict[int, int]:
        """Where each value stands, by its number in the ledger; {} when the ledger does not know them all."""
        found: dict[int, int] = self.once("numbered", _numbered)
        return found

    def to_arrow(self) -> Any:
        """The values as one pyarrow.Table: tables one below the other, arrays of one shape as a row each.

        The first columns say whose a row is: `name`, and `key` where the group has an axis.

        Raises:
            UsageError: the values do not fit together.
        """
        return import_module("plotter2.datter.values.exchange").of_group(self)

    def to_pandas(self) -> Any:
        """The same as a pandas.DataFrame (pandas must be installed)."""
        return import_module("plotter2.datter.values.exchange").to_pandas(self.to_arrow())

    def to_polars(self) -> Any:
        """The same as a polars.DataFrame (polars must be installed)."""
        return import_module("plotter2.datter.values.exchange").to_polars(self.to_arrow())

    def to_numpy(self) -> NDArray[Any]:
        """The numbers: arrays of one shape stacked along a first axis, tables one below the other.

        Raises:
            UsageError: the values do not fit together.
        """
        found: NDArray[Any] = import_module("plotter2.datter.values.exchange").stacked(self)
        return found

    def total(self) -> Any:
        """The elementwise sum of all values; lists as arrays, whole numbers that leave 64 bits as float64.

        Raises:
            UsageError: the group is empty, or its values cannot be added.
        """
        if not self._members:
            raise UsageError(f"The group {self.name!r} is empty, so it has no total.")
        try:
            values = iter(self)
            return reduce(_added, values, _wide(next(values)))
        except (TypeError, ValueError) as wrong:
            raise UsageError(f"The values of {self.name!r} cannot be added: {self._unlike(wrong)}.") from None

    def _unlike(self, wrong: Exception) -> str:
        """Why values cannot be added."""
        shapes = dict.fromkeys(str(np.shape(one)) for one in self if isinstance(one, np.ndarray | list | tuple))
        kinds = sorted({type(one).__name__ for one in self if not isinstance(one, np.ndarray | list | tuple)})
        if kinds:
            return (
                f"they are of the kinds {', '.join(kinds)}; take numbers of each first, as group.map(lambda t: t['x'])"
            )
        return f"their shapes are {' and '.join(list(shapes)[:SHAPES_NAMED])}" if len(shapes) > 1 else f"{wrong}"

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Any]:
        return (member.value for member in self._members)

    def __getitem__(self, which: Any) -> Any:
        """By place or slice, by name (a group where several have it), or by a key that is a tuple."""
        if isinstance(which, slice):
            return DataGroup(self._members[which], self.name, self.axis)
        if isinstance(which, tuple):
            return self.at(which)
        if isinstance(which, str):
            found = [member for member in self._members if member.name == which]
            if not found:
                raise unknown(f"member of {self.name!r}", which, self.names)
            return found[0].value if len(found) == 1 else DataGroup(found, self.name, self.axis)
        return self._members[which].value

    def __contains__(self, value: object) -> bool:
        return any(member.value is value for member in self._members)

    def __add__(self, other: Any) -> Any:
        total = self.total()
        return _added(total, other.total() if isinstance(other, DataGroup) else other)

    def __radd__(self, other: Any) -> Any:
        return self.total() if isinstance(other, int) and other == 0 else _added(other, self.total())

    @override
    def __repr__(self) -> str:
        return f"DataGroup({self.name!r}, {len(self)} values)"
