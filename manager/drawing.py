"""Definitions that plotter2 brings itself: a report of what a bundle has, without a task for it (pure)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from blake3 import blake3

from plotter2.clock import Instant
from plotter2.ids import RequestId, TaskId, uuid7
from plotter2.model.task import Task, TaskKind

REPORT = """# A report of a bundle's data, each drawn as it suits it.
def task(data, title):
    page = report(title)
    if not data:
        page.add(access())
    for key in data:
        page.add(access(key), title=key)
"""


def report(request: RequestId, now: Instant) -> Task:
    """The definition of a report; its id comes from the request, so it is the same whenever it is decided."""
    chance = blake3(f"{request}\0report".encode()).digest()
    digest = blake3(REPORT.encode()).digest()
    return Task(TaskId(uuid7(int(now * 1000), chance)), "report", TaskKind.SCRIPT, REPORT, digest, "report.py",
                created_at=now)  # fmt: skip


def given(data: Sequence[str], title: str) -> str:
    """The parameters of a report."""
    return json.dumps({"data": list(data), "title": title})
