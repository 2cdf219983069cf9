"""npy and npz into numpy arrays that nobody can write to: large ones are memory-mapped, none is unpickled."""

from __future__ import annotations

import io
import warnings
import zipfile
from functools import lru_cache
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.loading.packed import Source, limited, stream
from plotter2.datter.values.incoming import fields
from plotter2.datter.values.keys import stem
from plotter2.datter.values.table import Table

MAPPED_BYTES_MIN = 1 << 20
"""Smaller arrays are read: each map holds a file open, and a group may have ten thousand members."""
HEADER_BYTES_MAX = 1 << 20
HEADERS_MAX = 256
"""So many different headers are remembered: files of one kind mostly have the same."""
_LOCAL_HEADER_BYTES = 30


def read_npy(source: Source, name: str) -> Any:
    """The array of a file; mapped read-only from 1 MiB on, a .npz as `read_npz` says; of named fields a table."""
    if isinstance(source, Path) and name.endswith(".npz"):
        return read_npz(source, name)
    with stream(source) as file:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        shape, is_fortran, dtype = _header(file, size)
        if isinstance(source, Path) and size >= MAPPED_BYTES_MIN and 0 not in shape:
            return _fields(np.memmap(source, dtype, "r", file.tell(), shape, "F" if is_fortran else "C"), name)
        return _fields(_read(file, shape, is_fortran=is_fortran, dtype=dtype), name)


def _fields(array: NDArray[Any], name: str) -> Any:
    """Rows of named fields as a table, whose columns are views; other arrays as they are."""
    if array.dtype.names is None or array.ndim != 1:
        return array
    return Table(dict(fields(array, "")), name=stem(name))


def _header(file: IO[bytes], size: int) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """What a .npy says of itself: shape, order and dtype; the file stands at its first value then.

    Raises:
        ValueError: it is none, holds objects, or says that it is larger than it is.
    """
    try:
        version = np.lib.format.read_magic(file)
        length = file.read(2 if version == (1, 0) else 4)
        text = file.read(min(int.from_bytes(length, "little"), HEADER_BYTES_MAX))
        shape, is_fortran, dtype = _said(version, length + text)
    except (SyntaxError, TokenError, TypeError, OverflowError, RecursionError):  # it is read as a piece of Python
        raise ValueError("its header is broken") from None
    if dtype.hasobject:
        raise ValueError("it holds objects of Python, which are never unpickled")
    wanted = prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or wanted > size - file.tell():
        raise ValueError(f"its header says {wanted} bytes of values, and {size - file.tell()} are there")
    return shape, is_fortran, dtype


@lru_cache(HEADERS_MAX)
def _said(version: tuple[int, int], header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """A header, read once for all files that have the same: it is a piece of Python, which takes longer than the data.

    Raises:
        ValueError: it is none; and what reading a broken piece of Python raises.
    """
    layout = np.lib.format
    reader = layout.read_array_header_1_0 if version == (1, 0) else layout.read_array_header_2_0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a header that Python 2 wrote says as much
        return reader(io.BytesIO(header))


def _read(file: IO[bytes], shape: tuple[int, ...], *, is_fortran: bool, dtype: np.dtype[Any]) -> NDArray[Any]:
    values = np.frombuffer(file.read(prod(shape) * dtype.itemsize), dtype)
    array = values.reshape(shape, order="F" if is_fortran else "C")
    array.flags.writeable = False
    return array


def read_npz(source: Source, _: str) -> Any:
    """A dictionary of arrays, or the array itself when there is one; mapped where they are not compressed."""
    with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
        arrays = {}
        for member in archive.infolist():
            is_stored = member.compress_type == zipfile.ZIP_STORED and not isinstance(source, bytes)
            is_mapped = is_stored and member.file_size >= MAPPED_BYTES_MIN
            loaded = _mapped(source, member) if is_mapped and isinstance(source, Path) else None
            if loaded is None:
                with archive.open(member) as file:
                    loaded = read_npy(limited(file), member.filename)
            arrays[member.filename.removesuffix(".npy")] = loaded
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays


def _mapped(path: Path, member: zipfile.ZipInfo) -> Any:
    with path.open("rb") as file:
        file.seek(member.header_offset)
        header = file.read(_LOCAL_HEADER_BYTES)
        file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
        shape, is_fortran, dtype = _header(file, file.tell() + member.file_size)
        if 0 in shape:
            return None
        return _fields(np.memmap(path, dtype, "r", file.tell(), shape, "F" if is_fortran else "C"), member.filename)
