"""parquet, feather and Arrow (files and streams) into tables; mapped where they are not packed, else converted once.

What is small when unpacked is held in memory; from `spill.LARGE_BYTES` on it is written once as plain Arrow and mapped.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from plotter2.datter.loading.packed import Source, stream
from plotter2.datter.values import spill
from plotter2.datter.values.keys import stem
from plotter2.datter.values.table import Table

CHECKED_BYTES_MAX = 64 << 20
ROWS_EACH = 64 << 10


def read_parquet(source: Source, name: str) -> Table:
    """The table of a parquet file."""
    module = import_module("pyarrow.parquet")
    if isinstance(source, bytes):
        return Table(module.read_table(stream(source)), name=stem(name))
    file = module.ParquetFile(source, memory_map=True)
    about = file.metadata
    size = sum(about.row_group(place).total_byte_size for place in range(about.num_row_groups))
    if size < spill.LARGE_BYTES:
        return Table(file.read(), name=stem(name))
    return Table(spill.table(file.schema_arrow, file.iter_batches(ROWS_EACH)), name=stem(name))


def read_arrow(source: Source, name: str) -> Table:
    """The table of an Arrow file (feather of either version) or of an Arrow stream."""
    arrow = import_module("pyarrow")
    whole = arrow.py_buffer(source) if isinstance(source, bytes) else arrow.memory_map(str(source)).read_buffer()
    start = whole.slice(0, min(6, whole.size)).to_pybytes()
    if start.startswith(b"FEA1"):
        return Table(import_module("pyarrow.feather").read_table(arrow.BufferReader(whole)), name=stem(name))
    if start != b"ARROW1":
        return Table(_valid(arrow.ipc.open_stream(whole).read_all()), name=stem(name))
    reader = arrow.ipc.open_file(whole)
    if isinstance(source, Path) and _is_large(reader, whole):
        return Table(spill.table(reader.schema, _batches(reader)), name=stem(name))
    return Table(_valid(reader.read_all()), name=stem(name))


def _valid(table: Any) -> Any:
    """The table, whose offsets lead nowhere else: looked at in full up to 64 MiB, at their ends beyond.

    Raises:
        ValueError: they do, so the file is broken.
    """
    table.validate(full=table.nbytes <= CHECKED_BYTES_MAX)
    return table


def _batches(reader: Any) -> Iterator[Any]:
    return (reader.get_batch(place) for place in range(reader.num_record_batches))


def _is_large(reader: Any, whole: Any) -> bool:
    """Whether batches are packed, and more than memory is for: what is not packed lies in the mapped file itself."""
    count = reader.num_record_batches
    first = reader.get_batch(0) if count else None
    if first is None or first.nbytes * count < spill.LARGE_BYTES:
        return False
    places = [buffer.address for column in first.columns for buffer in column.buffers() if buffer is not None]
    return not all(whole.address <= place < whole.address + whole.size for place in places)
