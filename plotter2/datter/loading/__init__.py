"""Files into values: csv, tsv, json, jsonl, npy, npz, parquet, feather, Arrow, images, text; in gzip, zstd or zip too.

Large arrays are memory-mapped read-only, large tables converted once to mapped Arrow. Nothing is ever unpickled. What
had to be repaired or left out is said in the value's notes; what cannot be read is refused with the file's name and
the reason.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from plotter2.datter.loading import arrays, columnar, delimited, images, packed, shapes, written
from plotter2.datter.loading.delimited import PLAIN
from plotter2.datter.loading.packed import Source
from plotter2.datter.values import keys
from plotter2.datter.values.array import array
from plotter2.datter.values.keys import nearest
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError
from plotter2.model.package import Dialect

TEXT_LIKE = frozenset(
    {"py", "r", "jl", "m", "c", "h", "cpp", "rs", "go", "js", "ts", "css", "sh", "sql", "tex", "rst", "html", "htm"}
    | {"xml", "svg", "yaml", "yml", "toml", "ini", "cfg", "conf", "env", "lock"}
)
"""Endings of text that is read by its path, but is no data of its bundle."""
PARTED = {"csv": "", "tsv": "\t"}
"""What parts the fields of a format; "" is found out."""
WRONG = (
    *(OSError, ValueError, LookupError, EOFError, OverflowError, RecursionError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)
"""What readers raise at broken files."""
_ASKED = re.compile(r"malloc of size (\d+) failed")
MEMORY_MAX = 1 << 44
"""No machine has so many bytes: a broken file asks for more; less is what the run's limit refused."""


def load_file(
    path: Path, name: str, kind: str = "", columns: Mapping[str, str] | None = None, dialect: Dialect = PLAIN
) -> Any:
    """The value of one file.

    Args:
        path: where it lies; its name there means nothing.
        name: its path in the bundle, which says how it is written.
        kind: a declared type: a format (csv, json, ...), or table, matrix, vector, array, image, text, bytes.
        columns: declared dtypes of a table's columns, by name.
        dialect: what is declared of how its text is written.

    Raises:
        UsageError: it cannot be read as what it says it is, or does not say what it is.
    """
    ending, packing = keys.ending(name)
    wanted = kind.lower() or ending
    if kind and wanted not in _FORMATS and wanted not in _SHAPES:
        raise UsageError(f"{name}: there is no type {kind!r}; {nearest(wanted, [*_FORMATS, *_SHAPES])}.")
    written_as = next((one for one in (wanted, ending) if one in _FORMATS), "") or _by_content(path, name, wanted)
    try:
        value = _read(path, name, written_as, packing, columns or {}, dialect)
    except WRONG as wrong:
        reason = str(wrong).strip().splitlines()
        said = f"{reason[0].rstrip('.') if reason else type(wrong).__name__}"
        raise UsageError(f"{name} cannot be read as {written_as}: {said}.") from None
    except MemoryError as wrong:
        asked = _ASKED.search(str(wrong))
        if asked is None or int(asked[1]) < MEMORY_MAX:
            raise
        raise UsageError(f"{name} cannot be read as {written_as}: its sizes are broken.") from None
    shaped = array(_SHAPES[wanted](value, name) if wanted in _SHAPES else value)
    if isinstance(shaped, dict):
        shaped = {inner: array(one) for inner, one in shaped.items()}
    return shapes.declared(shaped, columns, name) if columns and isinstance(shaped, Table) else shaped


def _read(path: Path, name: str, written_as: str, packing: str, columns: Mapping[str, str], dialect: Dialect) -> Any:
    if written_as in PARTED:
        kinds = shapes.arrow_kinds(columns)
        if PARTED[written_as] and not dialect.delimiter:
            dialect = replace(dialect, delimiter=PARTED[written_as])
        if delimited.is_large(path, packing):
            return delimited.read_large_csv(path, name, packing, dialect, kinds)
        return delimited.read_csv(packed.unpacked(path, packing) if packing else path, name, dialect, kinds)
    if written_as in written.RECORDS and written.is_large(path, packing):
        return written.read_large(path, name, packing, written_as)
    return _FORMATS[written_as](packed.unpacked(path, packing) if packing else path, name)


