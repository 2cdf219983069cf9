"""`python -m bench [NAME ...] [--shrink N] [--workers N] [--home DIR]`: one JSON line a measure on stdout."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench import access, children, clusters, ingest, instances, links, memo, plots, registry, search, tasks
from bench.installation import running
from bench.report import Measure, show

NAMES = (
    "tasks", "latency", "large", "small", "again", "plots", "pipelines", "children", "search", "links", "access",
    "clusters", "memo", "instances",
)  # fmt: skip
ASKED = ("registry",)
"""Measured only when they are asked for by name: they take longer than all others."""
WRITING = {"registry", "search"}
TASKS = 20_000
CALLS = 1_000
LARGE_BYTES = 1 << 30
SMALL_FILES = 4_000
AGAIN_FILES = 2_000
PLOTS = 200
PIPELINES = 2_000
CHILDREN = 1_000
RUNS = 10_000
BUNDLES = 10_000
INSTANCES = 10_000
SEARCHES = 200
REGISTERED = 100_000
CLUSTERED = 64
ASKED_AGAIN = 200
ARRAY_BYTES = 1 << 30


def main() -> None:
    """Measure what was picked, on a fresh installation or on one that runs."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"which: {', '.join(NAMES)} (default: all of these), {', '.join(ASKED)}",
    )
    parser.add_argument("--shrink", type=float, default=1.0, help="do so many times less, for a quick look")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--home", type=Path, help="use the installation that runs there")
    parser.add_argument("--dir", type=Path, help="where the scratch directory goes (default: the system's)")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in NAMES + ASKED]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(NAMES + ASKED)}")
    for name in sorted(WRITING & set(given.names) if given.home else ()):
        parser.error(f"{name} writes runs that never were, so it needs an installation of its own: leave --home out")
    work = Path(tempfile.mkdtemp(prefix="plotter2-bench-", dir=given.dir))
    try:
        with ExitStack() as stack:
            home = given.home or stack.enter_context(running(work / "home", given.workers))
            for measure in measures(given, home, work):
                show(measure, home)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def measures(given: argparse.Namespace, home: Path, work: Path) -> Iterator[Measure]:
    """Every measure picked, in the order of NAMES and ASKED."""
    picked = [name for name in NAMES if not (given.home and name in WRITING)]
    if given.names:
        picked = [name for name in NAMES + ASKED if name in given.names]

    def less(count: int) -> int:
        return max(1, int(count / given.shrink))

    if {"plots", "pipelines"} & set(picked):
        plots.prepare(home, work)
    each = {
        "tasks": lambda: tasks.throughput(home, given.workers, less(TASKS)),
        "latency": lambda: tasks.latency(home, given.workers, less(CALLS)),
        "large": lambda: ingest.large(home, work, less(LARGE_BYTES)),
        "small": lambda: ingest.small(home, work, less(SMALL_FILES)),
        "again": lambda: ingest.again(home, work, less(AGAIN_FILES)),
        "plots": lambda: plots.plots(home, work, given.workers, less(PLOTS)),
        "pipelines": lambda: plots.pipelines(home, given.workers, less(PIPELINES)),
        "children": lambda: children.registered(work, less(CHILDREN)),
        "instances": lambda: instances.parked(work, less(INSTANCES)),
        "links": lambda: links.resolution(less(BUNDLES)),
        "access": lambda: access.access(home, work, less(ARRAY_BYTES)),
        "clusters": lambda: clusters.clusters(home, work, given.workers, less(CLUSTERED)),
        "memo": lambda: memo.memo(home, work, less(ASKED_AGAIN)),
        "search": lambda: search.search(home, less(RUNS), SEARCHES),
        "registry": lambda: registry.registry(home, less(REGISTERED)),
    }
    for name in picked:
        yield from each[name]()


if __name__ == "__main__":
    main()
