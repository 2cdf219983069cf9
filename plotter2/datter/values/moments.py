"""What Python itself has for spans of time and times of any day, in the columns of a table (pure)."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray


def is_clock(values: NDArray[Any]) -> bool:
    """Whether these are Python's times of a day; the first one that is there tells of all."""
    return values.dtype.kind == "O" and isinstance(next((one for one in values.flat if one is not None), None), time)


def as_spans(values: NDArray[Any]) -> NDArray[Any]:
    """Python's spans of time, of which some may be missing, as numpy's; anything else as it is."""
    if values.dtype.kind != "O" or not any(isinstance(one, timedelta) for one in values.flat):
        return values
    is_whole = all(one is None or isinstance(one, timedelta) for one in values.flat)
    return np.asarray(values, "timedelta64[us]") if is_whole else values