def is_converted(path: Path, name: str) -> bool:
    """Whether reading it writes it anew as mapped Arrow, so that the value should be kept for those that follow."""
    ending, packing = keys.ending(name)
    is_large = delimited.is_large if ending in PARTED else written.is_large
    return ending in {*PARTED, *written.RECORDS} and is_large(path, packing)


def _by_content(path: Path, name: str, wanted: str) -> str:
    """Text: for what is text by its ending, and for a file without one that holds text; nothing else is guessed.

    Raises:
        UsageError: nothing says how the file is written.
    """
    ending, packing = keys.ending(name)
    if ending in TEXT_LIKE or wanted == "table":
        return "text"
    if wanted == "image":
        return "png"  # pillow looks into the file
    if not ending and not packing:
        with path.open("rb") as file:
            if b"\x00" not in file.read(delimited.HEAD_BYTES):
                return "text"
    if advice := _advice(name, ending, packing):
        raise UsageError(f"{name}: {advice}")
    said = f"the ending .{ending} is none that is known" if ending else "its name has no ending, and it holds no text"
    raise UsageError(
        f"{name}: {said}, so nothing says how it is written. Declare it in package.json's data section, as "
        f'"type": "csv"; the formats are {", ".join(_FORMATS)}.'
    )


def _advice(name: str, ending: str, packing: str) -> str:
    """What to do with a file of a kind that is known, but not read; "" for others."""
    if ending == "tar" or (packing == ".zip" and not ending) or ending in _ARCHIVES:
        return (
            "an archive of files is not looked into; unpack it before you push it: a folder is read as a group of the "
            f"files in it, and one packed file by its name, as {keys.stem(name).split('.')[0]}.csv.gz."
        )
    return next((said for endings, said in _FOREIGN.items() if ending in endings), "")


_ARCHIVES = frozenset({"tgz", "tbz", "txz", "7z", "rar"})
_FOREIGN = {
    ("xls", "xlsx", "ods"): "a workbook has sheets, formulas and colours; save each sheet as csv and push that.",
    ("pkl", "pickle", "pt", "pth", "joblib", "rds"): (
        "what it holds is code as well as data, and is never unpickled; save arrays as npy or npz, tables as parquet."
    ),
    (
        "h5",
        "hdf5",
        "nc",
        "mat",
        "zarr",
    ): "this container is not read; save its arrays as npy or npz, its tables as parquet.",
    ("sqlite", "db", "duckdb"): "a database is not read; save its tables as parquet or csv.",
    ("bz2", "xz", "lz4"): "this packing is not read; gzip (.gz), zstd (.zst) and zip are.",
}

_FORMATS: dict[str, Callable[[Source, str], Any]] = {
    "csv": delimited.read_csv, "tsv": delimited.read_csv, "json": written.read_json,
    "jsonl": written.read_jsonl, "ndjson": written.read_jsonl, "npy": arrays.read_npy, "npz": arrays.read_npz,
    "parquet": columnar.read_parquet, "feather": columnar.read_arrow, "arrow": columnar.read_arrow,
    "arrows": columnar.read_arrow,
    **dict.fromkeys(sorted(one.lstrip(".") for one in keys.IMAGES), images.read_image),
    **dict.fromkeys(sorted(one.lstrip(".") for one in keys.TEXTS), written.read_text),
    "text": written.read_text, "bytes": written.read_bytes,
}  # fmt: skip
_SHAPES: dict[str, Callable[[Any, str], Any]] = {
    "table": shapes.as_table, "matrix": shapes.as_matrix, "vector": shapes.as_matrix, "array": shapes.as_matrix,
    "image": shapes.as_matrix,
}  # fmt: skip
