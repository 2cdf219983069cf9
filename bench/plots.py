"""Plots and pipelines: figures a second beside plain Bokeh, and pipelines a second beside the same mathematics bare."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

import numpy as np

import plotter2
from bench.report import Measure, note
from plotter2.clock import SystemClock

CLOCK = SystemClock()
ROWS, COLUMNS = 500, 6
BUNDLE = "bench/points"
PLOT = [["access", "points"], "frame", "axis", "legend", "plot"]
REDUCE = [{"impose": {"k": {"keytype": "many"}}}, ["access", "k"], "pca", "scale"]
KEYS = 128
"""So many different data go round: more than a child keeps, so everything is worked out anew each time."""
PACKAGE = '{"data": {"points": {"path": "points.npy", "type": "matrix"}, "many": {"path": "many/p_*.npy"}}}'
WARM_UP = 8


def points(number: int = 0) -> np.ndarray:
    """The data of every plot here, and of each pipeline."""
    return np.random.default_rng(number).normal(size=(ROWS, COLUMNS))


def plain_bokeh(path: str) -> int:
    """One plot of the first two columns as a page, by Bokeh alone; for a pool's process."""
    plotting, embed, resources = (import_module(f"bokeh.{name}") for name in ("plotting", "embed", "resources"))
    figure = plotting.figure(title="points")
    data = points()
    figure.scatter(data[:, 0], data[:, 1], legend_label="points")
    return Path(path).write_text(embed.file_html(figure, resources.CDN))


def bare_reduce(number: int) -> float:
    """The pipeline's mathematics by scikit-learn alone; for a pool's process."""
    decomposition, preprocessing = (import_module(f"sklearn.{name}") for name in ("decomposition", "preprocessing"))
    reduced = decomposition.PCA(2).fit_transform(points(number % KEYS))
    return float(preprocessing.scale(reduced)[0, 0])


def prepare(home: Path, work: Path) -> None:
    """Push the bundle that the pipelines read."""
    folder = work / "points"
    folder.mkdir(parents=True)
    np.save(folder / "points.npy", points())
    (folder / "many").mkdir()
    for number in range(KEYS):
        np.save(folder / "many" / f"p_{number}.npy", points(number))
    (folder / "package.json").write_text(PACKAGE)
    with plotter2.connect(home=home) as p2:
        p2.push(folder, BUNDLE)


def plots(home: Path, work: Path, workers: int, count: int) -> Iterator[Measure]:
    """Pages/s: each a run of a pipeline that ends in a page under output/."""
    note(f"{count} plots")
    ours = _piped(home, PLOT, count)
    target = work / "bokeh"
    target.mkdir()
    with multiprocessing.get_context("forkserver").Pool(workers) as pool:
        pool.map(plain_bokeh, [str(target / f"warm{number}.html") for number in range(WARM_UP)])
        started = CLOCK.monotonic()
        pool.map(plain_bokeh, [str(target / f"{number}.html") for number in range(count)])
        bare = CLOCK.monotonic() - started
    yield Measure("plots", count / ours, "plots/s", f"plain Bokeh in {workers} processes", count / bare)


def pipelines(home: Path, workers: int, count: int) -> Iterator[Measure]:
    """Pipelines/s: access, pca, scale on 500 x 6 numbers, on other ones each time."""
    note(f"{count} pipelines")
    ours = _piped(home, REDUCE, count, [{"k": f"p_{number}"} for number in range(KEYS)])
    with multiprocessing.get_context("forkserver").Pool(workers) as pool:
        pool.map(bare_reduce, range(WARM_UP))
        started = CLOCK.monotonic()
        pool.map(bare_reduce, range(count))
        bare = CLOCK.monotonic() - started
    yield Measure("pipelines", count / ours, "pipelines/s", f"bare scikit-learn in {workers} processes", count / bare)


def _piped(home: Path, steps: list[object], count: int, given: Sequence[dict[str, str]] = ({},)) -> float:
    with plotter2.connect(home=home) as p2:
        list(p2.map(steps, (given[0] for _ in range(WARM_UP)), on=BUNDLE, name="bench"))
        started = CLOCK.monotonic()
        list(p2.map(steps, (given[number % len(given)] for number in range(count)), on=BUNDLE, name="bench"))
        return CLOCK.monotonic() - started
