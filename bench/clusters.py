"""PCA(8) and KMeans(8) over many bundles: the SDK and all behind it, beside bare joblib and Dask."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

import plotter2
from bench.report import Measure, note
from plotter2.clock import SystemClock

CLOCK = SystemClock()
ROWS, COLUMNS, K = 20_000, 32, 8
PACKAGE = '{"data": {"points": {"path": "points.npy", "type": "matrix"}}}'
PARENT = "bench/clusters"


def points(number: int) -> np.ndarray:
    """The data of one bundle: 8 clouds that overlap, float64."""
    chance = np.random.default_rng(number)
    centres = chance.normal(size=(K, COLUMNS)) * 2
    return centres[chance.integers(0, K, ROWS)] + chance.normal(size=(ROWS, COLUMNS))


def bare(path: str) -> float:
    """The same by scikit-learn alone, on the mapped file."""
    decomposition, cluster = import_module("sklearn.decomposition"), import_module("sklearn.cluster")
    placed = decomposition.PCA(K, random_state=0).fit_transform(np.load(path, mmap_mode="r"))
    return float(cluster.KMeans(K, random_state=0).fit(placed).inertia_)


def clusters(home: Path, work: Path, workers: int, count: int) -> Iterator[Measure]:
    """Bundles/s, each a run of a pipeline of its own definition; everybody has seen the data once before."""
    note(f"pca and kmean over {count} bundles of {ROWS} x {COLUMNS}")
    paths = _written(work / "clusters", count)
    with plotter2.connect(home=home) as p2:
        for number, path in enumerate(paths):
            p2.push(path.parent, f"{PARENT}/b{number}")
        _ours(p2, count, K - 1)
        ours = _ours(p2, count, K)
    yield Measure(
        "clusters", count / ours, "bundles/s", f"joblib, {workers} processes", count / _joblib(paths, workers)
    )
    yield Measure("clusters", count / ours, "bundles/s", f"Dask, {workers} processes", count / _dask(paths, workers))


def _written(folder: Path, count: int) -> list[Path]:
    paths = [folder / str(number) / "points.npy" for number in range(count)]
    for number, path in enumerate(paths):
        path.parent.mkdir(parents=True)
        np.save(path, points(number))
        (path.parent / "package.json").write_text(PACKAGE)
    return paths


def _ours(p2: Any, count: int, k: int) -> float:
    steps = [["access", "points"], ["pca", k], ["kmean", k]]
    started = CLOCK.monotonic()
    for future in [p2.submit(steps, f"{PARENT}/b{number}") for number in range(count)]:
        future.result()
    return CLOCK.monotonic() - started


def _joblib(paths: list[Path], workers: int) -> float:
    joblib = import_module("joblib")
    with joblib.Parallel(n_jobs=workers) as parallel:
        parallel(joblib.delayed(bare)(str(path)) for path in paths)
        started = CLOCK.monotonic()
        parallel(joblib.delayed(bare)(str(path)) for path in paths)
        return CLOCK.monotonic() - started


def _dask(paths: list[Path], workers: int) -> float:
    dask = import_module("dask")
    tasks = [dask.delayed(bare)(str(path)) for path in paths]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        dask.compute(*tasks, scheduler="processes", pool=pool)
        started = CLOCK.monotonic()
        dask.compute(*tasks, scheduler="processes", pool=pool)
        return CLOCK.monotonic() - started
