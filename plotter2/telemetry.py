"""Telemetry: JSON lines for machines and people's tools, and fresh metric registries. Text here is never the event log.

One rich line a unit of work: an event's name, then keys. Files are rotated by size, so logs never fill a disk.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import cast

import structlog
from prometheus_client import CollectorRegistry, Gauge, GCCollector, PlatformCollector, ProcessCollector

LOG_BYTES_MAX = 16 << 20
LOG_FILES_KEPT = 3


def files_of(log_dir: Path, name: str) -> list[Path]:
    """The files that a process has logged to last, the older first: the present one, and the one that it took over."""
    newest = log_dir / f"{name}.jsonl"
    return [one for one in (newest.with_name(f"{newest.name}.1"), newest) if one.exists()]


def setup(name: str, log_dir: Path, level: str) -> None:
    """Send everything this process logs to `<log_dir>/<name>.jsonl`."""
    log_dir.mkdir(parents=True, exist_ok=True)
    end_line(log_dir / f"{name}.jsonl")
    handler = logging.handlers.RotatingFileHandler(
        log_dir / f"{name}.jsonl", maxBytes=LOG_BYTES_MAX, backupCount=LOG_FILES_KEPT, encoding="utf-8", delay=True
    )
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(daemon=name)


def end_line(path: Path) -> None:
    """A line that a killed process has not ended costs no line of the next one's."""
    with suppress(FileNotFoundError), path.open("r+b") as file:
        if file.seek(0, os.SEEK_END) and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
            file.write(b"\n")


def logger(component: str) -> structlog.stdlib.BoundLogger:
    """A logger for one component; may be made before `setup`."""
    return cast("structlog.stdlib.BoundLogger", structlog.get_logger(component))


def registry() -> CollectorRegistry:
    """A fresh registry with this process's own metrics in it."""
    made = CollectorRegistry()
    ProcessCollector(registry=made)
    PlatformCollector(registry=made)
    GCCollector(registry=made)
    threads = Gauge("plotter2_threads", "Threads of Python in this process; load does not add to them.", registry=made)
    threads.set_function(threading.active_count)
    return made
