"""What is larger than memory, on disk: tables as mapped Arrow, matrices as mapped arrays (requirement 004).

A file is written once, mapped, and loses its name at once: the space is given back when nobody maps it any more, also
after a crash. Mapped pages are the kernel's to drop, so they count against no memory limit.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.errors import UsageError

LARGE_BYTES = 256 << 20
"""Values from here on are not held in memory: tables are converted to a mapped file, matrices are worked on by rows."""
BLOCK_BYTES = 16 << 20
GATHERED_BYTES = 2 << 20
"""Of the batches of a table on disk, at least; the last one is smaller."""
ALIGNED_BYTES = 64
"""Where an array begins in a file of several."""
SPILLED_BYTES_MAX = 64 << 30
FREE_BYTES_MIN = 1 << 30
"""What a conversion must leave free on the disk."""


def table(schema: Any, batches: Iterable[Any]) -> Any:
    """A mapped pyarrow.Table of record batches, which are looked at one at a time.

    Raises:
        UsageError: they do not fit on the disk, or are more than 64 GiB.
    """
    arrow = import_module("pyarrow")
    path = _fresh()
    try:
        with arrow.OSFile(str(path), "wb") as file, arrow.ipc.new_file(file, _plain(schema)) as writer:
            for batch in _gathered(schema, batches):
                check_room(path.parent, file.tell(), batch.nbytes)
                writer.write_batch(batch)
        arrow.default_memory_pool().release_unused()
        return arrow.ipc.open_file(arrow.memory_map(str(path))).read_all()
    finally:
        path.unlink()


def _plain(schema: Any) -> Any:
    """Categories as their values: each piece of a file may number its own, and a mapped file has room for one list."""
    arrow = import_module("pyarrow")
    for place, field in enumerate(schema):
        if arrow.types.is_dictionary(field.type):
            schema = schema.set(place, field.with_type(field.type.value_type))
    return schema


def _gathered(schema: Any, batches: Iterable[Any]) -> Iterator[Any]:
    """Small batches together: to map a table, the beginning of each batch is looked at, and brings its pages along."""
    held, size = [], 0
    for batch in batches:
        held.append(batch)
        size += batch.nbytes
        if size >= GATHERED_BYTES:
            yield from _together(schema, held)
            held, size = [], 0
    yield from _together(schema, held)


def _together(schema: Any, held: list[Any]) -> Iterator[Any]:
    table, plain = import_module("pyarrow").Table.from_batches(held, schema), _plain(schema)
    whole = table if plain is schema else table.cast(plain)
    yield from whole.combine_chunks().to_batches()


def matrix(columns: int, rows: Iterable[NDArray[Any]], dtype: Any = float) -> NDArray[Any]:
    """A mapped matrix of blocks of rows that come one at a time, read-only; float64, or of another dtype.

    Raises:
        UsageError: they do not fit on the disk, or are more than 64 GiB.
    """
    path = _fresh()
    try:
        with path.open("r+b") as file:
            for block in rows:
                check_room(path.parent, file.tell(), block.nbytes)
                file.write(np.ascontiguousarray(block, dtype=dtype).reshape(-1).view(np.uint8).data)
            count = file.tell() // (np.dtype(dtype).itemsize * columns)
        return np.memmap(path, dtype, "r", shape=(count, columns)) if count else np.empty((0, columns), dtype)
    finally:
        path.unlink()


def together(values: Iterable[NDArray[Any]], count: int) -> list[NDArray[Any]]:
    """So many arrays that come one at a time: held, or where they are more than memory is for, mapped, read-only."""
    coming = iter(values)
    first = next(coming, None)
    if first is None:
        return []
    whole = chain((first,), coming)
    return list(whole) if first.nbytes * count < LARGE_BYTES else _arrays(whole)


def _arrays(values: Iterable[NDArray[Any]]) -> list[NDArray[Any]]:
    path, about = _fresh(), []
    try:
        with path.open("r+b") as file:
            for one in values:
                check_room(path.parent, file.tell(), one.nbytes)
                file.write(bytes(-file.tell() % ALIGNED_BYTES))
                about.append((one.shape, one.dtype, file.tell()))
                file.write(np.ascontiguousarray(one).reshape(-1).view(np.uint8).data)
            size = file.tell()
        mapped = np.memmap(path, np.uint8, "r", shape=(size,)) if size else np.empty(0, np.uint8)
        return [np.ndarray(shape, dtype, mapped, start) for shape, dtype, start in about]
    finally:
        path.unlink()


def file_of(values: Any) -> Path | None:
    """The file that an array is mapped from, also where it is a view of one; None for one in memory."""
    while isinstance(values, np.ndarray):
        if isinstance(values, np.memmap) and values.filename is not None:
            return Path(str(values.filename))
        values = values.base
    return None


def is_large(values: NDArray[Any]) -> bool:
    """Whether values are worked on by blocks of rows, as float64."""
    return values.size * 8 >= LARGE_BYTES


def changed(values: NDArray[Any], change: Callable[[NDArray[Any]], NDArray[Any]], columns: int) -> NDArray[Any]:
    """What becomes of a matrix by a change that looks at each row alone: in memory, or mapped where it is large."""
    return matrix(columns, map(change, blocks(values))) if is_large(values) else change(values)


def blocks(values: NDArray[Any], rows: int = 0) -> Iterator[NDArray[Any]]:
    """A matrix by rows: views of so many each, or of about 16 MiB."""
    step = rows or max(1, BLOCK_BYTES // max(1, values.nbytes // max(1, len(values))))
    for start in range(0, len(values), step):
        yield values[start : start + step]


def dense(sparse: Any) -> NDArray[Any]:
    """A sparse matrix of scipy in full: in memory, or mapped where it is large then.

    Raises:
        UsageError: it does not fit on the disk then, or is more than 64 GiB.
    """
    rows = sparse.tocsr() if len(sparse.shape) > 1 else sparse
    size = int(np.prod(rows.shape, dtype=object)) * rows.dtype.itemsize
    if size < LARGE_BYTES or len(rows.shape) == 1:
        check_room(Path(tempfile.gettempdir()), 0, size)
        return np.asarray(rows.toarray())
    step = max(1, BLOCK_BYTES // max(1, rows.shape[1] * rows.dtype.itemsize))
    check_room(Path(tempfile.gettempdir()), 0, size)
    parts = (rows[start : start + step].toarray() for start in range(0, rows.shape[0], step))
    return matrix(rows.shape[1], parts, rows.dtype)


def check_room(folder: Path, written: int, coming: int = 0) -> None:
    """Refuse what is too much.

    Raises:
        UsageError: more than 64 GiB, or the disk would be nearly full.
    """
    if written + coming > SPILLED_BYTES_MAX:
        raise UsageError(
            f"This data takes more than {SPILLED_BYTES_MAX >> 30} GiB when unpacked; divide it, or choose columns."
        )
    if shutil.disk_usage(folder).free - coming < FREE_BYTES_MIN:
        raise UsageError(f"{folder} has too little room for this data: it is larger than memory and is unpacked there.")


def _fresh() -> Path:
    handle, name = tempfile.mkstemp(prefix="plotter2-", suffix=".spill")
    os.close(handle)
    return Path(name)
