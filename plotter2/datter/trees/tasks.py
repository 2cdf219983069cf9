"""The words of tasks and ownership: link, collect, release, handin, share, register and the others (r159 to r170).

Each asks the ledger through whoever carries this run's ops; a run that is alone has a ledger of its own. Tasks are
handles; where a task is wanted, a handle, `me`, a list of them, or a script's or definition's name will do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from typing_extensions import override

from plotter2.datter.context import Context, Symbol, current
from plotter2.datter.ledger.ops import (
    Claim,
    Collect,
    Deregister,
    Gather,
    Handin,
    Islinked,
    Link,
    Release,
    Share,
)
from plotter2.datter.scripting.reading import Exposures, access
from plotter2.datter.trees.alone import Alone
from plotter2.datter.trees.asking import Carrier, known_number, number_of, numbers_of, shown_to
from plotter2.errors import UsageError


@dataclass(frozen=True, slots=True)
class Handle:
    """Another task, or this one: what it is called and the names of its keys."""

    number: int
    definition: str = field(compare=False)
    label: str = field(compare=False, default="")
    keys: dict[str, str] = field(compare=False, default_factory=dict)

    @override
    def __repr__(self) -> str:
        """As messages call it."""
        return f"{self.definition}[{self.label}]" if self.label else f"{self.definition} #{self.number}"


class Settled(dict[str, list[Handle]]):
    """How tasks that were waited for have settled: a dictionary, whose lists can be asked for as attributes too."""

    @property
    def released(self) -> list[Handle]:
        """Those that have released to the one who waited."""
        return self["released"]

    @property
    def done(self) -> list[Handle]:
        """Those that are done."""
        return self["done"]

    @property
    def gaveup(self) -> list[Handle]:
        """Those that gave up."""
        return self["gaveup"]

    @property
    def failed(self) -> list[Handle]:
        """Those that failed, were cancelled or lost."""
        return self["failed"]


def _carrier(context: Context) -> Carrier:
    if context.carrier is None:
        context.carrier = Alone(context.run)
    found: Carrier = context.carrier
    return found


def _handles(carrier: Carrier, numbers: Sequence[int]) -> list[Handle]:
    """Handles of tasks; what is known of them is asked at once, however many they are."""
    found = zip(numbers, carrier.described(numbers) if numbers else (), strict=True)
    return [Handle(number, one.definition, one.label, one.keys) for number, one in found]


def _tasks(carrier: Carrier, given: Any) -> tuple[int, ...]:
    """The numbers of tasks, however they are named."""
    number = getattr(given, "number", None)
    if isinstance(number, int):
        return (number,)
    if isinstance(given, str):
        return tuple(carrier.ask(Gather(str(given))))
    if isinstance(given, list | tuple | set | frozenset):
        return tuple(dict.fromkeys(one for part in given for one in _tasks(carrier, part)))
    wanted = "me, what gather_tasks or islinked gave, or a name"
    raise UsageError(f"A task is wanted: {wanted}; not {type(given).__name__}.")


def _value(given: Any) -> Any:
    """A value, or what a bare name of the contract stands for."""
    return access(given) if isinstance(given, Symbol) else given.named if isinstance(given, Exposures) else given


def gather_tasks(name: Any) -> list[Handle]:
    """All instances of a script or definition in this run, in the order of their keys.

    Raises:
        UsageError: there is no definition of this name; with the nearest.
    """
    carrier = _carrier(current())
    return _handles(carrier, carrier.ask(Gather(str(name))))


def link(one: Any, other: Any) -> None:
    """Link one task, or a list, to another, or a list: from now on these know the first as their owners.

    Raises:
        UsageError: a task would be linked to itself.
    """
    carrier = _carrier(current())
    carrier.ask(Link(_tasks(carrier, one), _tasks(carrier, other)))


def islinked(task: Any) -> list[Handle] | None:
    """The tasks that linked a task, in the same order for everybody; None when none did."""
    context = current()
    if context.carrier is None:
        return None
    carrier = _carrier(context)
    owners = {owner for number in _tasks(carrier, task) for owner in carrier.ask(Islinked(number))}
    return _handles(carrier, sorted(owners)) or None


def collect(tasks: Any, *, strict: bool = True) -> Settled:
    """Wait until every task has released to this one or ended; those that released, are done, gave up, failed.

    Raises:
        CollectError: some failed; with `strict=False` they are only listed.
        DeadlockError: some of them wait for this one.
    """
    carrier = _carrier(current())
    found: dict[str, list[int]] = carrier.ask(Collect(_tasks(carrier, tasks), strict))
    return Settled({how: _handles(carrier, numbers) for how, numbers in found.items()})


def release() -> dict[Handle, str]:
    """Give execution back: to linked tasks that wait for this one, then to those it handed data in to or all owners.

    Waits until each of these has released in turn or ended, and says which; without owners it never waits.

    Raises:
        DeadlockError: some of them wait for this one.
    """
    carrier = _carrier(current())
    found: dict[int, str] = carrier.ask(Release())
    return dict(zip(_handles(carrier, list(found)), found.values(), strict=True))


def task(name: Any, **parameters: Any) -> Any:
    """Start a definition of this run: the handle of its instance, or a list where its script has axes.

    Raises:
        UsageError: there is none of this name.
        LimitError: it would be too many instances.
    """
    carrier = _carrier(current())
    made = _handles(carrier, carrier.start(str(name), parameters))
    return made[0] if len(made) == 1 and not made[0].keys else made


def handin(data: Any, to: Any) -> Any:
    """Give data to other tasks: back to those it came from, else on loan to the one that is named.

    All of it is shown to all of them. To `datter`, it goes to the pool for good. Gives the transfer key of each.

    Raises:
        OwnershipError: it is not yours, or nobody there could own it.
    """
    if getattr(to, "is_pool", False):
        return handoff(data)
    context = current()
    carrier = _carrier(context)
    numbers = numbers_of(context, carrier, [_value(data)])
    keys: list[str] = carrier.ask(Handin(numbers, _tasks(carrier, to)))
    return keys[0] if len(keys) == 1 else keys


def share(data: Any, to: Any, *, revoke: bool = False) -> None:
    """Let tasks read data that stays yours; with `revoke`, no longer.

    Raises:
        OwnershipError: it is not yours.
    """
    context = current()
    carrier = _carrier(context)
    carrier.ask(Share(numbers_of(context, carrier, [_value(data)]), _tasks(carrier, to), revoke))


def exposed(_: Any = None) -> Exposures:
    """Everything exposed to this task by others; nothing, when it is alone."""
    context = current()
    if context.carrier is None:
        return Exposures({}, lambda _: 0)
    return Exposures(shown_to(context, context.carrier), partial(known_number, context, context.carrier))


def register(value: Any, name: str = "") -> Any:
    """Make a value, or data of the pool, yours.

    Raises:
        OwnershipError: it is yours already, or somebody else's.
    """
    context = current()
    carrier = _carrier(context)
    found = _value(value)
    context.datum(found).name = name or context.datum(found).name
    known = carrier.shelf.number_of(found)
    if known:
        carrier.ask(Claim(known))
    else:
        number_of(context, carrier, found, name)
    return found


def deregister(value: Any) -> None:
    """Stop owning a value; it goes to the pool.

    Raises:
        OwnershipError: it is not yours, or only on loan.
    """
    context = current()
    carrier = _carrier(context)
    carrier.ask(Deregister(number_of(context, carrier, _value(value))))


def handoff(value: Any = None, name: str = "") -> str:
    """Give a value away for good, to the pool, where `access` finds it by its name. Gives that name.

    Raises:
        OwnershipError: it is not yours, or only on loan.
    """
    context = current()
    carrier = _carrier(context)
    found = _value(value)
    called = name or context.name_of(found) or "value"
    carrier.ask(Deregister(number_of(context, carrier, found, called), called))
    return called
