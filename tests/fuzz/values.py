"""Targets of datter: formulas that anybody writes, and files of every format that anybody sends."""

from __future__ import annotations

import gzip
import io
import json
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image
from pyarrow import feather, parquet

from plotter2.datter.loading import load_file
from plotter2.datter.mathematics.expression import expr
from plotter2.datter.mathematics.formula import FUNCTIONS, Node
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

ARITHMETIC = {"number", "name", "function", "negative", "positive", *"+-*/%^"}
CSV = b"step,loss,who\n1,0.5,a\n2,NA,b\n3,,\n"
JSON = json.dumps([{"a": 1, "b": "x"}, {"a": None}]).encode()
EVENTS = frozenset({"import", "exec", "open", "os.system", "subprocess.Popen", "object.__getattr__"})


class Watch:
    """What the interpreter is asked to do meanwhile; an audit hook stays for good, so it listens only when told."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.is_on = False
        self.is_added = False

    def __call__(self, event: str, _: tuple[object, ...]) -> None:
        if self.is_on and event in EVENTS:
            self.seen.append(event)

    def __enter__(self) -> None:
        if not self.is_added:
            self.is_added = True
            sys.addaudithook(self)
        self.seen.clear()
        self.is_on = True

    def __exit__(self, *_: object) -> None:
        self.is_on = False


WATCH = Watch()


def read_formula(data: bytes) -> None:
    """Whatever is taken is arithmetic, which is computed without an import, a call of code, or a file."""
    text = data.decode(errors="replace")
    expr("erf(x)")(1.0)  # loads what a function is taken from
    with WATCH:
        found = expr(text)
        assert _parts(found._node) <= ARITHMETIC
        value = found(**dict.fromkeys(found.names, 1.5))
    assert isinstance(value, float)
    assert WATCH.seen == []


def _parts(node: Node) -> set[str]:
    assert node.kind != "function" or node.name in FUNCTIONS
    return {node.kind}.union(*(_parts(part) for part in node.parts))


def read_value(data: bytes) -> None:
    """A file of any format (`name:content`) is a value, or refused."""
    name, _, content = data.partition(b":")
    named = name.decode(errors="replace")
    if named not in NAMES:
        raise UsageError("This target knows other names.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "blob"
        path.write_bytes(content)
        found = load_file(path, named)
        if isinstance(found, Table):
            found.to_arrow().validate(full=True)
            assert len(found.rows(3)) == min(3, len(found))
        elif isinstance(found, np.ndarray):
            assert found.dtype.kind != "O"


def _written() -> dict[str, bytes]:
    """A small file of each format, by a name that says which."""
    table = pa.table({"a": [1, 2, None], "b": ["x", None, "y"]})
    files = {name: io.BytesIO() for name in ("m.parquet", "m.feather", "m.npy", "m.npz", "m.png", "m.gif", "m.csv.zip")}
    parquet.write_table(table, files["m.parquet"])
    feather.write_feather(table, files["m.feather"])
    np.save(files["m.npy"], np.arange(6.0).reshape(2, 3))
    np.savez(files["m.npz"], a=np.arange(3), b=np.eye(2))
    for name in ("m.png", "m.gif"):
        Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).save(files[name], name[2:].upper())
    with zipfile.ZipFile(files["m.csv.zip"], "w") as archive:
        archive.writestr("m.csv", CSV)
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    packed = pa.Codec("zstd").compress(CSV, asbytes=True)
    plain = {"m.csv": CSV, "m.csv.gz": gzip.compress(CSV), "m.csv.zst": packed, "m.json": JSON, "m.tsv": CSV}
    plain |= {"m.jsonl": b'{"a": 1}\n{"a": 2}\n', "m.txt": b"text", "m.arrow": stream.getvalue().to_pybytes()}
    return plain | {name: file.getvalue() for name, file in files.items()}


NAMES = frozenset(_written())
VALUES = [name.encode() + b":" + content for name, content in _written().items()]
FORMULAS = [b"y = 2x + 1", b"3sin(x)cos(x) - x^2/(1 + e^-x)", b"atan2(x, 2) % 1", b"max(x, 0.5e-3) erf(z)"]
HOSTILE = [b".__class__", b"__import__('os')", b"lambda", b" for x in y", b" if x else ", b":=", b"()", b"**", b"x.y"]
