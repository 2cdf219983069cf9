"""Many small runs of one definition over one open stream: calls go out in batches, results settle futures.

A stream is one request for the manager. When it breaks, another takes over and asks again for what was not answered, so
every call is settled exactly once; one that ran unseen when the stream broke may run a second time. A stream ends after
so many calls (and another takes over) or when it has been idle, so neither side keeps an endless request.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from plotter2 import rpc
from plotter2.api.v1 import manager_pb2, task_pb2
from plotter2.client.link import Link, Patience
from plotter2.client.sources import Source
from plotter2.clock import Clock, IdSource
from plotter2.errors import FailedError, Plotter2Error, TaskFailedError, UnreachableError
from plotter2.wire.tasks import kind_to_proto

BATCH_CALLS_MAX = 256
BATCH_BYTES_MAX = 1 << 20
STREAM_CALLS_MAX = 20_000
IDLE_S = 30.0
CLOSE_S = 5.0

GOOD = frozenset({task_pb2.RUN_STATE_DONE, task_pb2.RUN_STATE_GAVEUP})


class Sink(Protocol):
    """Where one result goes: a future of asyncio's or of concurrent.futures'."""

    def set_result(self, result: Any, /) -> None:
        """The task returned this."""

    def set_exception(self, exception: Any, /) -> None:
        """The task, or the way to it, failed."""

    def done(self) -> bool:
        """Whether nobody waits any more."""
        ...


@dataclass(frozen=True, slots=True)
class Definition:
    """What one stream runs: a source, and the bundle it works on."""

    source: Source
    bundle: str = ""


@dataclass(slots=True)
class _Calls:
    """The calls of one stream: those that wait to be sent, and those that wait for their result, by index."""

    queue: deque[tuple[str, Sink]] = field(default_factory=deque)
    waiting: dict[int, tuple[str, Sink]] = field(default_factory=dict)
    sent: int = 0

    @property
    def total(self) -> int:
        return self.sent + len(self.queue)

    def batch(self) -> list[str]:
        """The next calls to send, now waiting for their results."""
        texts: list[str] = []
        size = 0
        while self.queue and len(texts) < BATCH_CALLS_MAX and size < BATCH_BYTES_MAX:
            call = self.queue.popleft()
            self.waiting[self.sent] = call
            self.sent += 1
            texts.append(call[0])
            size += len(call[0])
        return texts

    def restart(self) -> None:
        """Everything that was not answered is to be sent over another stream."""
        self.queue.extendleft(reversed(self.waiting.values()))
        self.waiting = {}
        self.sent = 0

    def settle(self, result: manager_pb2.CallResult) -> None:
        _, sink = self.waiting.pop(result.index, (None, None))
        if sink is None or sink.done():
            return
        if result.state in GOOD:
            sink.set_result(json.loads(result.results_json) if result.results_json else None)
        else:
            sink.set_exception(TaskFailedError(result.error or "The task was cancelled."))

    def fail(self, error: Exception) -> None:
        self.restart()
        while self.queue:
            _, sink = self.queue.popleft()
            if not sink.done():
                sink.set_exception(error)


class CallStream:
    """One stream, taken up again when it breaks. Every method belongs to the client's loop; `run` is its life."""

    def __init__(
        self, link: Link, definition: Definition, begin: Callable[[], manager_pb2.CallBegin], clock: Clock
    ) -> None:
        self.definition = definition
        self._link = link
        self._begin = begin
        self._clock = clock
        self._calls = _Calls()
        self._more = asyncio.Event()
        self._is_closing = False

    @property
    def is_open(self) -> bool:
        """Whether it takes more calls."""
        return not self._is_closing and self._calls.total < STREAM_CALLS_MAX

    def push(self, parameters: list[str], sinks: list[Any]) -> None:
        """Add calls; each sink is settled once."""
        self._calls.queue.extend(zip(parameters, sinks, strict=True))
        self._more.set()

    def close(self) -> None:
        """No more calls; it ends when the last result is in."""
        self._is_closing = True
        self._more.set()

    async def run(self) -> None:
        """Live until closed and settled, or idle, or broken for good."""
        patience = Patience(self._clock)
        try:
            while not await self._once(patience):
                self._calls.restart()
        except Plotter2Error as wrong:
            self._calls.fail(wrong)
        finally:
            self._is_closing = True
            self._calls.fail(UnreachableError("The client was closed before this call was answered."))

    async def _once(self, patience: Patience) -> bool:
        try:
            await self._talk(patience)
        except UnreachableError as gone:
            if not self._calls.waiting and not self._calls.queue:
                self._is_closing = True  # nobody waits: the next call opens another
                return True
            await self._link.again(patience, gone)
            return False
        if self._calls.waiting:
            raise FailedError("The manager ended the stream of calls before this one was answered.")
        return True

    async def _talk(self, patience: Patience) -> None:
        open_stream: Any = self._link.stub.Call  # its stub type wants an iterator; we write
        call = open_stream()
        ending = rpc.Ending(call)
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(self._write(call), name="calls out")
                with rpc.errors():
                    async for response in call:
                        self._link.heard()
                        patience.renew()
                        for result in response.results:
                            self._calls.settle(result)
                writer.cancel()
        except ExceptionGroup as several:
            wrong = several.exceptions[0]
            raise (ending.error() if isinstance(wrong, Plotter2Error) else None) or wrong from None
        finally:
            call.cancel()

    async def _write(self, call: Any) -> None:
        # Writing to a call that has ended fails in several ways; the reader knows why it ended.
        with contextlib.suppress(asyncio.InvalidStateError, Plotter2Error), rpc.errors():
            await call.write(manager_pb2.CallRequest(begin=self._begin()))
            while True:
                self._more.clear()
                while batch := self._calls.batch():
                    await call.write(manager_pb2.CallRequest(batch=manager_pb2.CallBatch(parameters_json=batch)))
                if self._is_closing or self._calls.sent >= STREAM_CALLS_MAX:
                    await call.done_writing()
                    return
                await self._wait_for_more()

    async def _wait_for_more(self) -> None:
        try:
            async with asyncio.timeout(IDLE_S):
                await self._more.wait()
        except TimeoutError:
            self._is_closing = not self._calls.waiting


