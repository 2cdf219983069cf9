"""What the ledger knows: tasks and their states, data and their owners, loans, sets of data (pure).

Exposures are kept by sets: ten thousand data shown to ten thousand tasks are one set and ten thousand short lists,
never a hundred million pairs. Everything that is iterated is a list or a dict, so that the order is always the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from plotter2.datter.ledger.ops import Answer, Op, OpId, Told, Turn
from plotter2.errors import IllegalStepError

POOL = 0
"""The owner of data that nobody owns."""


class TaskState(StrEnum):
    """Where an instance stands."""

    HELD = "held"
    READY = "ready"
    RUNNING = "running"
    SUSPENDED = "suspended"
    DONE = "done"
    GAVEUP = "gaveup"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


ENDS = frozenset({TaskState.DONE, TaskState.GAVEUP, TaskState.FAILED, TaskState.CANCELLED, TaskState.LOST})
FAILURES = frozenset({TaskState.FAILED, TaskState.CANCELLED, TaskState.LOST})
RUNNABLE = frozenset({TaskState.READY, TaskState.RUNNING})
STEPS: dict[TaskState, frozenset[TaskState]] = {
    TaskState.HELD: frozenset({TaskState.READY}) | ENDS,
    TaskState.READY: frozenset({TaskState.RUNNING}) | ENDS,
    # Back to READY when it lives through its attempt again elsewhere.
    TaskState.RUNNING: frozenset({TaskState.SUSPENDED, TaskState.READY}) | ENDS,
    TaskState.SUSPENDED: frozenset({TaskState.RUNNING, TaskState.READY}) | ENDS,
    TaskState.DONE: frozenset(),
    TaskState.GAVEUP: frozenset(),
    TaskState.FAILED: frozenset(),
    TaskState.CANCELLED: frozenset(),
    TaskState.LOST: frozenset(),
}


@dataclass(slots=True)
class Loan:
    """The borrower owns the datum; it comes back to the lender."""

    lender: int
    borrower: int


@dataclass(slots=True)
class Datum:
    """One value of a run.

    Attributes:
        ref: where the value lies, in the words of whoever carries ops.
        origin: the task that made it, or took it from the pool.
        owner: one task, or the pool.
        version: grows with every transfer; a transfer key is good for one version.
        loans: from the first lender on; each lends what the one before lent it.
        label: what tells it from others of its name. place: where it stands among these.
    """

    number: int
    name: str
    ref: str
    origin: int
    owner: int
    version: int = 1
    loans: list[Loan] = field(default_factory=list)
    lineage: tuple[int, ...] = ()
    label: str = ""
    place: float = 0.0


class WaitKind(StrEnum):
    """What a task waits in."""

    RELEASE = "release"
    COLLECT = "collect"
    ACCESS = "access"


@dataclass(slots=True)
class Wait:
    """An op that has no answer yet.

    Attributes:
        at: the op's place in the journal.
        left: the tasks that it still waits for; it waits for all of them.
    """

    kind: WaitKind
    op: OpId
    what: Op
    at: int
    left: dict[int, None]
    outcomes: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class Grant:
    """A set of data under one name, shown to some tasks."""

    source: int
    name: str
    data: int


@dataclass(slots=True)
class Asked:
    """An op of the present attempt and its answer, once there is one."""

    what: Op
    answer: Answer | None = None


@dataclass(slots=True)
class Task:
    """One instance.

    Attributes:
        number: counts all tasks of the run in the order in which they were made.
        owners: the tasks that linked it, in that order (R5).
        children: the tasks that it linked.
        batons: children whose turn is over until this task releases.
        handed: owners that it handed data in to since it last released.
        lent: data that it has lent and not got back. borrowed: data that it has to give back.
        exposures: what it has published, by name.
        grants: what was shown to it.
        has_waited: whether it ever waited: before that it may still link tasks that are held.
    """

    number: int
    definition: str
    label: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    state: TaskState = TaskState.READY
    epoch: int = 1
    owners: list[int] = field(default_factory=list)
    children: dict[int, None] = field(default_factory=dict)
    batons: dict[int, None] = field(default_factory=dict)
    handed: dict[int, None] = field(default_factory=dict)
    owned: dict[int, None] = field(default_factory=dict)
    lent: dict[int, None] = field(default_factory=dict)
    borrowed: dict[int, None] = field(default_factory=dict)
    exposures: dict[str, int] = field(default_factory=dict)
    grants: list[Grant] = field(default_factory=list)
    wait: Wait | None = None
    waiters: dict[int, None] = field(default_factory=dict)
    asked: dict[int, Asked] = field(default_factory=dict)
    has_waited: bool = False
    error: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether it will do no more."""
        return self.state in ENDS

    @property
    def called(self) -> str:
        """What people know it by."""
        return f"{self.definition}[{self.label}]" if self.label else f"{self.definition} #{self.number}"


@dataclass(slots=True)
class Definition:
    """What can be started, and how its instances stand.

    Attributes:
        linkers: definitions that are linked to it: their instances may link its own.
        unfinished: instances that have not ended. fresh: those that have neither waited nor ended.
        held: instances that start when somebody waits for them; those that somebody waits for are True.
    """

    name: str
    aliases: tuple[str, ...] = ()
    exposes: frozenset[str] = frozenset()
    linked: tuple[str, ...] = ()
    linkers: list[str] = field(default_factory=list)
    tasks: list[int] = field(default_factory=list)
    unfinished: int = 0
    fresh: int = 0
    held: dict[int, bool] = field(default_factory=dict)


@dataclass(slots=True)
class Book:
    """All of it. `turn` collects what the op under way brings about, `met` those whose waits are over."""

    secret: bytes = b""
    tasks: dict[int, Task] = field(default_factory=dict)
    data: dict[int, Datum] = field(default_factory=dict)
    definitions: dict[str, Definition] = field(default_factory=dict)
    called: dict[str, str] = field(default_factory=dict)
    pool: dict[str, int] = field(default_factory=dict)
    sets: list[tuple[int, ...]] = field(default_factory=list)
    set_numbers: dict[tuple[int, ...], int] = field(default_factory=dict)
    merged: dict[tuple[int, ...], int] = field(default_factory=dict)
    suspended: dict[int, None] = field(default_factory=dict)
    runnable: int = 0
    length: int = 0
    roots: dict[int, Asked] = field(default_factory=dict)
    turn: Turn = field(default_factory=Turn, compare=False)
    met: dict[int, None] = field(default_factory=dict, compare=False)

    def step(self, task: Task, after: TaskState) -> None:
        """Bring a task into another state and count anew.

        Raises:
            IllegalStepError: the table has no such arrow.
        """
        if after not in STEPS[task.state]:
            raise IllegalStepError(f"{task.called} cannot go from {task.state} to {after}.")
        self.runnable += (after in RUNNABLE) - (task.state in RUNNABLE)
        if task.state is TaskState.SUSPENDED:
            del self.suspended[task.number]
        if after is TaskState.SUSPENDED:
            self.suspended[task.number] = None
        task.state = after

    def answer(self, task: Task, wait: Wait, answer: Answer) -> None:
        """Give a waiting op its answer, and its task the word."""
        task.wait = None
        task.asked[wait.op.seq].answer = answer
        if task.state is TaskState.SUSPENDED:
            self.step(task, TaskState.RUNNING)
            self.turn.told.append(Told(wait.op, answer))

    def set_number(self, data: tuple[int, ...]) -> int:
        """The number of a set of data; the same for the same data in the same order."""
        found = self.set_numbers.get(data)
        if found is None:
            found = self.set_numbers[data] = len(self.sets)
            self.sets.append(data)
        return found
