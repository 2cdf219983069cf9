"""Files into values: csv, tsv, json, jsonl, npy, npz, parquet, feather, text, and these inside gzip or zip.

Arrays are memory-mapped read-only. Nothing is ever unpickled. What had to be repaired or left out is said in the
value's notes; what cannot be read is refused with the file's name and the reason.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.keys import PACKED, nearest, stem
from plotter2.datter.table import Table
from plotter2.errors import UsageError

TEXT_BYTES_MAX = 16 << 20
UNPACKED_BYTES_MAX = 2 << 30
"""Of one file inside gzip or zip, which is unpacked into memory."""
NULLS = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "#N/A"]
_LOCAL_HEADER_BYTES = 30
HEAD_BYTES = 64 << 10
MAPPED_BYTES_MIN = 1 << 20
"""Smaller arrays are read: each map holds a file open, and a group may have ten thousand members."""


def load_file(path: Path, name: str, kind: str = "") -> Any:
    """The value of one file.

    Args:
        path: where it lies; its name there means nothing.
        name: its path in the bundle, which says how it is written.
        kind: a declared type: a format (csv, json, ...), or table, matrix, text.

    Raises:
        UsageError: it cannot be read as what it says it is.
    """
    inner = PurePosixPath(name)
    packed = inner.suffix.lower() if inner.suffix.lower() in PACKED else ""
    ending = (inner.with_suffix("") if packed else inner).suffix.lower().lstrip(".")
    wanted = kind.lower() or ending
    written = _FORMATS.get(wanted) or _FORMATS.get(ending) or _read_text
    if kind and wanted not in _FORMATS and wanted not in _SHAPES:
        raise UsageError(f"{name}: there is no type {kind!r}; {nearest(wanted, [*_FORMATS, *_SHAPES])}.")
    try:
        value = written(_unpacked(path, packed) if packed else path, name)
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error, KeyError, EOFError) as wrong:
        reason = str(wrong).strip().splitlines()
        raise UsageError(f"{name} cannot be read as {ending or 'text'}: {reason[0] if reason else wrong}.") from None
    return _SHAPES[wanted](value, name) if wanted in _SHAPES else value


Source = Path | bytes


def _unpacked(path: Path, packed: str) -> bytes:
    if packed == ".gz":
        with gzip.open(path) as file:
            return _limited(file)
    with zipfile.ZipFile(path) as archive:
        members = [one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX")]
        if len(members) != 1:
            raise ValueError(f"the archive holds {len(members)} files; one is what can be read")
        with archive.open(members[0]) as file:
            return _limited(file)


def _limited(file: IO[bytes] | gzip.GzipFile) -> bytes:
    """What was packed, if memory is to hold it: a few kilobytes can become terabytes."""
    data = file.read(UNPACKED_BYTES_MAX + 1)
    if len(data) > UNPACKED_BYTES_MAX:
        raise ValueError(f"it unpacks to more than {UNPACKED_BYTES_MAX} bytes; send it unpacked")
    return data


def _bytes(source: Source) -> bytes:
    return source if isinstance(source, bytes) else source.read_bytes()


def _read_csv(source: Source, name: str, delimiter: str = "") -> Table:
    """Typed columns; a column of two kinds is text, rows with a wrong number of fields are left out."""
    content = _bytes(source)
    if not content.strip():
        raise ValueError("the file is empty")
    notes = []
    content = _without_remarks(content)
    delimiter = delimiter or _delimiter(content)
    table, ragged = _parsed_csv(content, delimiter)
    if any("binary" in str(kind) for kind in table.schema.types):
        table, ragged = _parsed_csv(content.decode("latin-1").encode(), delimiter)
        notes.append(f"{name}: it is not UTF-8 and was read as Latin-1.")
    heads = [str(one) for one in table.column_names]
    names = _distinct(heads)
    renamed = [new for new, old in zip(names, heads, strict=True) if new != old.strip()]
    if renamed:
        notes.append(f"{name}: columns without a name of their own are called {', '.join(renamed)}.")
    if names != heads:
        table = table.rename_columns(names)
    if ragged:
        notes.append(f"{name}: {ragged} rows with a wrong number of fields were left out.")
    return Table(table, name=stem(name), notes=notes)


def _without_remarks(content: bytes) -> bytes:
    """The content from its head on: lines before it that begin with # and are parted otherwise are remarks."""
    start = 0
    while content.startswith(b"#", start) and (end := content.find(b"\n", start)) >= 0:
        following = content[end + 1 : content.find(b"\n", end + 1)]
        delimiter = _delimiter(following).encode()
        if not following.startswith(b"#") and content.count(delimiter, start, end) == following.count(delimiter):
            break
        start = end + 1
    return content[start:]


def _distinct(names: list[str]) -> list[str]:
    """Names for all columns, each its own."""
    found: dict[str, None] = {}
    taken = set(names)
    for place, name in enumerate(names):
        wanted = name.strip() or f"column {place}"
        count = 1
        while wanted in found or (count > 1 and wanted in taken):
            count += 1
            wanted = f"{name.strip() or f'column {place}'} {count}"
        found[wanted] = None
    return list(found)


def _delimiter(content: bytes) -> str:
    """A comma; what else parts the first line, where that line has no comma."""
    head = content.lstrip()[:HEAD_BYTES].splitlines()[0]
    return next((one for one in (",", "\t", ";", "|") if one.encode() in head), ",")


def _parsed_csv(content: bytes, delimiter: str) -> tuple[Any, int]:
    csv, arrow = import_module("pyarrow.csv"), import_module("pyarrow")
    ragged: list[int] = []

    def skip(row: Any) -> str:
        ragged.append(row.number or 0)
        return "skip"

    table = csv.read_csv(
        arrow.BufferReader(content),
        parse_options=csv.ParseOptions(delimiter=delimiter, invalid_row_handler=skip),
        convert_options=csv.ConvertOptions(null_values=NULLS, strings_can_be_null=True, auto_dict_encode=True),
    )
    return table, len(ragged)


