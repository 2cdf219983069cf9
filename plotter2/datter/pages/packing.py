"""Arrays in the JSON form that BokehJS reads: compressed bytes, type and shape (pure)."""

from __future__ import annotations

import base64
import gzip
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

KNOWN_MAX, KNOWN_BYTES_MAX = 64, 1 << 15
"""So many small arrays are kept as they were packed, and what is small: instances of a tree draw the same ones."""


def packed(array: NDArray[Any]) -> dict[str, Any]:
    """An array in Bokeh's JSON form."""
    plain = np.ascontiguousarray(array)
    return {
        "type": "ndarray",
        "array": {"type": "bytes", "data": (_known if plain.nbytes <= KNOWN_BYTES_MAX else _zipped)(plain.tobytes())},
        "dtype": str(plain.dtype),
        "shape": list(plain.shape),
        "order": "little",
    }


def _zipped(raw: bytes) -> str:
    return base64.b64encode(gzip.compress(raw, 1, mtime=0)).decode()


_known = lru_cache(maxsize=KNOWN_MAX)(_zipped)
