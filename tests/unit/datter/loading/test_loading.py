from __future__ import annotations

import gzip
import io
import json
import pickle
import resource
import zipfile
from pathlib import Path

import numpy as np
import pytest

from plotter2.datter.loading import load_file, packed
from plotter2.datter.values import spill
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

CSV = "step,loss,who\n1,0.5,a\n2,NA,b\n3,0.25,\n"


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / "blob"  # the name at rest means nothing
    path.write_bytes(content)
    assert name
    return path


def zipped(**files: bytes) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return memory.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.csv", CSV.encode()),
        ("m.tsv", CSV.replace(",", "\t").encode()),
        ("m.csv.gz", gzip.compress(CSV.encode())),
        ("m.csv.zip", zipped(inner=CSV.encode())),
    ],
)
def test_a_table_has_typed_columns_and_missing_values(tmp_path: Path, name: str, content: bytes) -> None:
    table = load_file(write(tmp_path, name, content), name)
    assert isinstance(table, Table)
    assert table["step"].dtype == np.int64
    assert np.isnan(table["loss"][1])
    assert table["loss"][[0, 2]].tolist() == [0.5, 0.25]
    assert table["who"].tolist() == ["a", "b", None]
    assert table.name == "m"
    assert not table["step"].flags.writeable


@pytest.mark.parametrize("delimiter", [";", "|", "\t"])
def test_a_csv_without_commas_is_parted_by_what_parts_its_first_line(tmp_path: Path, delimiter: str) -> None:
    table = load_file(write(tmp_path, "m.csv", CSV.replace(",", delimiter).encode()), "m.csv")
    assert table.names == ("step", "loss", "who")
    assert load_file(write(tmp_path, "m.csv", b"one column; no comma\n"), "m.tsv").names == ("one column; no comma",)


def test_columns_get_names_of_their_own(tmp_path: Path) -> None:
    table = load_file(write(tmp_path, "m.csv", b",a,a, b\n1,2,3,4\n"), "m.csv")
    assert table[0] == {"column 0": 1, "a": 2, "a 2": 3, "b": 4}
    assert table.notes == ("m.csv: columns without a name of their own are called column 0, a 2.",)


@pytest.mark.parametrize("head", ["# made by a program, on a day\n# and more\na,b\n", "a,b\n"])
def test_remarks_before_the_head_are_skipped(tmp_path: Path, head: str) -> None:
    assert load_file(write(tmp_path, "m.csv", f"{head}1,2\n".encode()), "m.csv")[0] == {"a": 1, "b": 2}


def test_a_head_that_begins_with_a_hash_stays_the_head(tmp_path: Path) -> None:
    assert load_file(write(tmp_path, "m.csv", b"#a,b\n1,2\n"), "m.csv").names == ("#a", "b")


def test_a_column_of_two_kinds_is_read_as_text(tmp_path: Path) -> None:
    rows = "a,b\n" + "1,2\n" * 300_000 + "1,oops\n"
    table = load_file(write(tmp_path, "m.csv", rows.encode()), "m.csv")
    assert (table.kind("a"), table.kind("b")) == ("number", "text")
    assert table["b"][[0, -1]].tolist() == ["2", "oops"]


def test_a_table_that_is_not_utf8_is_read_and_said(tmp_path: Path) -> None:
    table = load_file(write(tmp_path, "m.csv", "name,x\nJos\u00e9,1\n".encode("latin-1")), "m.csv")
    assert table["name"].tolist() == ["Jos\u00e9"]
    assert "Windows-1252" in table.notes[0]


def test_ragged_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    table = load_file(write(tmp_path, "m.csv", b"a,b\n1,2\n3\n4,5,6\n7,8\n"), "m.csv")
    assert table["a"].tolist() == [1, 7]
    assert table.notes == ("m.csv: 2 rows with a wrong number of fields were left out.",)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("m.csv", b"", "m.csv cannot be read as csv: the file is empty"),
        ("m.json", b"{", "m.json cannot be read as json"),
        ("m.npy", b"no array", "m.npy cannot be read as npy"),
        ("m.npy", pickle.dumps([1]), "m.npy cannot be read as npy"),
        ("m.parquet", b"PAR1", "m.parquet cannot be read as parquet"),
        ("m.csv.gz", b"no gzip", "m.csv.gz cannot be read as csv"),
        ("m.csv.zip", zipped(a=b"1", b=b"2"), "the archive holds 2 files"),
        ("m.jsonl", b"{}\nx\n{}\n", "line 2 is not JSON"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load_file(write(tmp_path, name, content), name)


@pytest.mark.parametrize(("rows", "is_mapped"), [(2, False), (50_000, True)])
def test_arrays_are_read_only_and_large_ones_mapped(tmp_path: Path, rows: int, is_mapped: bool) -> None:
    np.save(tmp_path / "x.npy", np.arange(3.0 * rows).reshape(rows, 3))
    array = load_file(tmp_path / "x.npy", "x.npy")
    assert (spill.file_of(array) is not None) is is_mapped
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1


def test_objects_in_an_array_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{}], dtype=object))
    with pytest.raises(UsageError, match=r"x\.npy cannot be read"):
        load_file(tmp_path / "x.npy", "x.npy")


