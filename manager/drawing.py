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

CLUSTERS = """# Rows of numbers, grouped by how close they lie (HDBSCAN: Campello, Moulavi, Sander 2013).
from dataclasses import replace

import numpy as np
from sklearn.cluster import HDBSCAN

from plotter2.datter.figures.figure import PALETTE
from plotter2.datter.values.points import Labels


def task(data, circled, labelled, cleaned):
    found = access(data) if data else access()
    shown = scale(found, "linear")
    if len(shown.names) > 2 or not np.isfinite(shown.matrix).all():
        shown = pca(found, 2)
    rows = shown.matrix
    spread = rows.std(axis=0)
    evened = rows / np.where(spread > 0, spread, 1)
    codes = HDBSCAN(min_cluster_size=max(5, len(rows) // 50), copy=True).fit_predict(evened)
    count = codes.max() + 1
    kept = codes >= 0 if cleaned and count else np.full(len(rows), True)
    names = tuple(f"cluster {one + 1}" for one in range(count)) + ("no cluster",)
    groups = Labels("cluster", names, np.where(codes < 0, count, codes)[kept])
    page = frame(f"{count} clusters" + (" without what belongs to none" if cleaned else ""))
    plot(page, replace(shown, matrix=rows[kept], groups=groups))
    axis(page, x=shown.names[0], y=shown.names[1])
    turn = np.linspace(0, 2 * np.pi, 97)
    for one in range(count):
        mine = rows[codes == one]
        middle = mine.mean(axis=0)
        widths, axes = np.linalg.eigh(np.cov(mine.T))
        reach = 2.5 * np.sqrt(np.maximum(widths, 0))
        edge = middle + (np.column_stack([np.cos(turn), np.sin(turn)]) * reach) @ axes.T
        colour = PALETTE[one % len(PALETTE)]
        if circled:
            line(page, edge[:, 0], edge[:, 1], name=f"around cluster {one + 1}", colour=colour)
        if labelled:
            top = float(edge[:, 1].max())
            text(page, f"cluster {one + 1} (n = {len(mine):,})", float(middle[0]), top, colour=colour)
    plotme(page)
    return {"clusters": int(count), "left out": int((~kept).sum())}
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
