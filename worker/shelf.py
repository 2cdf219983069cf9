"""The programs this worker knows: each prepared once, numbered, and forgotten when long out of use (pure)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from worker.commands import Command, ForgetProgram, PrepareProgram, ProgramKey
from worker.seats import Held

IDLE_PROGRAMS_MAX = 64


@dataclass(slots=True)
class _Program:
    key: ProgramKey
    is_ready: bool = False
    users: int = 0
    waiting: list[Held] = field(default_factory=list)


class Shelf:
    """Programs by number, the one used longest ago first."""

    def __init__(self, idle_max: int = IDLE_PROGRAMS_MAX) -> None:
        self._idle_max = idle_max
        self._programs: OrderedDict[int, _Program] = OrderedDict()
        self._numbers: dict[ProgramKey, int] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._programs)

    def enter(self, key: ProgramKey, held: Held) -> tuple[bool, list[Command]]:
        """A run needs this program. Returns whether it can begin, and what must be done for it; else it waits here."""
        commands: list[Command] = []
        number = self._numbers.get(key)
        if number is None:
            self._last += 1
            number = self._numbers[key] = self._last
            self._programs[number] = _Program(key)
            commands.append(PrepareProgram(number, key, held.task))
        program = self._programs[number]
        program.users += 1
        self._programs.move_to_end(number)
        held.program = number
        if not program.is_ready:
            program.waiting.append(held)
        return program.is_ready, commands

    def prepared(self, number: int) -> list[Held]:
        """It is at hand. Returns the runs that waited for it."""
        program = self._programs.get(number)
        if program is None:
            return []
        program.is_ready = True
        waiting, program.waiting = program.waiting, []
        return waiting

    def refused(self, number: int) -> list[Held]:
        """It cannot be had; the next run of it may try again. Returns the runs that waited for it."""
        program = self._programs.get(number)
        if program is None:
            return []
        self._drop(number)
        return program.waiting

    def leave(self, number: int) -> list[Command]:
        """A run of it has ended."""
        program = self._programs.get(number)
        if program is not None:
            program.users -= 1
        if len(self._programs) <= self._idle_max:
            return []
        idle = [one for one, program in self._programs.items() if not program.users]
        surplus = idle[: len(self._programs) - self._idle_max]
        for one in surplus:
            self._drop(one)
        return [ForgetProgram(one) for one in surplus]

    def _drop(self, number: int) -> None:
        program = self._programs.pop(number)
        del self._numbers[program.key]
