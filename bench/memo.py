"""A pipeline on data that it was run on before: from the call of the SDK to its outputs, beside the library alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

import plotter2
from bench.clusters import PACKAGE, K, bare, points
from bench.report import Measure, note, percentile
from plotter2.clock import SystemClock

CLOCK = SystemClock()
BUNDLE = "bench/memo"
STEPS = [["access", "points"], ["pca", K], ["kmean", K], "plotme"]


def memo(home: Path, work: Path, count: int) -> Iterator[Measure]:
    """Milliseconds, one request after another; scikit-learn works the same out anew each time, without a plot."""
    note(f"{count} times the same pipeline on the same data")
    folder = work / "memo"
    folder.mkdir()
    np.save(folder / "points.npy", points(0))
    (folder / "package.json").write_text(PACKAGE)
    ours = []
    with plotter2.connect(home=home) as p2:
        p2.push(folder, BUNDLE)
        first = p2.run(STEPS, BUNDLE).check()
        for _ in range(count):
            started = CLOCK.monotonic()
            again = p2.run(STEPS, BUNDLE).check()
            ours.append((CLOCK.monotonic() - started) * 1000)
            if again.outputs != first.outputs:
                raise SystemExit("bench: what was known is not what was given")
    bare(str(folder / "points.npy"))
    started = CLOCK.monotonic()
    bare(str(folder / "points.npy"))
    alone = (CLOCK.monotonic() - started) * 1000
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        yield Measure(f"pipeline_again_{name}", percentile(ours, share), "ms", "bare scikit-learn, once, ms", alone)
