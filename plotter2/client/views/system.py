"""Workers, processes, and the tasks that there are."""

from __future__ import annotations

from dataclasses import dataclass

from plotter2.client.views.page import when
from plotter2.model.worker import Worker as WorkerModel


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker, as the manager sees it."""

    id: str
    name: str
    state: str
    slots: int
    running: int = 0
    pid: int = 0
    host: str = ""
    last_seen: str = ""

    @classmethod
    def of(cls, worker: WorkerModel, running: int) -> Worker:
        """The view of a worker that has so many runs in hand."""
        return cls(
            id=worker.id,
            name=worker.name,
            state=worker.state,
            slots=worker.slots,
            running=running,
            pid=worker.pid,
            host=worker.host,
            last_seen=when(worker.last_seen_at),
        )


@dataclass(frozen=True, slots=True)
class Process:
    """One process of an installation. `state` is ready, starting, running (it has no probe) or gone."""

    role: str
    name: str
    pid: int
    state: str
    address: str
    started: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """An installation at a glance. `backlog` counts what waits; a part that does not answer is missing from it."""

    home: str
    processes: tuple[Process, ...]
    backlog: dict[str, int]
    version: str = ""
    installation: str = ""


@dataclass(frozen=True, slots=True)
class DeclaredTask:
    """A task that a bundle declares, or has from an ancestor.

    Attributes:
        origin: the ancestor that declares it, as `bundle@version`; "" for the bundle's own.
        linked: the tasks that it is linked to, by name.
    """

    name: str
    bundle: str
    version: int
    source: str
    standing: tuple[str, ...] = ()
    origin: str = ""
    linked: tuple[str, ...] = ()
