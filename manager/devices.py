"""MQTT messages into events (design 5). Unknown topics and broken payloads are passed over, never raised."""

from __future__ import annotations

import json

import structlog

from manager.events import Event, PropletResult, RunReport, RunsReported, WorkerAnnounced, WorkerBeat, WorkerLeft
from manager.loop import Loop
from plotter2.errors import RefusedError
from plotter2.ids import TaskId, WorkerId
from plotter2.model.task import Output
from plotter2.mqtt import payloads
from plotter2.mqtt.protocol import Bus
from plotter2.mqtt.topics import Kind, Topics

PROPLET_BEAT_S = 10.0


class Devices:
    """The ear on the bus."""

    def __init__(self, bus: Bus, topics: Topics, loop: Loop) -> None:
        self._bus = bus
        self._topics = topics
        self._loop = loop
        self._log = structlog.get_logger("manager.devices")

    async def run(self) -> None:
        """Listen, until cancelled."""
        async for message in self._bus.messages():
            try:
                event = self._event(message.topic, message.payload)
            except RefusedError as wrong:
                self._log.warning("message.refused", topic=message.topic, why=wrong.message)
                continue
            if event is not None:
                await self._loop.put(event)

    def _event(self, topic: str, payload: bytes) -> Event | None:
        known = self._topics.parse(topic)
        if known is None:
            return None
        if known.kind is Kind.REPORT:
            return reported(payloads.decode_report_batch(payload), known.worker_id)
        if known.kind is Kind.ALIVE:
            return _beat(payloads.decode_alive(payload))
        if known.kind is Kind.CREATE:
            return _announced(payloads.decode_create(payload))
        if known.kind is Kind.RESULTS:
            said = payloads.decode_result(payload)
            text = "" if said.results is None else json.dumps(said.results)
            return PropletResult(said.proplet_id, TaskId(said.task_id), text, said.error)
        return None


def reported(batch: payloads.ReportBatch, worker_id: WorkerId) -> RunsReported:
    """What a worker says, as an event."""
    return RunsReported(
        worker_id,
        batch.incarnation,
        tuple(
            RunReport(
                report.run_id,
                report.epoch,
                report.state,
                report.results_json,
                report.error,
                report.error_code,
                tuple(Output(made.path, made.kind, made.title, made.size_bytes, made.digest) for made in report.made),
                report.lines,
                report.progress,
                report.again_json,
                report.packed,
                report.lines_from,
            )
            for report in batch.reports
        ),
    )


def _beat(said: payloads.AliveMessage) -> Event:
    if said.is_offline:
        return WorkerLeft(WorkerId(said.proplet_id), said.incarnation)
    return WorkerBeat(WorkerId(said.proplet_id), said.incarnation)


def _announced(said: payloads.CreateMessage) -> WorkerAnnounced:
    metadata = json.dumps(said.metadata)
    ours = said.ours
    if ours is None:
        return WorkerAnnounced(WorkerId(said.proplet_id), beat_s=PROPLET_BEAT_S, metadata_json=metadata)
    return WorkerAnnounced(
        WorkerId(said.proplet_id), ours.name, True, ours.incarnation, ours.slots, ours.beat_s, ours.pid, ours.host,  # noqa: FBT003 -- is_ours
        metadata,
    )  # fmt: skip
