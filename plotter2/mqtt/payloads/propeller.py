"""Propeller's JSON messages, with what we add under the key `plotter2` (pure; spec/propeller 2.2 to 2.7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from plotter2.clock import Instant, from_rfc3339
from plotter2.mqtt.payloads import fields

NAMESPACE = "default"
ALIVE = "alive"
OFFLINE = "offline"
OURS_KEY = "plotter2"


@dataclass(frozen=True, slots=True)
class OurWorker:
    """What a worker of our own says of itself beside Propeller's keys."""

    name: str
    slots: int
    incarnation: str
    beat_s: float
    pid: int = 0
    host: str = ""
    installation: str = ""


@dataclass(frozen=True, slots=True)
class CreateMessage:
    """Discovery: a worker has started, or found the broker again. `ours` is None for a plain proplet."""

    proplet_id: str
    namespace: str = NAMESPACE
    metadata: dict[str, Any] = field(default_factory=dict)
    ours: OurWorker | None = None


@dataclass(frozen=True, slots=True)
class AliveMessage:
    """A heartbeat, or the last will. `running` is how many runs it has in hand.

    Attributes:
        incarnation: of our own workers; a will of an older one speaks of a process that is gone already.
    """

    proplet_id: str
    is_offline: bool = False
    namespace: str = NAMESPACE
    incarnation: str = ""
    running: int = 0


@dataclass(frozen=True, slots=True)
class ResultMessage:
    """A proplet's result; `results` is a text, or an object for federated tasks. `error` is "" when there is none."""

    task_id: str
    results: Any = None
    error: str = ""
    proplet_id: str = ""


@dataclass(frozen=True, slots=True)
class MetricsMessage:
    """Telemetry of a proplet, or of one of its tasks (then `task_id` is set). Without `at`: the time of arrival."""

    proplet_id: str
    task_id: str = ""
    at: Instant | None = None
    values: dict[str, Any] = field(default_factory=dict)


def encode_create(message: CreateMessage) -> bytes:
    """Discovery as JSON."""
    document: dict[str, Any] = {
        "proplet_id": message.proplet_id,
        "namespace": message.namespace,
        "metadata": message.metadata,
    }
    ours = message.ours
    if ours is not None:
        document[OURS_KEY] = {
            "name": ours.name,
            "slots": ours.slots,
            "incarnation": ours.incarnation,
            "beat_s": ours.beat_s,
            "pid": ours.pid,
            "host": ours.host,
            "installation": ours.installation,
        }
    return fields.dump(document)


def decode_create(payload: bytes) -> CreateMessage:
    """Read a discovery.

    Raises:
        PayloadRefusedError: not an object, or without a name.
    """
    document = fields.load(payload, "create")
    ours = document.get(OURS_KEY)
    return CreateMessage(
        proplet_id=fields.name(document, "proplet_id", "create"),
        namespace=fields.text(document, "namespace") or NAMESPACE,
        metadata=fields.member(document, "metadata"),
        ours=_our_worker(ours) if isinstance(ours, dict) else None,
    )


def _our_worker(document: dict[str, Any]) -> OurWorker:
    beat_s = fields.number(document, "beat_s")
    slots = int(fields.number(document, "slots"))
    if beat_s <= 0 or slots <= 0:
        raise fields.PayloadRefusedError("The 'plotter2' part of a create message needs 'beat_s' and 'slots' above 0.")
    return OurWorker(
        name=fields.text(document, "name"),
        slots=slots,
        incarnation=fields.name(document, "incarnation", "create"),
        beat_s=beat_s,
        pid=int(fields.number(document, "pid")),
        host=fields.text(document, "host"),
        installation=fields.text(document, "installation"),
    )


def encode_alive(message: AliveMessage) -> bytes:
    """A heartbeat or a will as JSON."""
    document: dict[str, Any] = {
        "proplet_id": message.proplet_id,
        "status": OFFLINE if message.is_offline else ALIVE,
        "namespace": message.namespace,
    }
    if message.incarnation:
        document[OURS_KEY] = {"incarnation": message.incarnation, "running": message.running}
    return fields.dump(document)


def decode_alive(payload: bytes) -> AliveMessage:
    """Read a heartbeat or a will; a status that is not "offline" counts as life, as in the reference.

    Raises:
        PayloadRefusedError: not an object, or without a name.
    """
    document = fields.load(payload, "alive")
    ours = fields.member(document, OURS_KEY)
    return AliveMessage(
        proplet_id=fields.name(document, "proplet_id", "alive"),
        is_offline=fields.text(document, "status").lower() == OFFLINE,
        namespace=fields.text(document, "namespace") or NAMESPACE,
        incarnation=fields.text(ours, "incarnation"),
        running=int(fields.number(ours, "running")),
    )


def encode_result(message: ResultMessage) -> bytes:
    """A proplet's result as JSON."""
    return fields.dump(
        {
            "task_id": message.task_id,
            "proplet_id": message.proplet_id,
            "results": message.results,
            "error": message.error or None,
        }
    )


