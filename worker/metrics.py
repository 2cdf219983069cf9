"""What a worker counts, under our names and, where they mean the same, under Propeller's (spec/propeller 2.7)."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from plotter2.model.task import RUN_ENDS, RUN_SUCCESSES, RunState
from plotter2.mqtt.payloads import Report

RUN_SECONDS = (0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 300.0)


class Metrics:
    """The worker's metrics in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        runs = Counter("runs", "Runs that have ended, by state.", ["state"], registry=registry)
        self._runs = {state: runs.labels(str(state)) for state in RUN_ENDS}
        self._seconds = Histogram("run_seconds", "How long runs took.", buckets=RUN_SECONDS, registry=registry)
        self._started = Counter("proplet_tasks_started", "Runs taken.", registry=registry)
        self._completed = Counter("proplet_tasks_completed", "Runs that ended well.", registry=registry)
        self._failed = Counter("proplet_tasks_failed", "Runs that did not.", registry=registry)
        self._registry = registry

    def watch(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A gauge that is read when somebody looks."""
        Gauge(name, text, registry=self._registry).set_function(read)

    def took(self, count: int) -> None:
        """Assignments have arrived."""
        self._started.inc(count)

    def told(self, report: Report) -> None:
        """A report goes out."""
        if report.state not in RUN_ENDS:
            return
        self._runs[RunState(report.state)].inc()
        self._seconds.observe(max(0.0, report.finished_at - report.started_at) if report.started_at else 0.0)
        (self._completed if report.state in RUN_SUCCESSES else self._failed).inc()