class CallPool:
    """The open streams of one client, one a definition; the same definition finds its stream again."""

    def __init__(self, link: Link, clock: Clock, ids: IdSource, user: str) -> None:
        self._link = link
        self._clock = clock
        self._ids = ids
        self._user = user
        self._streams: dict[Definition, CallStream] = {}
        self._group = asyncio.TaskGroup()
        self._lives: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        for stream in self._streams.values():
            stream.close()
        if self._lives:
            await asyncio.wait(self._lives, timeout=CLOSE_S)
        for life in self._lives:
            life.cancel()
        await self._group.__aexit__(None, None, None)

    def push(self, definition: Definition, parameters: list[str], sinks: list[Any]) -> None:
        """Send calls over the definition's stream, opened where needed."""
        stream = self._streams.get(definition)
        if stream is None or not stream.is_open:
            stream = self._open(definition)
        stream.push(parameters, sinks)

    def _open(self, definition: Definition) -> CallStream:
        source = definition.source

        def begin() -> manager_pb2.CallBegin:
            return manager_pb2.CallBegin(
                client_key=self._ids.uuid(),
                user=self._user,
                name=source.name,
                kind=kind_to_proto(source.kind),
                source=source.text,
                filename=source.filename,
                bundle=definition.bundle,
            )

        stream = CallStream(self._link, definition, begin, self._clock)
        self._streams[definition] = stream
        life = self._group.create_task(stream.run(), name=f"calls of {source.name}")
        self._lives.add(life)
        life.add_done_callback(lambda done: self._ended(done, stream))
        return stream

    def _ended(self, life: asyncio.Task[None], stream: CallStream) -> None:
        self._lives.discard(life)
        if self._streams.get(stream.definition) is stream:
            del self._streams[stream.definition]
