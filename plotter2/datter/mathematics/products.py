"""Products of floats whose powers of two are kept apart: nothing on the way is too large or too small (pure).

Definition: x = m 2^e with m between 1/2 and 1; the product of the m, pair by pair, times 2 to the sum of the e.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

EASY_BITS = 1_000
"""Products whose size cannot leave so many powers of two are multiplied as they are."""
EXPONENT_MAX = 1 << 14
"""Beyond these powers of two everything is infinite, or zero."""


def product(values: NDArray[Any], axis: int | None = None) -> Any:
    """All floats, or complex numbers, multiplied, or those along an axis."""
    if _is_easy(values, values.size if axis is None else values.shape[axis]):
        return np.prod(values, axis=axis)
    flat, place = (values.ravel(), 0) if axis is None else (values, axis)
    return whole(*apart(np.moveaxis(flat, place, 0)))


def apart(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The product along the first axis, as a number around 1 and a power of two."""
    parts, powers = _split(values)
    total = powers.sum(axis=0)
    while len(parts) > 1:
        odd = parts[-1:] if len(parts) % 2 else parts[:0]
        with np.errstate(invalid="ignore"):  # infinite times nothing
            parts, powers = _split(parts[0 : len(parts) - len(odd) : 2] * parts[1::2])
        total = total + powers.sum(axis=0)
        parts = np.concatenate([parts, odd])
    return parts[0], total


def whole(parts: NDArray[Any], powers: NDArray[Any]) -> NDArray[Any]:
    """Numbers times powers of two; beyond the largest float infinite."""
    bounded = np.clip(powers, -EXPONENT_MAX, EXPONENT_MAX).astype(np.int32)
    return _scaled(parts, bounded)


def _is_easy(values: NDArray[Any], count: int) -> bool:
    sizes = np.abs(values) if values.dtype.kind == "f" else np.maximum(np.abs(values.real), np.abs(values.imag))
    with np.errstate(divide="ignore"):
        bits = np.log2(np.array([sizes.max(), np.min(sizes, initial=np.inf, where=sizes > 0)]))
    return bool((np.abs(bits[np.isfinite(bits)]) * count < EASY_BITS).all())


def _split(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    sizes = values if values.dtype.kind == "f" else np.maximum(np.abs(values.real), np.abs(values.imag))
    powers = np.frexp(sizes)[1].astype(np.int64)
    return _scaled(values, -powers), powers


def _scaled(values: NDArray[Any], powers: NDArray[Any]) -> NDArray[Any]:
    small = powers.astype(np.int32)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if values.dtype.kind != "c":
            return np.asarray(np.ldexp(values, small))
        found = np.empty(np.shape(values), complex)
        found.real, found.imag = np.ldexp(values.real, small), np.ldexp(values.imag, small)
    return found
