"""How a run's values and the ledger's numbers come together: registering, looking up, groups of what is shown.

The ledger knows data by number; scripts hold plain values. A shelf keeps the values of one tree of instances by number,
and one group for each set, which all instances share: ten thousand of them look at the same group. What has a number
is sealed, because others may be reading it; a copy can be written to.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
from typing_extensions import override

from plotter2.datter.context import Context
from plotter2.datter.ledger.ops import Access, Described, Expose, Exposed, Op, Register, Unlock
from plotter2.datter.values.group import DataGroup, Member
from plotter2.datter.values.keys import ordinal
from plotter2.errors import BY_CODE, UsageError

SHARED_BY_PYTHON = (int, float, complex, str, bytes, bool, type(None), tuple, frozenset)
"""Two equal values of these may be one object, so the object says nothing of whose it is."""


_TRANSFER_KEY = re.compile(r"[0-9a-f]+\.[0-9a-f]+\.[0-9a-f]{32}")


class Known:
    """One value on the shelf: what it is, and what tells it from others of its name."""

    __slots__ = ("digest", "label", "place", "value")

    def __init__(self, value: Any, label: str, place: float, digest: str) -> None:
        self.value, self.label, self.place, self.digest = value, label, place, digest

    def get(self, told: Callable[[Any], None]) -> Any:
        """The value; `told` hears of one that has only now become known."""
        del told
        return self.value


class Fetched(Known):
    """A value that lies elsewhere: brought when it is looked at, and let go when nobody holds it."""

    __slots__ = ("_bring", "_seen")

    def __init__(self, label: str, place: float, bring: Callable[[], Any]) -> None:
        super().__init__(None, label, place, "")
        self._bring = bring
        self._seen: Callable[[], Any] = _nothing

    @override
    def get(self, told: Callable[[Any], None]) -> Any:
        found = self._seen() if self.value is None else self.value
        if found is None:
            found = self._bring()
            if type(found).__weakrefoffset__:
                self._seen = weakref.ref(found)
            else:
                self.value = found
            told(found)
        return found


def _nothing() -> None:
    return None


class Sets(Protocol):
    """What a shelf asks of a ledger."""

    def data_of(self, number: int) -> tuple[int, ...]:
        """The data in a set."""
        ...


class Shelf:
    """The values of one tree of instances."""

    def __init__(self, sets: Sets) -> None:
        self._sets = sets
        self._values: dict[int, Known] = {}
        self._numbers: dict[int, int] = {}
        self._groups: dict[tuple[int, str], DataGroup] = {}

    def keep(self, number: int, known: Known) -> None:
        """Put a value on it; from now on nobody writes to it."""
        self._values[number] = known
        if not isinstance(known.value, SHARED_BY_PYTHON):
            self._numbers[id(known.value)] = number
        if isinstance(known.value, np.ndarray):
            known.value.flags.writeable = False

    def number_of(self, value: Any) -> int:
        """The number of a value; 0 for one that has none."""
        return 0 if isinstance(value, SHARED_BY_PYTHON) else self._numbers.get(id(value), 0)

    def plain_of(self, value: Any, numbers: Iterable[int]) -> int:
        """Of some numbers the newest whose value is this plain one, which Python has once for all; 0 for none."""
        same = (
            number for number in reversed(list(numbers))
            if (known := self._values[number].value) is value or (type(known) is type(value) and known == value)
        )  # fmt: skip
        return next(same, 0)

    def value(self, number: int) -> Any:
        """The value with a number."""
        return self._known(number).get(lambda value: self._meet(number, value))

    def is_single(self, number: int) -> bool:
        """Whether a set is one value of an instance without keys."""
        data = self._sets.data_of(number)
        return len(data) == 1 and not self._known(data[0]).label

    def group(self, number: int, name: str) -> DataGroup:
        """The values of a set as a group, made once: its keys are those of the instances that made them."""
        found = self._groups.get((number, name))
        if found is None:
            known = [(one, self._known(one)) for one in self._sets.data_of(number)]
            counted = {axis[0] if (axis := ordinal(one.label)) else "" for _, one in known}
            members = [Member.numbered(one.label or name, one.place, partial(self.value, at), at) for at, one in known]
            found = self._groups[number, name] = DataGroup(members, name, counted.pop() if len(counted) == 1 else "")
        return found

    def _known(self, number: int) -> Known:
        """What is known of a datum."""
        return self._values[number]

    def _meet(self, number: int, value: Any) -> None:
        """A value was brought: it is known by its number for as long as somebody holds it."""
        if isinstance(value, SHARED_BY_PYTHON):
            return
        place = id(value)
        self._numbers[place] = number
        if type(value).__weakrefoffset__:
            weakref.finalize(value, self._numbers.pop, place, None).atexit = False


class Carrier(Protocol):
    """A hub with a shelf: what carries the ops of one instance.

    Attributes:
        number: the instance's number in the ledger.
        label: what its keys are called.
        place: where it stands on its axis.
        mine: the numbers of the data that it made.
    """

    number: int
    label: str
    place: float
    mine: dict[int, None]

    @property
    def shelf(self) -> Shelf:
        """The values of its tree."""
        ...

    def ask(self, op: Op) -> Any:
        """The value of the answer, when it comes."""
        ...

    def start(self, name: str, parameters: dict[str, Any]) -> list[int]:
        """Start the instances of a definition; their numbers."""
        ...

    def described(self, tasks: Sequence[int]) -> list[Described]:
        """Definition, label and keys of tasks."""
        ...

    def laid(self, context: Context, value: Any) -> str:
        """Where a value lies from now on, for those who may read it elsewhere; "" where nobody is elsewhere.

        Raises:
            UsageError: it is nothing that can be written down.
        """
        ...


def known_number(context: Context, carrier: Carrier, value: Any) -> int:
    """The number of a value; one without an identity of its own, as 3, is what this run exposed or accessed."""
    if isinstance(value, SHARED_BY_PYTHON) and not isinstance(value, tuple | frozenset | None):
        return carrier.shelf.plain_of(value, [*context.received, *carrier.mine])
    return carrier.shelf.number_of(value)


def number_of(context: Context, carrier: Carrier, value: Any, name: str = "") -> int:
    """The number of a value; one that has none becomes the instance's own."""
    found = known_number(context, carrier, value) if not name else carrier.shelf.number_of(value)
    if found:
        return found
    called = name or context.name_of(value) or "value"
    known = context.data.get(id(value))
    made_of = (known.source,) if known and known.source else ()
    ref = carrier.laid(context, value)
    number: int = carrier.ask(Register(called, ref, made_of, carrier.label, carrier.place))
    carrier.mine[number] = None
    carrier.shelf.keep(number, Known(value, carrier.label, carrier.place, known.digest if known else ""))
    return number


