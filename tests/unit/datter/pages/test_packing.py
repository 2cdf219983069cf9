"""Arrays as a page carries them."""

from __future__ import annotations

import base64
import gzip

import numpy as np
import pytest

from plotter2.datter.pages import packing


@pytest.mark.parametrize("count", [0, 3, packing.KNOWN_BYTES_MAX])
def test_what_is_packed_can_be_unpacked(count: int) -> None:
    values = np.arange(count, dtype=np.float32)[::-1]
    found = packing.packed(values)
    raw = gzip.decompress(base64.b64decode(found["array"]["data"]))
    assert (found["dtype"], found["shape"]) == ("float32", [count])
    np.testing.assert_array_equal(np.frombuffer(raw, np.float32), values)


def test_what_many_figures_share_is_packed_once() -> None:
    first, again = (packing.packed(np.arange(1_000.0))["array"]["data"] for _ in range(2))
    assert first is again
