"""What instances ask of their ledgers, on its way to the manager and back: one stream for all children of a worker.

What has no answer yet is kept, and asked again when the stream has broken: the ledger gives the answer that it gave, so
asking twice changes nothing. A value that others may read is safe with the manager before the question that speaks of
it is asked. What only reads, and was read before for the same tree, is answered here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from plotter2 import telemetry
from plotter2.api.v1 import device_pb2
from plotter2.datter.ledger.ops import Describe, Lying, unpacked
from plotter2.datter.trees.refs import digests_of
from plotter2.errors import Plotter2Error
from plotter2.ids import RunId, WorkerId
from worker.bulk import BulkLine
from worker.commands import CarryOp, ForgetInstance
from worker.events import OpAnswered
from worker.library import Library

if TYPE_CHECKING:
    from plotter2.api.v1.manager_pb2_grpc import ManagerServiceAsyncStub as Stub

KEPT_AT_ONCE = 8
"""So many values go to the manager at a time."""
PAUSE_S = 1.0

_ROWS = msgspec.msgpack.Decoder(list[Lying])
_log = telemetry.logger("operating")


class _Conversation:
    """One stream's questions: what was added since the last message."""

    def __init__(self, asks: list[device_pb2.Ask]) -> None:
        self._asks = asks
        self._added = asyncio.Event()
        self._added.set()

    def add(self, ask: device_pb2.Ask) -> None:
        self._asks.append(ask)
        self._added.set()

    async def requests(self, worker_id: WorkerId) -> AsyncIterator[device_pb2.OperateRequest]:
        while True:
            await self._added.wait()
            self._added.clear()
            asks, self._asks = self._asks, []
            yield device_pb2.OperateRequest(worker_id=worker_id, asks=asks)


class _Tree:
    """What is known of a tree here: answers of reads, and what of the cache is held for them."""

    def __init__(self) -> None:
        self.read: dict[bytes, OpAnswered] = {}
        self.holds: list[bytes] = []


class Operating:
    """Carries what instances ask."""

    def __init__(self, worker_id: WorkerId, line: BulkLine, library: Library) -> None:
        """Begin with nothing asked.

        Args:
            worker_id: who asks.
            line: to the manager.
            library: keeps values, and finds those of others.
        """
        self._worker_id = worker_id
        self._line = line
        self._library = library
        self._hear: Callable[[OpAnswered], None] = _unheard
        self._pending: dict[RunId, tuple[CarryOp, device_pb2.Ask]] = {}
        self._trees: dict[str, _Tree] = {}
        self._room = asyncio.Semaphore(KEPT_AT_ONCE)
        self._wanted = asyncio.Event()
        self._conversation: _Conversation | None = None
        self._group: asyncio.TaskGroup | None = None

    def __len__(self) -> int:
        return len(self._pending)

    async def run(self, hear: Callable[[OpAnswered], None]) -> None:
        """For as long as the worker lives; `hear` gets each answer."""
        self._hear = hear
        async with asyncio.TaskGroup() as group:
            self._group = group
            while True:
                await self._wanted.wait()
                try:
                    await self._line.until_answered(self._converse)
                except Plotter2Error as wrong:
                    _log.warning("stream.refused", why=wrong.message, code=wrong.code)
                await asyncio.sleep(PAUSE_S)

    def carry(self, command: CarryOp) -> None:
        """Ask this; of one run only the last question counts."""
        known = self._known(command)
        if known is not None:
            self._hear(known)
        elif command.ask.content is None:
            self._ask(command)
        else:
            self._spawn(self._keep(command, command.ask.content.digest, Path(command.ask.content.path)))

    def forget(self, command: ForgetInstance) -> None:
        """A run needs no answer any more, and where it was the last of its tree here, nobody what was read."""
        self._pending.pop(command.run_id, None)
        tree = self._trees.pop(command.tree, None)
        if tree is not None:
            self._library.let_go(tree.holds)

    def _known(self, command: CarryOp) -> OpAnswered | None:
        tree = self._trees.get(command.tree)
        found = tree.read.get(command.ask.op) if tree is not None and not command.ask.seq else None
        if found is None:
            return None
        return OpAnswered(
            command.run_id, command.epoch, command.ask.ask, value=found.value, is_read=True, places=found.places
        )

    async def _keep(self, command: CarryOp, digest: bytes, path: Path) -> None:
        try:
            async with self._room:
                await self._library.keep(digest, path)
        except Plotter2Error as wrong:
            self._hear(OpAnswered(command.run_id, command.epoch, command.ask.ask, wrong.code, wrong.message))
        except OSError as wrong:
            said = f"The value that was to be shown cannot be kept: {wrong.strerror}."
            self._hear(OpAnswered(command.run_id, command.epoch, command.ask.ask, "failed", said))
        else:
            self._ask(command)

    def _ask(self, command: CarryOp) -> None:
        asked = command.ask
        ask = device_pb2.Ask(run_id=command.run_id, epoch=command.epoch, ask=asked.ask, seq=asked.seq, op=asked.op)
        self._pending[command.run_id] = command, ask
        self._wanted.set()
        if self._conversation is not None:
            self._conversation.add(ask)

    async def _converse(self, stub: Stub) -> None:
        conversation = self._conversation = _Conversation([ask for _, ask in self._pending.values()])
        try:
            async for response in stub.Operate(conversation.requests(self._worker_id)):
                for told in response.told:
                    self._told(told)
        finally:
            self._conversation = None

    def _told(self, told: device_pb2.Told) -> None:
        run_id = RunId(told.run_id)
        command, _ = self._pending.get(run_id, (None, None))
        if command is None or (command.epoch, command.ask.ask) != (told.epoch, told.ask):
            return
        del self._pending[run_id]
        is_read = not command.ask.seq
        answered = OpAnswered(run_id, told.epoch, told.ask, told.code, told.message, told.value, is_read)
        if is_read and not told.code:
            self._spawn(self._found(command, answered))
        else:
            self._hear(answered)

    async def _found(self, command: CarryOp, answered: OpAnswered) -> None:
        """What was read may speak of content, which must lie here before a child follows it."""
        tree = self._trees.setdefault(command.tree, _Tree())
        try:
            if not isinstance(unpacked(command.ask.op), Describe):
                rows = await asyncio.to_thread(_ROWS.decode, answered.value)
                places = await self._library.places(digests_of(row.ref for row in rows), tree.holds)
                answered = OpAnswered(
                    answered.run_id, answered.epoch, answered.ask, value=answered.value, is_read=True, places=places
                )
        except Plotter2Error as wrong:
            answered = OpAnswered(
                answered.run_id, answered.epoch, answered.ask, wrong.code, wrong.message, is_read=True
            )
        else:
            tree.read[command.ask.op] = answered
        if self._trees.get(command.tree) is not tree:  # forgotten meanwhile
            self._library.let_go(tree.holds)
        self._hear(answered)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        if self._group is not None:
            self._group.create_task(work)


def _unheard(answered: OpAnswered) -> None:
    """Before it runs nothing is asked."""
    raise AssertionError(answered)
