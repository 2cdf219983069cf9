"""The worker's end of the line to one child: bytes in, events out; frames out as they are given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from typing_extensions import override

from plotter2.child import frames
from plotter2.child.frames import Ask, Ended, Printed, Program, Ready, Skipped
from plotter2.errors import CorruptionError
from worker.events import ChildReady, Event, OpAsked, RunEnded, RunPrinted, RunsSkipped


class ChildLine(asyncio.Protocol):
    """One child. Events go to `hear`; `lost` is called once, when the line is down."""

    def __init__(self, number: int, hear: Callable[[Event], None], lost: Callable[[int], None]) -> None:
        self.number = number
        self.pid = 0
        self.base_bytes = 0
        self.known: set[int] = set()
        self._hear = hear
        self._lost = lost
        self._reader = frames.from_child_reader()
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        try:
            messages = self._reader.feed(data)
        except CorruptionError:  # user code has written to the socket: this child is not to be trusted any more
            self.close()
            return
        for message in messages:
            self._take(message)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(self.number)

    def _take(self, message: frames.FromChild) -> None:
        match message:
            case Ended():
                self._hear(RunEnded(self.number, message))
            case Printed():
                self._hear(RunPrinted(self.number, message.sequence, tuple(message.lines), message.progress))
            case Ask():
                self._hear(OpAsked(self.number, message))
            case Skipped():
                self._hear(RunsSkipped(self.number, tuple(message.sequences)))
            case Ready():
                self.pid = message.pid
                self._hear(ChildReady(self.number))

    def learn(self, program: Program) -> bytes:
        """What must be sent before runs of this program can be: nothing, when the child knows it."""
        if program.number in self.known:
            return b""
        self.known.add(program.number)
        return frames.pack(program)

    def write(self, data: bytes) -> None:
        """Send frames."""
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        """Hang up: a child that has nothing to do ends."""
        if self._transport is not None:
            self._transport.close()