def _read_tsv(source: Source, name: str) -> Table:
    return _read_csv(source, name, "\t")


def _read_json(source: Source, name: str) -> Any:
    return _shaped(json.loads(_bytes(source)), name)


def _shaped(value: Any, name: str) -> Any:
    """Lists of records are tables, regular lists of numbers are arrays, all else stays as it is."""
    if isinstance(value, list) and value:
        if all(isinstance(one, dict) for one in value):
            return Table.of_rows(value, name=stem(name))
        try:
            array = np.asarray(value)
        except ValueError:
            return value
        return array if array.dtype.kind in "iuf" else value
    return value


def _read_jsonl(source: Source, name: str) -> Any:
    lines = [line for line in _bytes(source).splitlines() if line.strip()]
    values, notes = [], []
    for number, line in enumerate(lines, 1):
        try:
            values.append(json.loads(line))
        except json.JSONDecodeError:
            if number < len(lines):
                raise ValueError(f"line {number} is not JSON") from None
            notes.append(f"{name}: the last line is cut off and was left out.")
    if values and all(isinstance(one, dict) for one in values):
        return Table.of_rows(values, name=stem(name), notes=notes)
    return _shaped(values, name)


def _read_npy(source: Source, name: str) -> Any:
    if isinstance(source, bytes):
        return np.load(io.BytesIO(source), allow_pickle=False)
    if name.endswith(".npz"):
        return _read_npz(source, name)
    if source.stat().st_size < MAPPED_BYTES_MIN:
        array: NDArray[Any] = np.load(source, allow_pickle=False)
        array.flags.writeable = False
        return array
    try:
        return np.load(source, mmap_mode="r", allow_pickle=False)
    except ValueError as wrong:
        if "mmap" not in str(wrong):
            raise
        return np.load(source, allow_pickle=False)  # an array without elements cannot be mapped


def _read_npz(source: Source, _: str) -> Any:
    """A dictionary of arrays, or the array itself when there is one; mapped where they are not compressed."""
    with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
        arrays = {}
        for member in archive.infolist():
            is_mapped = member.compress_type == zipfile.ZIP_STORED and not isinstance(source, bytes)
            loaded = _mapped(source, member) if is_mapped and isinstance(source, Path) else None
            if loaded is None:
                with archive.open(member) as file:
                    loaded = np.load(io.BytesIO(_limited(file)), allow_pickle=False)
            arrays[member.filename.removesuffix(".npy")] = loaded
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays


def _mapped(path: Path, member: zipfile.ZipInfo) -> NDArray[Any] | None:
    with path.open("rb") as file:
        file.seek(member.header_offset)
        header = file.read(_LOCAL_HEADER_BYTES)
        file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
        version = np.lib.format.read_magic(file)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = reader(file)
        if dtype.hasobject or 0 in shape:
            return None
        return np.memmap(path, dtype, "r", file.tell(), shape, "F" if is_fortran else "C")


def _read_parquet(source: Source, name: str) -> Table:
    module = import_module("pyarrow.parquet")
    table = module.read_table(io.BytesIO(source)) if isinstance(source, bytes) else _mapped_parquet(module, source)
    return Table(table, name=stem(name))


def _mapped_parquet(module: Any, path: Path) -> Any:
    return module.ParquetFile(path, memory_map=True).read()


def _read_feather(source: Source, name: str) -> Table:
    arrow, feather = import_module("pyarrow"), import_module("pyarrow.feather")
    table = (
        feather.read_table(arrow.BufferReader(source))
        if isinstance(source, bytes)
        else feather.read_table(str(source), memory_map=True)
    )
    return Table(table, name=stem(name))


def _read_text(source: Source, name: str) -> str:
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size > TEXT_BYTES_MAX:
        raise ValueError(f"{name} has {size} bytes; at most {TEXT_BYTES_MAX} are read as text")
    return _bytes(source).decode(errors="replace")


def _as_table(value: Any, name: str) -> Table:
    if isinstance(value, Table):
        return value
    if isinstance(value, dict) and all(isinstance(one, list | np.ndarray) for one in value.values()):
        return Table(value, name=stem(name))
    if isinstance(value, np.ndarray) and value.ndim == 2:  # noqa: PLR2004 -- rows and columns
        return Table({f"column {place}": value[:, place] for place in range(value.shape[1])}, name=stem(name))
    if isinstance(value, str):
        return _read_csv(value.encode(), name)
    raise UsageError(f"{name} is declared a table, but it holds {type(value).__name__}.")


def _as_matrix(value: Any, name: str) -> NDArray[Any]:
    array = value.to_numpy() if isinstance(value, Table) else value
    if not isinstance(array, np.ndarray):
        raise UsageError(f"{name} is declared a matrix, but it holds {type(value).__name__}.")
    return array


_FORMATS: dict[str, Callable[[Source, str], Any]] = {
    "csv": _read_csv, "tsv": _read_tsv, "json": _read_json, "jsonl": _read_jsonl, "ndjson": _read_jsonl,
    "npy": _read_npy, "npz": _read_npz, "parquet": _read_parquet, "feather": _read_feather, "arrow": _read_feather,
    "text": _read_text, "txt": _read_text, "md": _read_text, "log": _read_text,
}  # fmt: skip
_SHAPES: dict[str, Callable[[Any, str], Any]] = {
    "table": _as_table, "matrix": _as_matrix, "vector": _as_matrix, "array": _as_matrix,
}  # fmt: skip