def _number_of_member(context: Context, carrier: Carrier, member: Member, name: str) -> int:
    value = member.value
    found = carrier.shelf.number_of(value)
    if found:
        return found
    place = float(member.key) if isinstance(member.key, int | float) else 0.0
    ref = carrier.laid(context, value)
    number: int = carrier.ask(Register(name or member.name, ref, label=member.name, place=place))
    carrier.mine[number] = None
    carrier.shelf.keep(number, Known(value, member.name, place, ""))
    return number


def numbers_of(context: Context, carrier: Carrier, values: Iterable[Any]) -> tuple[int, ...]:
    """The numbers of values: of a group, of each of its members."""
    found: list[int] = []
    for value in values:
        if isinstance(value, DataGroup) and value.numbered:
            found += value.numbered
        elif isinstance(value, DataGroup):
            found += [_number_of_member(context, carrier, one, value.name) for one in value.members]
        elif isinstance(value, dict | list | tuple):
            found += numbers_of(context, carrier, value.values() if isinstance(value, dict) else value)
        else:
            found.append(number_of(context, carrier, value))
    return tuple(found)


def exposed_by(context: Context, carrier: Carrier, name: str, value: Any) -> None:
    """Publish a value under a name."""
    carrier.ask(Expose(name, number_of(context, carrier, value, name)))


def shown_to(context: Context, carrier: Carrier) -> dict[str, DataGroup]:
    """What is shown to this instance: groups by name."""
    sets: dict[str, int] = carrier.ask(Exposed())
    return {name: _received(context, carrier, number, name) for name, number in sets.items()}


def accessed(context: Context, carrier: Carrier, name: str, *, is_here: bool) -> Any:
    """What others show under a name, one value as it is and several as a group; None: what this bundle has is meant.

    Raises:
        UsageError: nobody can ever give it.
    """
    number = carrier.ask(Access(name, is_here))
    if number is None:
        return None
    found = _received(context, carrier, number, name)
    if not carrier.shelf.is_single(number):
        return found
    context.received.extend(found.numbered)
    return context.know(found[0], name)


def unlocked(carrier: Carrier, key: str) -> Any:
    """The value that a transfer key opens.

    Raises:
        OwnershipError: it is no key, or void since the next transfer.
    """
    return carrier.shelf.value(carrier.ask(Unlock(key)))


def is_transfer_key(text: str) -> bool:
    """Whether a text is what `handin` gives."""
    return _TRANSFER_KEY.fullmatch(text) is not None


def _received(context: Context, carrier: Carrier, number: int, name: str) -> DataGroup:
    found = carrier.shelf.group(number, name)
    context.know(found, name)
    return found


def refused(code: str, message: str) -> Exception:
    """The error of an answer."""
    return BY_CODE.get(code, UsageError)(message)
