"""The children as the machine sees them: who can take what, who has had its time (pure).

A child holds a queue, so that it never waits for its worker between tiny runs. Only as much is put into it as it will
have done within a moment, going by how long runs of the same program took: a long run keeps nobody waiting behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from plotter2.model.task import Task
from plotter2.mqtt.payloads import Assignment

QUEUED_S_MAX = 0.05
"""How much work may wait inside a child."""
START_PAUSE_S = 0.1
START_PAUSE_S_MAX = 5.0
SMOOTHING = 0.2


@dataclass(slots=True, eq=False)
class Held:
    """A run that this worker has in hand.

    Attributes:
        started_at: when a child began it, by the machine's time; 0 before.
        turn_at: when its present turn began: an instance of a tree has one from each op to the next, others have one.
        used_s, used_cpu_s: what the turns before took.
        memory_bytes: private memory of its child that an instance has taken, as the child says.
        asks: how many things it has asked in this attempt, in whichever child, so that each has a number of its own.
        ask: the question that has no answer yet; 0 for none.
        reached: the last op that it has come to, however often it began.
        has_asked: whether it has ever asked something: then it is not given back as if it had not begun.
        lines: what it has printed in this attempt, kept until its end is told; told: how many of these were.
        repeated: how many of the lines that it will print were printed before, by an interpreter that is gone.
        deaths: how many interpreters were killed from outside under it.
        is_told: the manager has heard that it runs.
    """

    assignment: Assignment
    task: Task
    taken_at: float
    sequence: int = 0
    child: int = 0
    started_at: float = 0.0
    program: int = 0
    weight_s: float = 0.0
    deaths: int = 0
    turn_at: float = 0.0
    used_s: float = 0.0
    used_cpu_s: float = 0.0
    memory_bytes: int = 0
    asks: int = 0
    ask: int = 0
    reached: int = 0
    has_asked: bool = False
    lines: list[str] = field(default_factory=list)
    told: int = 0
    repeated: int = 0
    is_told: bool = False
    is_cancelled: bool = False

    @property
    def lines_from(self) -> int:
        """How many lines of it the manager had before this attempt, which prints them again and leaves them out."""
        return self.assignment.instance.said if self.assignment.instance is not None else 0


@dataclass(slots=True)
class Seat:
    """One child.

    Attributes:
        runs: its queue by sequence; the first is the one it works on.
        parked: instances in it that wait for an answer, and what memory they have taken.
    """

    number: int
    born_at: float
    is_ready: bool = False
    is_retiring: bool = False
    runs: dict[int, Held] = field(default_factory=dict)
    parked: dict[int, Held] = field(default_factory=dict)
    parked_bytes: int = 0
    queued_s: float = 0.0
    done: int = 0
    memory_bytes: int = 0
    cpu_base_s: float = -1.0

    @property
    def head(self) -> Held | None:
        """What it works on."""
        return next(iter(self.runs.values()), None)


class Seats:
    """All children of a worker."""

    def __init__(self, window_runs: int) -> None:
        self._window_runs = window_runs
        self._seats: dict[int, Seat] = {}
        self._numbers = 0
        self._deaths_in_a_row = 0
        self._typical_s: dict[int, float] = {}
        self._pace_s = 0.0

    def __iter__(self) -> Iterator[Seat]:
        return iter(list(self._seats.values()))

    def get(self, number: int) -> Seat | None:
        """The child with this number, while it is one of ours."""
        return self._seats.get(number)

    def add(self, now: float) -> tuple[Seat, float]:
        """Place for one more child, and how long to wait before it is forked."""
        self._numbers += 1
        seat = self._seats[self._numbers] = Seat(self._numbers, now)
        pause_s = START_PAUSE_S * 2 ** (self._deaths_in_a_row - 2) if self._deaths_in_a_row > 1 else 0.0
        return seat, min(pause_s, START_PAUSE_S_MAX)

    def remove(self, seat: Seat) -> list[Held]:
        """A child is gone. Returns what was in its queue."""
        del self._seats[seat.number]
        # One that dies without having done anything will likely do so again.
        self._deaths_in_a_row = 0 if seat.done else min(self._deaths_in_a_row + 1, 10)
        return list(seat.runs.values())

    def weight(self, program: int) -> float:
        """How long a run of this program takes, as far as one knows."""
        return self._typical_s.get(program, QUEUED_S_MAX)

    def with_room(self, program: int) -> Seat | None:
        """The child with the least to do that may take a run of this program now."""
        weight_s = self.weight(program)
        best: Seat | None = None
        for seat in self._seats.values():
            if not seat.is_ready or seat.is_retiring or len(seat.runs) >= self._window_runs:
                continue
            if seat.runs and seat.queued_s + weight_s > QUEUED_S_MAX:
                continue
            if best is None or len(seat.runs) < len(best.runs):
                best = seat
        return best

    def put(self, seat: Seat, held: Held, now: float) -> None:
        """A run goes into a child's queue."""
        held.child = seat.number
        held.weight_s = self.weight(held.program)
        if not seat.runs:
            _begin(seat, held, now)
        seat.runs[held.sequence] = held
        seat.queued_s += held.weight_s

    def pop(self, seat: Seat, sequence: int, now: float) -> Held | None:
        """A run leaves a child's queue; the next one begins."""
        was_head = next(iter(seat.runs), None) == sequence
        held = seat.runs.pop(sequence, None)
        if held is None:
            return None
        seat.queued_s = max(0.0, seat.queued_s - held.weight_s) if seat.runs else 0.0
        if was_head:
            seat.cpu_base_s = -1.0
            following = seat.head
            if following is not None:
                _begin(seat, following, now)
        return held

    def park(self, seat: Seat, sequence: int, now: float) -> Held | None:
        """An instance waits: its turn is over, and the next one's begins."""
        held = self.pop(seat, sequence, now)
        if held is not None:
            held.used_s += now - held.turn_at
            seat.parked[sequence] = held
            seat.parked_bytes += held.memory_bytes
        return held

    def unpark(self, seat: Seat, held: Held) -> None:
        """It waits no longer, or not here."""
        del seat.parked[held.sequence]
        seat.parked_bytes -= held.memory_bytes

    def learn(self, held: Held, took_s: float) -> None:
        """How long a run of this program took."""
        self._pace_s += SMOOTHING * (took_s - self._pace_s)
        known = self._typical_s.get(held.program)
        # What got slower counts at once: it decides how many others would wait.
        if known is None or took_s > known:
            self._typical_s[held.program] = took_s
        else:
            self._typical_s[held.program] = known + SMOOTHING * (took_s - known)

    def ahead_s(self, waiting: int) -> float:
        """For how long no child will be without work, with so many more runs that wait for one."""
        least_s = min((seat.queued_s for seat in self._seats.values()), default=0.0)
        return least_s + waiting * self._pace_s / len(self._seats) if least_s else 0.0

    def parked(self) -> int:
        """How many instances wait in all children."""
        return sum(len(seat.parked) for seat in self._seats.values())

    def forget(self, program: int) -> None:
        """This program is done with."""
        self._typical_s.pop(program, None)


def _begin(seat: Seat, held: Held, now: float) -> None:
    held.turn_at = now
    held.started_at = held.started_at or now
    seat.cpu_base_s = -1.0
