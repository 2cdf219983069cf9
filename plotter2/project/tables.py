"""What data files hold, guessed from their beginnings: columns of a CSV file, the shape of an array.

A guess is a type of `plotter2.model.types`; where nothing can be said there is none.
"""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from plotter2.model import types
from plotter2.model.types import Type

HEAD_BYTES = 256 << 10
ROWS_MAX = 1_000
COLUMNS_MAX = 200
DELIMITERS = (",", "\t", ";", "|")
_INT = re.compile(r"[+-]?\d{1,18}")
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")
_NULLS = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "#N/A"})
_BOOLS = frozenset({"true", "false", "True", "False"})
_NPY = re.compile(rb"\x93NUMPY[\x01-\x03]\x00")
_KINDS = {"f": "float", "i": "int", "u": "uint", "c": "complex"}


def guess(path: Path) -> Type | None:
    """The type of a file's content, as far as its beginning tells."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return None
    if path.suffix.lower() in {".csv", ".tsv"}:
        return _of_csv(head, is_whole=len(head) < HEAD_BYTES)
    return _of_npy(head) if path.suffix.lower() == ".npy" else None


def _of_csv(head: bytes, *, is_whole: bool) -> Type | None:
    lines = head.decode(errors="replace").splitlines()
    lines = lines if is_whole else lines[:-1]
    while lines and (not lines[0].strip() or lines[0].startswith("#")):
        lines.pop(0)
    if not lines or "\0" in lines[0]:
        return None
    delimiter = next((one for one in DELIMITERS if one in lines[0]), ",")
    try:
        rows = list(islice(csv.reader(lines, delimiter=delimiter), ROWS_MAX + 1))
    except csv.Error:
        return None
    names = [name.strip() for name in rows[0]]
    if len(names) > COLUMNS_MAX or len(set(names)) < len(names) or not all(names):
        return types.parse("table")
    body = [row for row in rows[1:] if len(row) == len(names)]
    if len(body) * 2 < len(rows) - 1:
        return types.parse("table")  # the first line is no head: the others have another number of fields
    return types.table({name: _dtype([row[i].strip() for row in body]) for i, name in enumerate(names)})


def _dtype(cells: Sequence[str]) -> str:
    known = [cell for cell in cells if cell not in _NULLS]
    if not known:
        return types.OPEN
    if all(cell in _BOOLS for cell in known):
        return "bool"
    if all(_INT.fullmatch(cell) for cell in known):
        # a column with gaps is read as float64: integers have no "missing"
        return "int64" if len(known) == len(cells) else "float64"
    if all(_FLOAT.fullmatch(cell) for cell in known):
        return "float64"
    return "time" if all(_TIME.fullmatch(cell) for cell in known) else "text"


def _of_npy(head: bytes) -> Type | None:
    """From the header alone: a Python literal behind the magic bytes."""
    start, end = head.find(b"{"), head.find(b"\n")
    if not _NPY.match(head) or not 0 < start < end:
        return None
    try:
        header = ast.literal_eval(head[start:end].decode("latin-1").strip())
        kind, bits = header["descr"].lstrip("<>=|")[0], int(header["descr"].lstrip("<>=|")[1:]) * 8
        dtype = "bool" if kind == "b" else f"{_KINDS[kind]}{bits}"
        return types.parse(str(types.array(dtype, *header["shape"])))
    except (ValueError, SyntaxError, KeyError, IndexError, AttributeError, TypeError, MemoryError, RecursionError):
        return None