def decode_result(payload: bytes) -> ResultMessage:
    """Read a proplet's result.

    Raises:
        PayloadRefusedError: not an object, or without a task.
    """
    document = fields.load(payload, "results")
    results = document.get("results")
    # The reference sends "error": null for none; the embedded proplet leaves it out.
    return ResultMessage(
        task_id=fields.name(document, "task_id", "results"),
        results=results,
        error=fields.text(document, "error"),
        proplet_id=fields.text(document, "proplet_id") or fields.text(fields.member(document, "results"), "proplet_id"),
    )


def decode_metrics(payload: bytes) -> MetricsMessage:
    """Read telemetry of a proplet or of a task; what is measured is handed on as it came.

    Raises:
        PayloadRefusedError: not an object, or without a proplet.
    """
    document = fields.load(payload, "metrics")
    known = {"proplet_id", "task_id", "namespace", "timestamp"}
    return MetricsMessage(
        proplet_id=fields.name(document, "proplet_id", "metrics"),
        task_id=fields.text(document, "task_id"),
        at=decode_timestamp(document.get("timestamp")),
        values={key: value for key, value in document.items() if key not in known},
    )


def decode_timestamp(value: Any) -> Instant | None:
    """A moment in any of the four spellings of spec/propeller 2.7; None where the time of arrival is to be taken.

    An RFC 3339 text, and the object of seconds and nanoseconds since 1970, are moments. A bare number is the sender's
    uptime in milliseconds, which is none, and so is a timestamp that is missing.
    """
    if isinstance(value, str):
        try:
            return from_rfc3339(value)
        except (ValueError, OverflowError):
            return None
    if isinstance(value, dict):
        seconds, nanos = value.get("secs_since_epoch"), value.get("nanos_since_epoch", 0)
        if fields.is_number(seconds) and fields.is_number(nanos):
            return Instant(seconds + nanos / 1e9)
    return None


@dataclass(frozen=True, slots=True)
class StartMessage:
    """Start a definition on a proplet. `extra` holds the optional keys of spec/propeller 2.4, as they came."""

    id: str
    name: str
    state: int = 0
    proplet_id: str = ""
    cli_args: tuple[str, ...] | None = None
    broadcast: bool = False
    daemon: bool = False
    latent: bool = False
    encrypted: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StopMessage:
    """Stop a definition. `name` and `state` are for the embedded proplet, which insists on both as texts."""

    id: str
    proplet_id: str = ""
    broadcast: bool = False
    name: str = ""
    state: str = ""


START_OPTIONS = (
    "image_url",
    "file",
    "inputs",
    "env",
    "kbs_resource_path",
    "monitoring_profile",
    "hal_storage_path",
    "parent_results",
)
"""Keys of a start message that are left out when there is nothing to say."""


def encode_start(message: StartMessage) -> bytes:
    """A start as JSON."""
    document: dict[str, Any] = {
        "id": message.id,
        "name": message.name,
        "state": message.state,
        "cli_args": None if message.cli_args is None else list(message.cli_args),
        "broadcast": message.broadcast,
        "daemon": message.daemon,
        "latent": message.latent,
        "encrypted": message.encrypted,
    }
    document |= {key: message.extra[key] for key in START_OPTIONS if message.extra.get(key) is not None}
    if message.proplet_id:
        document["proplet_id"] = message.proplet_id
    return fields.dump(document)


def decode_start(payload: bytes) -> StartMessage:
    """Read a start.

    Raises:
        PayloadRefusedError: not an object, or without id or name.
    """
    document = fields.load(payload, "start")
    cli_args = document.get("cli_args")
    return StartMessage(
        id=fields.name(document, "id", "start"),
        name=fields.name(document, "name", "start"),
        state=int(fields.number(document, "state")),
        proplet_id=fields.text(document, "proplet_id"),
        cli_args=tuple(str(arg) for arg in cli_args) if isinstance(cli_args, list) else None,
        broadcast=document.get("broadcast") is True,
        daemon=document.get("daemon") is True,
        latent=document.get("latent") is True,
        encrypted=document.get("encrypted") is True,
        extra={key: document[key] for key in START_OPTIONS if document.get(key) is not None},
    )


def encode_stop(message: StopMessage) -> bytes:
    """A stop as JSON."""
    document: dict[str, Any] = {"id": message.id, "broadcast": message.broadcast}
    if message.proplet_id:
        document["proplet_id"] = message.proplet_id
    if message.name or message.state:
        document |= {"name": message.name, "state": message.state}
    return fields.dump(document)


def decode_stop(payload: bytes) -> StopMessage:
    """Read a stop.

    Raises:
        PayloadRefusedError: not an object, or without an id.
    """
    document = fields.load(payload, "stop")
    return StopMessage(
        id=fields.name(document, "id", "stop"),
        proplet_id=fields.text(document, "proplet_id"),
        broadcast=document.get("broadcast") is True,
        name=fields.text(document, "name"),
        state=fields.text(document, "state"),
    )
