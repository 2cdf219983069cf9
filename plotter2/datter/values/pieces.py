"""Columns of Arrow that are larger than memory and lie in many pieces, as one mapped array (requirement 004)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.values import spill

NUMERIC = frozenset("iufcbMm")
"""What numpy calls the kinds of numbers, truth values, times and spans of time."""


def is_spilled(table: Any, column: Any) -> bool:
    """Whether a column of numbers, truth values or times is more than memory is for, and lies in pieces.

    It counts together with the others of its pyarrow.Table, as they are mostly looked at one after the other.
    """
    least = min(spill.BLOCK_BYTES, spill.LARGE_BYTES)
    is_large = column.num_chunks > 1 and column.nbytes >= least and table.nbytes >= spill.LARGE_BYTES
    return is_large and kind(column) in NUMERIC


def kind(column: Any) -> str:
    """What numpy calls the kind of a column of numbers or times; "O" for any other."""
    try:
        return str(np.dtype(column.type.to_pandas_dtype()).kind)
    except (NotImplementedError, TypeError):
        return "O"


def mapped(column: Any) -> NDArray[Any]:
    """A column as one mapped array, read-only; whole numbers of which some are missing as float64."""
    has_gaps = column.null_count and kind(column) in "iu"
    dtype = np.dtype(float) if has_gaps else column.chunk(0).slice(0, 0).to_numpy(zero_copy_only=False).dtype
    pieces = (one.to_numpy(zero_copy_only=False).astype(dtype, copy=False)[:, None] for one in column.chunks)
    return spill.matrix(1, pieces, dtype).reshape(-1)
