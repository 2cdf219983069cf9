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


def resolution(count: int) -> Iterator[Measure]:
    """First everything from nothing, then again after each push, beside a bare walk over the same tree."""
    catalog = Catalog()
    bonds = Bonds(catalog)
    _put(catalog, "x", HEADS)
    for number in range(count):
        group, place = divmod(number, GROUP)
        _put(catalog, f"x/g{group}" if place == 0 else f"x/g{group}/b{place}", HEADS)
    start = time.perf_counter()
    bonds.below("x")
    first = time.perf_counter() - start
    taken, walks = [], []
    for number in range(ROUNDS):
        _put(catalog, f"x/new{number}", HEADS - 1)
        start = time.perf_counter()
        list(catalog.below("x"))
        walked = time.perf_counter()
        bonds.below("x")
        walks.append(walked - start)
        taken.append(time.perf_counter() - walked)
    walk = percentile(walks, 0.5)
    yield Measure("links_first", first, "s", "a walk over the tree", walk)
    yield Measure("links_after_a_push", percentile(taken, 0.5), "s", "a walk over the tree", walk)


def _put(catalog: Catalog, path: str, heads: int) -> None:
    head = {"function": "m.py:f", "params": {"x": TYPE}, "returns": TYPE}
    package = json.dumps({"heads": {f"h{number}": head for number in range(heads)}})
    catalog.put(BundleVersion(BundlePath(path), 1, b"", 1, 1, Instant(0.0), package_json=package))
