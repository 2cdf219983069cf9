"""What instances ask, on its way to the manager: batched, asked again after a break, reads remembered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from plotter2.api.v1 import device_pb2
from plotter2.child.frames import Ask, Content
from plotter2.datter.ledger.ops import Describe, Islinked, Lying, Open, packed
from plotter2.errors import ConflictError, NotFoundError, Plotter2Error, UnreachableError
from plotter2.ids import RunId, WorkerId
from tests.unit.worker.kit import REQUEST, run_id
from worker import operating
from worker.bulk import BulkLine
from worker.commands import CarryOp, ForgetInstance
from worker.events import OpAnswered
from worker.library import Library
from worker.operating import Operating

LIMIT_S = 10.0
READ = packed(Open(3))


class Manager:
    """A line to a manager that answers when it is told to."""

    def __init__(self) -> None:
        self.heard: list[list[device_pb2.Ask]] = []
        self.says: asyncio.Queue[device_pb2.OperateResponse | Plotter2Error | None] = asyncio.Queue()
        self.changed = asyncio.Event()
        self.streams = 0

    async def until_answered(self, ask: Callable[[Any], Awaitable[None]]) -> None:
        while True:
            try:
                await ask(self)
            except UnreachableError:
                await asyncio.sleep(0)
            else:
                return

    async def Operate(  # noqa: N802 -- the name that the service gives it
        self, requests: AsyncIterator[device_pb2.OperateRequest]
    ) -> AsyncIterator[device_pb2.OperateResponse]:
        self.streams += 1
        reading = asyncio.ensure_future(self._read(requests))
        try:
            while (said := await self.says.get()) is not None:
                if isinstance(said, Plotter2Error):
                    raise said
                yield said
        finally:
            reading.cancel()

    async def _read(self, requests: AsyncIterator[device_pb2.OperateRequest]) -> None:
        async for one in requests:
            assert one.worker_id == "w"
            self.heard.append(list(one.asks))
            self.changed.set()

    async def until_heard(self, count: int) -> list[list[device_pb2.Ask]]:
        async with asyncio.timeout(LIMIT_S):
            while len(self.heard) < count:
                self.changed.clear()
                await self.changed.wait()
        return self.heard

    def tell(self, number: int, ask: int = 1, epoch: int = 1, value: bytes = b"v", code: str = "") -> None:
        told = device_pb2.Told(run_id=run_id(number), epoch=epoch, ask=ask, code=code, message=code, value=value)
        self.says.put_nowait(device_pb2.OperateResponse(told=[told]))


class Keeper:
    """Stands where the library stands."""

    def __init__(self) -> None:
        self.kept: list[tuple[bytes, Path]] = []
        self.may_keep = asyncio.Event()
        self.wrong: Exception | None = None
        self.let: list[list[bytes]] = []

    async def keep(self, digest: bytes, path: Path) -> None:
        self.kept.append((digest, path))
        await self.may_keep.wait()
        if self.wrong is not None:
            raise self.wrong

    async def places(self, digests: list[str], holds: list[bytes]) -> dict[str, str]:
        if self.wrong is not None:
            raise self.wrong
        holds += [bytes.fromhex(one) for one in digests]
        return {one: f"/cache/{one}" for one in digests}

    def let_go(self, holds: list[bytes]) -> None:
        self.let.append(list(holds))


class Rig:
    def __init__(self) -> None:
        self.manager, self.keeper = Manager(), Keeper()
        self.answers: asyncio.Queue[OpAnswered] = asyncio.Queue()
        line, library = cast("BulkLine", self.manager), cast("Library", self.keeper)
        self.operating = Operating(WorkerId("w"), line, library)

    def carry(self, number: int, ask: int = 1, op: bytes = b"", content: Content | None = None) -> None:
        seq = 0 if op else ask
        asked = Ask(number, ask, seq, op or packed(Islinked(1)), content)
        self.operating.carry(CarryOp(run_id(number), 1, REQUEST, asked))

    async def answer(self) -> OpAnswered:
        async with asyncio.timeout(LIMIT_S):
            return await self.answers.get()


@asynccontextmanager
async def rig() -> AsyncIterator[Rig]:
    made = Rig()
    running = asyncio.ensure_future(made.operating.run(made.answers.put_nowait))
    await asyncio.sleep(0)  # it has begun
    try:
        yield made
    finally:
        running.cancel()


def asked(message: list[device_pb2.Ask]) -> list[tuple[str, int]]:
    return [(one.run_id, one.ask) for one in message]


async def test_what_waits_goes_in_one_message_and_each_answer_to_who_asked() -> None:
    async with rig() as one:
        one.carry(1)
        one.carry(2)
        assert asked((await one.manager.until_heard(1))[0]) == [(run_id(1), 1), (run_id(2), 1)]
        one.manager.tell(2)
        one.manager.tell(2)
        one.manager.tell(1, code="usage")
        assert await one.answer() == OpAnswered(RunId(run_id(2)), 1, 1, value=b"v")
        assert await one.answer() == OpAnswered(RunId(run_id(1)), 1, 1, "usage", "usage", b"v")
        assert len(one.operating) == 0


@pytest.mark.req("r187")
async def test_after_a_broken_stream_what_has_no_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operating, "PAUSE_S", 0.0)
    async with rig() as one:
        one.carry(1)
        one.carry(2)
        await one.manager.until_heard(1)
        one.manager.tell(1)
        await one.answer()
        for broken in (UnreachableError("gone"), ConflictError("no"), None):
            heard = len(one.manager.heard)
            one.manager.says.put_nowait(broken)
            assert asked((await one.manager.until_heard(heard + 1))[heard]) == [(run_id(2), 1)]
        one.carry(3)
        assert asked((await one.manager.until_heard(5))[4]) == [(run_id(3), 1)]
        assert one.manager.streams == 4


async def test_answers_of_earlier_questions_and_attempts_are_left_aside() -> None:
    async with rig() as one:
        one.carry(1, ask=2)
        await one.manager.until_heard(1)
        one.manager.tell(1, ask=1)
        one.manager.tell(1, ask=2, epoch=2)
        one.manager.tell(1, ask=2)
        assert (await one.answer()).ask == 2
        one.carry(1, ask=3)
        one.operating.forget(ForgetInstance(RunId(run_id(1)), ""))
        one.manager.tell(1, ask=3)
        one.carry(2)
        one.manager.tell(2)
        assert (await one.answer()).run_id == run_id(2)


@pytest.mark.req("r093")
async def test_a_value_is_safe_before_the_question_that_speaks_of_it_is_asked() -> None:
    async with rig() as one:
        one.carry(1, content=Content("/run/values/x", b"d" * 32))
        one.carry(2)
        assert asked((await one.manager.until_heard(1))[0]) == [(run_id(2), 1)]
        assert one.keeper.kept == [(b"d" * 32, Path("/run/values/x"))]
        one.keeper.may_keep.set()
        assert asked((await one.manager.until_heard(2))[1]) == [(run_id(1), 1)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (NotFoundError("no room"), ("not_found", "no room")),
        (OSError(28, "full"), ("failed", "The value that was to be")),
    ],
)
async def test_a_value_that_cannot_be_kept_is_the_question_s_error(wrong: Exception, said: tuple[str, str]) -> None:
    async with rig() as one:
        one.keeper.wrong = wrong
        one.keeper.may_keep.set()
        one.carry(1, content=Content("/run/values/x", b"d" * 32))
        answer = await one.answer()
        assert (answer.code, answer.message[: len(said[1])]) == said


@pytest.mark.req("r093")
async def test_a_set_is_opened_once_and_its_content_is_at_hand_first() -> None:
    digest = "ab" * 32
    rows = [Lying(1, "m", "", 0.0, f"blob:npy:{digest}"), Lying(2, "m", "", 0.0, "json:3")]
    async with rig() as one:
        one.carry(1, op=READ)
        await one.manager.until_heard(1)
        one.manager.tell(1, value=msgspec.msgpack.encode(rows))
        first = await one.answer()
        assert (first.is_read, first.places) == (True, {digest: f"/cache/{digest}"})
        one.carry(2, ask=7, op=READ)
        second = await one.answer()
        assert (second.run_id, second.ask, second.value, second.places) == (run_id(2), 7, first.value, first.places)
        assert len(one.manager.heard) == 1
        one.operating.forget(ForgetInstance(RunId(run_id(1)), REQUEST))
        assert one.keeper.let == [[bytes.fromhex(digest)]]
        one.carry(2, ask=8, op=READ)
        await one.manager.until_heard(2)


async def test_what_is_read_and_cannot_be_brought_is_an_error_and_tasks_have_no_content() -> None:
    async with rig() as one:
        one.keeper.wrong = NotFoundError("gone")
        one.carry(1, op=READ)
        await one.manager.until_heard(1)
        one.manager.tell(1, value=msgspec.msgpack.encode([Lying(1, "m", "", 0.0, "json:3")]))
        answer = await one.answer()
        assert (answer.code, answer.is_read) == ("not_found", True)
        one.carry(1, ask=2, op=packed(Describe((1,))))
        await one.manager.until_heard(2)
        one.manager.tell(1, ask=2, value=b"tasks")
        assert (await one.answer()).value == b"tasks"


async def test_what_is_brought_for_a_tree_that_is_gone_by_then_is_let_go() -> None:
    digest = "cd" * 32
    async with rig() as one:

        async def places(digests: list[str], holds: list[bytes]) -> dict[str, str]:
            one.operating.forget(ForgetInstance(RunId(run_id(1)), REQUEST))
            holds += [bytes.fromhex(each) for each in digests]
            return dict.fromkeys(digests, "/x")

        one.keeper.places = places  # type: ignore[method-assign] # as if it took its time
        one.carry(1, op=READ)
        await one.manager.until_heard(1)
        one.manager.tell(1, value=msgspec.msgpack.encode([Lying(1, "m", "", 0.0, f"blob:npy:{digest}")]))
        await one.answer()
        assert [bytes.fromhex(digest)] in one.keeper.let
