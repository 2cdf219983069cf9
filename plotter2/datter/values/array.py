"""Array: numpy's own, with the four ways to other libraries that tables, points and groups have too.

What files hold, columns of tables and what mathematics gives are such arrays, and so is what is computed with them.
Series (one axis) become series, matrices (two axes) frames of the columns `column 0`, `column 1`, ...
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from plotter2.errors import UsageError

SERIES, MATRIX = 1, 2
BEGINNING = "column"


class Array(np.ndarray):
    """An array of numpy that leads to pandas, polars and Arrow; everything else is as numpy has it."""

    __slots__ = ()

    def to_numpy(self) -> NDArray[Any]:
        """The same memory as an array of numpy's own type."""
        return np.asarray(self)

    def to_arrow(self) -> Any:
        """A pyarrow.Array of a series, a pyarrow.Table of a matrix; the same memory where its values are side by side.

        Raises:
            UsageError: it has more than two axes, or holds complex numbers.
        """
        plain = self._plain("Arrow")
        arrow = import_module("pyarrow")
        if plain.dtype.kind == "c":
            raise UsageError("Arrow has no type for complex numbers; take their .real and .imag.")
        if plain.ndim == SERIES:
            return arrow.array(plain.astype(object) if plain.dtype.kind in "US" else plain)
        return arrow.table({name: plain[:, place] for place, name in enumerate(self._names)})

    def to_pandas(self) -> Any:
        """A pandas.Series of a series, a pandas.DataFrame of a matrix: the same memory (pandas must be installed).

        Raises:
            UsageError: it has more than two axes, or pandas is not installed.
        """
        plain = self._plain("pandas")
        pandas = import_module(_EXCHANGE).needed("pandas")
        if plain.ndim == SERIES:
            return pandas.Series(plain, copy=False)
        return pandas.DataFrame(plain, columns=self._names, copy=False)

    def to_polars(self) -> Any:
        """A polars.Series of a series, a polars.DataFrame of a matrix (polars must be installed).

        Raises:
            UsageError: it has more than two axes, holds complex numbers, or polars is not installed.
        """
        found = self.to_arrow()
        return import_module(_EXCHANGE).needed("polars").from_arrow(found)

    @property
    def _names(self) -> list[str]:
        return [f"{BEGINNING} {place}" for place in range(self.shape[1])]

    def _plain(self, where: str) -> NDArray[Any]:
        """Numpy's own, in this machine's order of bytes and a width that others have."""
        if self.ndim not in {SERIES, MATRIX}:
            raise UsageError(
                f"{where} holds series and frames, not {self.ndim} axes; take a part, a[0], or a.reshape(len(a), -1)."
            )
        found = np.asarray(self)
        wide = {"g": float, "G": complex}.get(found.dtype.char)
        return found.astype(wide or found.dtype.newbyteorder("="), copy=False)

    @override
    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        made = super().__array_wrap__(array, context)
        return made[()] if return_scalar and made.ndim == 0 else made


_EXCHANGE = "plotter2.datter.values.exchange"
"""Imported when it is first needed: it needs tables, whose columns are such arrays."""


def array(value: Any) -> Any:
    """An array of numpy as ours, over the same memory; anything else, and single values, as they are."""
    is_array = isinstance(value, np.ndarray) and not isinstance(value, Array | np.ma.MaskedArray | np.matrix)
    return value.view(Array) if is_array and value.ndim else value


def bare(value: Any) -> NDArray[Any]:
    """The array that a value is for numpy; what a mask hides is missing: NaN, of times NaT, of others None."""
    array = np.asarray(value)
    mask = np.ma.getmaskarray(value) if isinstance(value, np.ma.MaskedArray) and array.dtype.names is None else None
    if mask is None or not mask.any():
        return array
    kind = array.dtype.kind
    if kind in "mM":
        return np.where(mask, np.array("NaT", array.dtype), array)
    if kind in "iufcb":
        return np.where(mask, np.nan, array)
    found = array.astype(object)
    found[mask] = None
    return found
