"""Deliveries for tests."""

from blake3 import blake3

from plotter2.clock import Instant
from plotter2.model import manifest
from plotter2.model.bundle import BundleVersion, FileEntry
from plotter2.model.delivery import Order
from plotter2.model.paths import BundlePath
from plotter2.testing.ids import SeededIds
from stager.deliveries import Receipt

IDS = SeededIds(7)
PAPER = manifest.write("ada", Instant(1.7e9), {})


def order(bundle: str = "b", **contents: bytes) -> Order:
    entries = [FileEntry(name, len(data), blake3(data).digest()) for name, data in (contents or {"a": b"a"}).items()]
    return Order(IDS.delivery(), BundlePath(bundle), PAPER, tuple(entries))


def receipt(bundle: str = "b") -> Receipt:
    return Receipt(BundleVersion(BundlePath(bundle), 1, b"\1" * 32, 1, 1), "req-1", is_new=True)
