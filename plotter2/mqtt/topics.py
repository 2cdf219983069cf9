"""The topic grammar: which topics there are, how one is built, read and matched (pure; requirement 082).

Propeller's topics stand under `m/{tenant}/c/{channel}`; two of ours stand beside them, one of each for every worker of
our own::

    control/proplet/create, alive, results, invoke_results, metrics, task_metrics      worker to manager
    control/manager/start, stop, invoke                                                manager to all workers
    control/manager/{worker_id}/assign                                                 manager to one worker (ours)
    control/proplet/{worker_id}/report                                                 one worker to the manager (ours)

A level never contains `/`, `+`, `#`, `.` (one of our brokers reads a dot as a separator), a blank or a control
character.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from plotter2.errors import LimitError, RefusedError
from plotter2.ids import WorkerId

TOPIC_BYTES_MAX = 1024
PAYLOAD_BYTES_MAX = 7 << 20
"""A broker cuts the connection at a longer packet; ours are set to 8 MiB with the header."""
_LEVEL = re.compile(r"[^/+#.\s\x00-\x1f\x7f]{1,128}")


class Direction(StrEnum):
    """Who speaks; the second level after `control`."""

    FROM_WORKER = "proplet"
    FROM_MANAGER = "manager"


class Kind(StrEnum):
    """What a topic carries; its last level."""

    CREATE = "create"
    ALIVE = "alive"
    RESULTS = "results"
    INVOKE_RESULTS = "invoke_results"
    METRICS = "metrics"
    TASK_METRICS = "task_metrics"
    START = "start"
    STOP = "stop"
    INVOKE = "invoke"
    ASSIGN = "assign"
    REPORT = "report"


_DIRECTIONS: dict[Kind, Direction] = {
    Kind.CREATE: Direction.FROM_WORKER,
    Kind.ALIVE: Direction.FROM_WORKER,
    Kind.RESULTS: Direction.FROM_WORKER,
    Kind.INVOKE_RESULTS: Direction.FROM_WORKER,
    Kind.METRICS: Direction.FROM_WORKER,
    Kind.TASK_METRICS: Direction.FROM_WORKER,
    Kind.REPORT: Direction.FROM_WORKER,
    Kind.START: Direction.FROM_MANAGER,
    Kind.STOP: Direction.FROM_MANAGER,
    Kind.INVOKE: Direction.FROM_MANAGER,
    Kind.ASSIGN: Direction.FROM_MANAGER,
}
OURS = frozenset({Kind.ASSIGN, Kind.REPORT})
"""The kinds that have a topic for each worker."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that was understood. `worker_id` is "" where all workers share the topic."""

    kind: Kind
    worker_id: WorkerId = WorkerId("")


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one channel of one tenant.

    Raises:
        RefusedError: at the making, or in the methods that take a worker id: a name that may not be a level.
    """

    tenant_id: str
    channel_id: str

    def __post_init__(self) -> None:
        level(self.tenant_id, "tenant id")
        level(self.channel_id, "channel id")

    @property
    def base(self) -> str:
        """What every topic of the channel begins with."""
        return f"m/{self.tenant_id}/c/{self.channel_id}"

    @property
    def create(self) -> str:
        """Where workers announce themselves."""
        return self.build(Topic(Kind.CREATE))

    @property
    def alive(self) -> str:
        """Where workers beat, and where last wills go."""
        return self.build(Topic(Kind.ALIVE))

    @property
    def results(self) -> str:
        """Where Propeller's proplets send results."""
        return self.build(Topic(Kind.RESULTS))

    @property
    def start(self) -> str:
        """Where Propeller's proplets hear what to start."""
        return self.build(Topic(Kind.START))

    @property
    def stop(self) -> str:
        """Where Propeller's proplets hear what to stop."""
        return self.build(Topic(Kind.STOP))

    def assign(self, worker_id: str) -> str:
        """Where one worker of ours hears what to do."""
        return self.build(Topic(Kind.ASSIGN, WorkerId(worker_id)))

    def report(self, worker_id: str) -> str:
        """Where one worker of ours says what it did."""
        return self.build(Topic(Kind.REPORT, WorkerId(worker_id)))

    @property
    def from_workers(self) -> str:
        """The filter that catches everything workers send (and nothing the manager sends)."""
        return f"{self.base}/control/{Direction.FROM_WORKER}/#"

    def build(self, topic: Topic) -> str:
        """The text of a topic.

        Raises:
            RefusedError: the worker's name may not be a level, or the kind has no topic for each worker.
        """
        prefix = f"{self.base}/control/{_DIRECTIONS[topic.kind]}"
        if (topic.kind in OURS) != bool(topic.worker_id):
            need = "needs a worker" if topic.kind in OURS else "is shared by all workers"
            raise RefusedError(f"The topic {topic.kind} {need}.")
        if topic.kind in OURS:
            prefix += "/" + level(topic.worker_id, "worker id")
        return f"{prefix}/{topic.kind}"

    def parse(self, text: str) -> Topic | None:
        """Read a topic; None for one that is not of this channel or that nobody knows. Never raises."""
        head = f"{self.base}/control/"
        if not text.startswith(head):
            return None
        direction, *rest = text[len(head) :].split("/")
        try:
            kind = Kind(rest[-1]) if rest else None
        except ValueError:
            return None
        if kind is None or _DIRECTIONS[kind] != direction or len(rest) != 1 + (kind in OURS):
            return None
        if kind not in OURS:
            return Topic(kind)
        return Topic(kind, WorkerId(rest[0])) if _LEVEL.fullmatch(rest[0]) else None


def level(text: str, what: str) -> str:
    """Return `text` if it may be one level of a topic.

    Raises:
        RefusedError: it may not.
    """
    if not _LEVEL.fullmatch(text):
        raise RefusedError(f"The {what} {text[:60]!r} cannot be a level of a topic: no '/', '+', '#', '.' or blanks.")
    return text


def check_message(text: str, payload: bytes) -> str:
    """Return the topic `text` if the payload can be published to it.

    Raises:
        RefusedError: the topic is empty, too long, or has a wildcard.
        LimitError: the payload is longer than our brokers take.
    """
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise LimitError(f"A message of {len(payload)} bytes is too long for the bus, which takes {PAYLOAD_BYTES_MAX}.")
    if not text or len(text.encode()) > TOPIC_BYTES_MAX or any(char in text for char in "+#\0"):
        raise RefusedError(f"{text[:60]!r} is not an MQTT topic that can be published to.")
    return text


def check_filter(text: str) -> str:
    """Return `text` if it is a filter: `+` alone in a level, `#` alone in the last.

    Raises:
        RefusedError: it is none.
    """
    levels = text.split("/")
    is_wrong = any(
        ("+" in part and part != "+") or ("#" in part and (part != "#" or index != len(levels) - 1))
        for index, part in enumerate(levels)
    )
    if not text or is_wrong or len(text.encode()) > TOPIC_BYTES_MAX or "\0" in text:
        raise RefusedError(f"{text[:60]!r} is not an MQTT topic filter.")
    return text


def matches(pattern: str, topic: str) -> bool:
    """Whether a filter catches a topic, by MQTT 3.1.1 chapter 4.7 (`$…` topics are not caught by wildcards)."""
    if topic.startswith("$") and pattern[:1] in {"+", "#"}:
        return False
    wanted, given = pattern.split("/"), topic.split("/")
    for index, part in enumerate(wanted):
        if part == "#":
            return True
        if index >= len(given) or part not in {"+", given[index]}:
            return False
    return len(wanted) == len(given)