def test_stored_archives_are_mapped_and_compressed_ones_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plotter2.datter.loading.arrays.MAPPED_BYTES_MIN", 0)
    arrays = {"a": np.arange(4.0), "b": np.arange(6).reshape(2, 3, order="F")}
    np.savez(tmp_path / "s.npz", **arrays)
    np.savez_compressed(tmp_path / "c.npz", **arrays)
    for name in ("s.npz", "c.npz"):
        found = load_file(tmp_path / name, name)
        assert {key: value.tolist() for key, value in found.items()} == {k: v.tolist() for k, v in arrays.items()}
    assert spill.file_of(load_file(tmp_path / "s.npz", "s.npz")["a"])


def test_json_becomes_what_it_is(tmp_path: Path) -> None:
    def load(value: object) -> object:
        return load_file(write(tmp_path, "v.json", json.dumps(value).encode()), "v.json")

    assert load({"a": 1}) == {"a": 1}
    assert load([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert load([{"a": 1}, {"a": 2, "b": "x"}])["a"].tolist() == [1, 2]
    assert load(["a", 1]) == ["a", 1]


def test_a_log_that_was_cut_off_keeps_its_whole_lines(tmp_path: Path) -> None:
    table = load_file(write(tmp_path, "l.jsonl", b'{"loss": 1.0}\n{"loss": 0.5}\n{"lo'), "l.jsonl")
    assert table["loss"].tolist() == [1.0, 0.5]
    assert "cut off" in table.notes[0]


def test_a_declared_type_decides(tmp_path: Path) -> None:
    path = write(tmp_path, "x.dat", CSV.encode())
    assert load_file(path, "x.dat", "csv").names == ("step", "loss", "who")
    assert load_file(path, "x.csv", "matrix").shape == (3, 2)
    assert load_file(path, "x.csv", "text") == CSV
    with pytest.raises(UsageError, match="no type 'csw'; the nearest is 'csv'"):
        load_file(path, "x.csv", "csw")


def test_parquet_and_feather_are_read(tmp_path: Path) -> None:
    from pyarrow import feather, parquet  # noqa: PLC0415 -- heavy, and only here

    table = Table({"a": [1, 2], "b": ["x", "y"]}).to_arrow()
    parquet.write_table(table, tmp_path / "t.parquet")
    feather.write_feather(table, str(tmp_path / "t.feather"))
    for name in ("t.parquet", "t.feather"):
        assert load_file(tmp_path / name, name)["b"].tolist() == ["x", "y"]


@pytest.mark.parametrize("is_read", [True, False])
def test_rows_of_a_table_are_chosen_by_place_slice_and_mask(tmp_path: Path, is_read: bool) -> None:
    content = "step,who\n1,a\n2,b\n3,c\n"
    table = Table({"step": [1, 2, 3], "who": ["a", "b", "c"]})
    if is_read:
        table = load_file(write(tmp_path, "m.csv", content.encode()), "m.csv")
    assert table[0] == {"step": 1, "who": "a"}
    assert table[-1]["who"] == "c"
    assert table[1:]["step"].tolist() == [2, 3]
    assert table[table["step"] > 1]["who"].tolist() == ["b", "c"]
    assert table[[2, 0]]["who"].tolist() == ["c", "a"]
    assert table[["who"]].columns == ("who",)
    with pytest.raises(UsageError, match="has 3 rows"):
        table[7]
    with pytest.raises(UsageError, match="no column"):
        table["when"]


def test_a_group_of_many_small_arrays_holds_no_files_open(tmp_path: Path) -> None:
    path = tmp_path / "small"
    with path.open("wb") as file:
        np.save(file, np.arange(6.0).reshape(2, 3))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        arrays = [load_file(path, "small.npy") for _ in range(200)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert {array.sum() for array in arrays} == {15.0}
    assert not any(array.flags.writeable for array in arrays)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.csv.gz", gzip.compress(bytes(1 << 20))),
        ("m.csv.zip", zipped(**{"m.csv": bytes(1 << 20)})),
        ("m.npz", zipped(**{"m.npy": bytes(1 << 20)})),
    ],
)
def test_what_unpacks_to_more_than_memory_is_for_is_refused(
    tmp_path: Path, name: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plotter2.datter.loading.packed.UNPACKED_BYTES_MAX", 1000)
    with pytest.raises(UsageError, match="unpacks to more than 1000 bytes"):
        load_file(write(tmp_path, name, content), name)


def test_of_a_stream_no_more_is_asked_for_at_a_time_than_room_can_be_made_for() -> None:
    class Asked(io.BytesIO):
        most = 0

        def read(self, size: int | None = -1, /) -> bytes:
            self.most = max(self.most, size or -1)
            return super().read(size)

    stream = Asked(CSV.encode())
    assert packed.limited(stream) == CSV.encode()
    assert 0 < stream.most <= 1 << 20


def test_a_stream_that_breaks_off_in_the_middle_is_refused(tmp_path: Path) -> None:
    broken = bytearray(gzip.compress(CSV.encode() * 100))
    broken[20:30] = b"\xff" * 10
    with pytest.raises(UsageError, match=r"m\.csv\.gz cannot be read as csv"):
        load_file(write(tmp_path, "m.csv.gz", bytes(broken)), "m.csv.gz")
