"""Odd files that people really have: each is read as what it means, or refused in one sentence that teaches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from plotter2.datter.loading import delimited, load_file
from plotter2.datter.values import spill
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

WIDE = (",".join(f"column{place}" for place in range(10_000)) + "\n" + (",".join(["1.5"] * 10_000) + "\n") * 3).encode()


def load(folder: Path, content: bytes, name: str = "m.csv") -> Any:
    (folder / "blob").write_bytes(content)
    return load_file(folder / "blob", name)


@pytest.mark.req("r004", "r021")
@pytest.mark.parametrize(
    "content",
    ["\ufeffsep=;\r\nName;Wert\r\na;1,5\r\n", "sep=;\r\n\ufeffName;Wert\r\na;1,5\r\n", "\ufeffName;Wert\na;1,5\n"],
)
def test_what_excel_marks_is_no_part_of_the_table(either: Path, content: str) -> None:
    found = load(either, content.encode())
    assert isinstance(found, Table)
    assert found.rows() == [{"Name": "a", "Wert": 1.5}]


def test_ten_thousand_columns_are_read(either: Path) -> None:
    found = load(either, WIDE)
    assert found.shape == (3, 10_000)
    assert found["column9999"].tolist() == [1.5] * 3


def test_a_gap_of_zeros_in_a_file_is_no_other_encoding(either: Path) -> None:
    found = load(either, b"a,b\n1,2\n3,4\n" + bytes(500))
    assert found["a"].tolist() == [1, 3]
    assert any("1 rows with a wrong number" in note for note in found.notes)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.csv", b"<!DOCTYPE html><html><body>404</body></html>", "it holds a page of the web, and no table"),
        ("m.csv", b'[{"a": 1}, {"a": 2}]', "it holds JSON, and no table"),
        ("m.json", b"", "the file is empty"),
        ("m.json", b"\xef\xbb\xbf\n", "the file is empty"),
        ("m.png", b"GIF8", "it is no picture of the kinds PNG"),
        ("m.zip", b"PK\x03\x04", "an archive of files is not looked into; unpack it before you push it"),
        ("m.tar.gz", b"\x1f\x8b", "as m.csv.gz"),
        ("m.tgz", b"\x1f\x8b", "an archive of files is not looked into"),
        ("m.xlsx", b"PK\x03\x04", "save each sheet as csv"),
        ("m.pkl", b"\x80\x04", "is never unpickled; save arrays as npy"),
        ("m.h5", b"\x89HDF", "save its arrays as npy or npz"),
        ("m.csv.xz", b"\xfd7zXZ", r"this packing is not read; gzip \(.gz\)"),
    ],
)
def test_what_is_not_read_says_what_to_do(either: Path, name: str, content: bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load(either, content, name)


@pytest.mark.req("r004")
def test_the_columns_of_a_table_larger_than_memory_are_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "LARGE_BYTES", 40_000)
    monkeypatch.setattr(spill, "BLOCK_BYTES", 10_000)
    monkeypatch.setattr(spill, "GATHERED_BYTES", 1_000)
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 1_000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = load(tmp_path, b"a,b,c\n" + b"1.5,2.5,3.5\n" * 5_000)
    assert all(isinstance(found[name].base, np.memmap) for name in "abc")
    assert found["b"].sum() == 12_500


@pytest.mark.req("r004")
@pytest.mark.parametrize("gathered", [1, 1 << 20])
def test_categories_that_each_piece_numbers_by_itself_keep_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gathered: int
) -> None:
    monkeypatch.setattr(spill, "LARGE_BYTES", 1)
    monkeypatch.setattr(spill, "GATHERED_BYTES", gathered)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    words = (["a", "b"], ["c", "b"], ["d", None])
    pieces = [pa.table({"c": pa.array(one).dictionary_encode(), "x": [1, 2]}) for one in words]
    with parquet.ParquetWriter(tmp_path / "p", pieces[0].schema) as writer:
        for one in pieces:
            writer.write_table(one)
    found = load_file(tmp_path / "p", "m.parquet")
    assert found["c"].tolist() == ["a", "b", "c", "b", "d", None]
    assert found["x"].sum() == 9
