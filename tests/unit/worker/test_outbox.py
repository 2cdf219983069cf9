from __future__ import annotations

import asyncio

import pytest

from plotter2.errors import UnreachableError
from plotter2.ids import RunId, WorkerId
from plotter2.model.task import RunState
from plotter2.mqtt.payloads import Report, decode_report_batch
from worker import outbox as outbox_module
from worker.outbox import BATCH_BYTES_MAX, REPORTS_MAX, Outbox


def report(number: int, results_json: str = "") -> Report:
    return Report(RunId(f"r{number}"), 1, RunState.DONE, results_json)


class Wire:
    def __init__(self, failures: int = 0) -> None:
        self.batches: list[list[str]] = []
        self.failures = failures

    async def publish(self, payload: bytes) -> None:
        if self.failures:
            self.failures -= 1
            raise UnreachableError("The broker is away.")
        await asyncio.sleep(0)
        self.batches.append([one.run_id for one in decode_report_batch(payload).reports])


async def sent(wire: Wire, reports: list[Report], ahead_s: float = 0.0) -> None:
    outbox = Outbox(WorkerId("w"), "one", wire.publish, lambda: ahead_s)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(outbox.run())
        for one in reports:
            outbox.put(one)
        await outbox.emptied()
        running.cancel()


async def test_what_waits_goes_in_one_message() -> None:
    wire = Wire()
    await sent(wire, [report(number) for number in range(10)])
    assert wire.batches == [[f"r{number}" for number in range(10)]]


async def test_a_message_is_bounded_in_number_and_size() -> None:
    wire = Wire()
    await sent(wire, [report(number) for number in range(REPORTS_MAX + 1)])
    assert [len(batch) for batch in wire.batches] == [REPORTS_MAX, 1]
    wire = Wire()
    await sent(wire, [report(number, "x" * (BATCH_BYTES_MAX - 1_000)) for number in range(3)])
    assert [len(batch) for batch in wire.batches] == [1, 1, 1]


async def test_what_the_broker_did_not_take_is_sent_again_in_order() -> None:
    wire = Wire(failures=2)
    await sent(wire, [report(1), report(2)])
    assert wire.batches == [["r1", "r2"]]


@pytest.mark.req("r088")
async def test_while_every_child_has_much_to_do_ends_gather_and_they_leave_when_one_runs_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox_module, "GATHER_S_MAX", 60.0)
    wire, ahead_s = Wire(), [1_000.0]
    outbox = Outbox(WorkerId("w"), "one", wire.publish, lambda: ahead_s[0])
    async with asyncio.TaskGroup() as group:
        running = group.create_task(outbox.run())
        for number in range(4):
            outbox.put(report(number))
            for _ in range(10):
                await asyncio.sleep(0)
        assert wire.batches == [["r0"]]
        ahead_s[0] = 0.0
        outbox.put(report(4))
        await outbox.emptied()
        running.cancel()
    assert wire.batches == [["r0"], ["r1", "r2", "r3", "r4"]]


async def test_what_is_more_than_a_message_takes_does_not_wait_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "GATHER_S_MAX", 60.0)
    wire = Wire()
    async with asyncio.timeout(30):
        await sent(wire, [report(number, "x" * BATCH_BYTES_MAX) for number in range(4)], ahead_s=1_000.0)
    assert [len(batch) for batch in wire.batches] == [1, 1, 1, 1]
