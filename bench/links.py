"""How long it takes to find out anew what ten thousand bundles link of what one above them does."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from bench.report import Measure, percentile
from manager.bonds import Bonds
from manager.catalog import Catalog
from plotter2.clock import Instant
from plotter2.model.bundle import BundleVersion
from plotter2.model.paths import BundlePath

GROUP = 100
HEADS = 5
ROUNDS = 20
TYPE = "vector[float64, 3]"
LIMIT = "a walk over the tree"


def resolution(count: int) -> Iterator[Measure]:
    """From nothing; then after a push of a new bundle, and of the one on top, which makes everything old."""
    catalog = Catalog()
    bonds = Bonds(catalog)
    _put(catalog, "x", HEADS)
    for number in range(count):
        group, place = divmod(number, GROUP)
        _put(catalog, f"x/g{group}" if place == 0 else f"x/g{group}/b{place}", HEADS)
    start = time.perf_counter()
    bonds.below("x")
    first = time.perf_counter() - start
    taken: dict[str, list[float]] = {"links_after_a_push": [], "links_after_a_push_on_top": []}
    walks = []
    for number in range(ROUNDS):
        for name, path in zip(taken, (f"x/new{number}", "x"), strict=True):
            _put(catalog, path, HEADS - 1 - number % 2)
            start = time.perf_counter()
            bonds.below("x")
            taken[name].append(time.perf_counter() - start)
        start = time.perf_counter()
        list(catalog.below("x"))
        walks.append(time.perf_counter() - start)
    walk = percentile(walks, 0.5)
    yield Measure("links_first", first, "s", LIMIT, walk)
    for name, times in taken.items():
        yield Measure(name, percentile(times, 0.5), "s", LIMIT, walk)


def _put(catalog: Catalog, path: str, heads: int) -> None:
    head = {"function": "m.py:f", "params": {"x": TYPE}, "returns": TYPE}
    package = json.dumps({"heads": {f"h{number}": head for number in range(heads)}})
    catalog.put(BundleVersion(BundlePath(path), 1, b"", 1, 1, Instant(0.0), package_json=package))
