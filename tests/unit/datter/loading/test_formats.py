"""Values from files: images, folders, zstd, Arrow streams, declared columns, and files larger than memory."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import csv, parquet

from plotter2.datter.loading import arrays, load_file
from plotter2.datter.values import spill
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError
from tests.unit.datter.kit import Bench, scope_of, written

CSV = "step,loss,who\n1,0.5,a\n2,NA,b\n3,0.25,\n"


def zstd(content: bytes) -> bytes:
    memory = pa.BufferOutputStream()
    with pa.CompressedOutputStream(memory, "zstd") as file:
        file.write(content)
    return memory.getvalue().to_pybytes()


def picture(mode: str, kind: str, **how: object) -> bytes:
    memory = io.BytesIO()
    channels = {"L": (), "RGB": (3,), "RGBA": (4,)}[mode]
    values = np.arange(4 * 6 * int(np.prod(channels))).reshape(4, 6, *channels)
    Image.fromarray(values.astype(np.uint8), mode).save(memory, kind, **how)
    return memory.getvalue()


def at(folder: Path, content: bytes) -> Path:
    path = folder / "blob"
    path.write_bytes(content)
    return path


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Everything counts as larger than memory; what is converted lands in a folder of its own."""
    monkeypatch.setattr(spill, "LARGE_BYTES", 1)
    folder = tmp_path / "spilled"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.mark.parametrize(
    ("name", "content", "shape"),
    [
        ("p.png", picture("RGB", "PNG"), (4, 6, 3)),
        ("p.png", picture("RGBA", "PNG"), (4, 6, 4)),
        ("p.jpg", picture("L", "JPEG"), (4, 6)),
        ("p.webp", picture("RGB", "WEBP"), (4, 6, 3)),
        ("p.tif.gz", gzip.compress(picture("L", "TIFF")), (4, 6)),
    ],
)
@pytest.mark.filterwarnings("ignore:'mode' parameter")
def test_a_picture_is_an_array_that_nobody_can_write_to(
    tmp_path: Path, name: str, content: bytes, shape: tuple[int, ...]
) -> None:
    found = load_file(at(tmp_path, content), name)
    assert (found.shape, found.dtype, found.flags.writeable) == (shape, np.uint8, False)
    if name == "p.png":
        assert found.ravel().tolist() == list(range(found.size))


@pytest.mark.filterwarnings("ignore:'mode' parameter")
def test_a_picture_is_drawn_in_its_own_colours(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(picture("RGB", "PNG"))
    found = bench.run('def task():\n    plotme(access("photo"))\n', scope_of(tmp_path))
    assert bench.sidecar(found)["panels"][0]["visual"] == "picture"


def test_a_declared_image_needs_no_ending(tmp_path: Path) -> None:
    assert load_file(at(tmp_path, picture("L", "PNG")), "p.dat", "image").shape == (4, 6)
    np.save(tmp_path / "x.npy", np.zeros((2, 2), np.uint8))
    assert load_file(tmp_path / "x.npy", "x.npy", "image").shape == (2, 2)


def test_frames_of_a_picture_come_one_after_the_other(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((2, 3), value, np.uint8)) for value in (10, 200)]
    memory = io.BytesIO()
    frames[0].save(memory, "TIFF", save_all=True, append_images=frames[1:])
    found = load_file(at(tmp_path, memory.getvalue()), "p.tiff")
    assert found[:, 0, 0].tolist() == [10, 200]
    assert found.shape == (2, 2, 3)


def test_deep_greys_keep_their_depth(tmp_path: Path) -> None:
    memory = io.BytesIO()
    Image.fromarray(np.array([[0, 65_535]], np.uint16)).save(memory, "PNG")
    assert load_file(at(tmp_path, memory.getvalue()), "p.png").tolist() == [[0, 65_535]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no picture", "it is no picture of the kinds"),
        (picture("L", "PNG")[:-20], "p.png cannot be read as png"),
        (b"", "cannot"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load_file(at(tmp_path, content), "p.png")


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plotter2.datter.loading.images.PIXELS_MAX", 23)
    with pytest.raises(UsageError, match="it has 24 pixels; at most 23 are read"):
        load_file(at(tmp_path, picture("L", "PNG")), "p.png")


@pytest.mark.parametrize(
    ("name", "content"),
    [("m.csv.zst", CSV.encode()), ("m.tsv.zst", CSV.replace(",", "\t").encode())],
)
def test_zstd_is_unpacked(tmp_path: Path, name: str, content: bytes) -> None:
    table = load_file(at(tmp_path, zstd(content[:10]) + zstd(content[10:])), name)
    assert (table.names, len(table), table.name) == (("step", "loss", "who"), 3, "m")
    with pytest.raises(UsageError, match=f"{name} cannot be read as {name[2:5]}: .*stream"):
        load_file(at(tmp_path, zstd(content)[:-4]), name)


def test_an_arrow_stream_is_a_table(tmp_path: Path) -> None:
    table = pa.table({"a": [1, 2], "b": ["x", None]})
    memory = pa.BufferOutputStream()
    with pa.ipc.new_stream(memory, table.schema) as writer:
        writer.write_table(table)
    for name in ("t.arrow", "t.arrows"):
        assert load_file(at(tmp_path, memory.getvalue().to_pybytes()), name)["b"].tolist() == ["x", None]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "model.ckpt",
            b"\x80\x02",
            r"model\.ckpt: the ending \.ckpt is none that is known.*the formats are csv, tsv, json",
        ),
        ("weights", b"\x00\x01", "its name has no ending, and it holds no text"),
        ("x.dat", b"1 2 3", r'as "type": "csv"'),
        ("x.txt", b"a\x00b", "holds zero bytes, so it is no text"),
    ],
)
def test_what_does_not_say_how_it_is_written_is_refused(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load_file(at(tmp_path, content), name)


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("README", b"read me", "read me"),
        ("a.yaml", b"a: 1", "a: 1"),
        ("a.txt", "\u00e9".encode("latin-1"), "\u00e9"),
        ("a.txt", "\ufeff\u00e9".encode("utf-16"), "\ufeff\u00e9"),
        ("a.md", "\ufeff\u00e9".encode(), "\u00e9"),
    ],
)
def test_text_is_text_in_its_own_encoding(tmp_path: Path, name: str, content: bytes, text: str) -> None:
    assert load_file(at(tmp_path, content), name) == text
    assert load_file(tmp_path / "blob", "x.pt", "bytes") == content


def test_columns_have_the_types_that_are_declared(tmp_path: Path) -> None:
    path = at(tmp_path, b"code,when,x\n007,2020-01-02,1\n008,2021-01-02,2\n")
    found = load_file(path, "m.csv", "table", {"code": "text", "when": "time", "x": "float32"})
    assert found["code"].tolist() == ["007", "008"]
    assert (found["x"].dtype, found.kind("when")) == (np.float32, "time")
    with pytest.raises(UsageError, match=r"no column of m\.csv, where package.json declares 'y'"):
        load_file(path, "m.csv", "table", {"y": "text"})
    with pytest.raises(UsageError, match=r"m\.csv cannot be read as csv: In CSV column #1: CSV conversion error"):
        load_file(path, "m.csv", "table", {"when": "int64"})


def test_columns_of_other_formats_are_brought_to_what_is_declared(tmp_path: Path) -> None:
    path = at(tmp_path, b'[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]')
    assert load_file(path, "m.json", "table", {"a": "float32"})["a"].dtype == np.float32
    with pytest.raises(UsageError, match=r"m\.json: the column 'b' is declared int64, but"):
        load_file(path, "m.json", "table", {"b": "int64"})


def test_a_declared_table_type_reaches_the_value(bench: Bench, tmp_path: Path) -> None:
    folder = written(tmp_path / "data", {"m.csv": "code,x\n007,1\n"})
    declared = {"data": {"m": {"path": "m.csv", "type": "table{code: text, *}"}}}
    found = bench.run("def task():\n    return access('m')['code'].tolist()\n", scope_of(folder, declared=declared))
    assert found.results == ["007"]


def test_a_folder_is_a_group_of_its_data(bench: Bench, tmp_path: Path) -> None:
    folder = written(
        tmp_path / "data",
        {"runs/s10.json": "[10, 1]", "runs/s2.json": "[2, 1]", "runs/more/s1.json": "[1, 1]", "runs/model.pt": "x"},
    )
    source = "def task():\n    g = access('runs')\n    return [g.names, g.keys, [v.tolist() for v in g]]\n"
    for scope in (scope_of(folder), scope_of(folder, declared={"data": {"runs": {"path": "runs"}}})):
        assert bench.run(source, scope).results == [
            ["more/s1", "s2", "s10"], [1.0, 2.0, 10.0], [[1, 1], [2, 1], [10, 1]]
        ]  # fmt: skip


def test_the_main_data_is_no_text_and_no_picture(bench: Bench, tmp_path: Path) -> None:
    folder = written(tmp_path / "data", {"README.md": "word " * 99, "a.csv": "x\n1\n", "b.csv": "x,y\n1,2\n3,4\n"})
    assert bench.run("def task():\n    return len(access().names)\n", scope_of(folder)).results == 2


@pytest.mark.parametrize("name", ["big.csv", "big.csv.gz", "big.csv.zst"])
def test_a_csv_larger_than_memory_is_mapped_and_leaves_nothing_behind(
    tmp_path: Path, small_memory: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plotter2.datter.loading.delimited.BLOCK_BYTES", 1000)
    rows = "# a remark\nn,mixed,word,word\n" + "".join(f"{n},{n},w{n % 3},b\n" for n in range(2000))
    content = (rows + "7\n2000,0.5,x,b\n").encode()
    path = at(tmp_path, {"gz": gzip.compress, "zst": zstd}.get(name[-3:].lstrip("."), lambda data: data)(content))
    table = load_file(path, name)
    assert (table.names, len(table)) == (("n", "mixed", "word", "word 2"), 2001)
    assert table["n"].tolist() == list(range(2001))
    assert table["mixed"][-1] == 0.5
    assert any("1 rows with a wrong number" in note for note in table.notes)
    assert list(small_memory.iterdir()) == []
    sizes = [len(part) for part in table.batches(700)]
    assert sizes == [700, 700, 601]
    assert sum(part["n"].sum() for part in table.batches(300)) == sum(range(2001))


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow"])
def test_packed_columns_larger_than_memory_are_converted_once(tmp_path: Path, small_memory: Path, name: str) -> None:
    table = pa.table({"a": np.arange(5000), "b": [f"w{n % 7}" for n in range(5000)]})
    if name == "t.parquet":
        parquet.write_table(table, tmp_path / name, row_group_size=1000)
    else:
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.ipc.new_file(str(tmp_path / name), table.schema, options=options) as writer:
            writer.write_table(table, 1000)
    before = pa.total_allocated_bytes()
    found = load_file(tmp_path / name, name)
    assert pa.total_allocated_bytes() - before < 20_000
    assert found["a"].tolist() == list(range(5000))
    assert found["b"][8] == "w1"
    assert list(small_memory.iterdir()) == []


def test_what_is_larger_than_the_disk_is_for_is_refused(
    tmp_path: Path, small_memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spill, "SPILLED_BYTES_MAX", 10)
    with pytest.raises(UsageError, match="This data takes more than"):
        load_file(at(tmp_path, CSV.encode() * 10), "m.csv")
    monkeypatch.setattr(spill, "SPILLED_BYTES_MAX", 1 << 40)
    monkeypatch.setattr(spill, "FREE_BYTES_MIN", 1 << 60)
    with pytest.raises(UsageError, match="has too little room"):
        load_file(tmp_path / "blob", "m.csv")
    assert list(small_memory.iterdir()) == []


def test_a_table_from_a_spreadsheet_may_be_utf16(tmp_path: Path) -> None:
    table = load_file(at(tmp_path, "a,b\n1,\u00e9\n".encode("utf-16")), "m.csv")
    assert (table["b"].tolist(), table.names) == (["\u00e9"], ("a", "b"))
    assert "was read as UTF-16" in table.notes[0]


@pytest.mark.parametrize(
    "header", [b"{'descr': '<f8', 'shape': (", b"{'descr': '<f8', 'fortran_order': False, 'shape': (9,)}"]
)
def test_an_array_whose_header_lies_is_refused(tmp_path: Path, header: bytes) -> None:
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(16)
    with pytest.raises(UsageError, match=r"its header is broken|says 72 bytes of values, and 16 are there"):
        load_file(at(tmp_path, content), "m.npy")


def test_a_header_that_many_files_have_is_read_once(tmp_path: Path) -> None:
    arrays._said.cache_clear()
    for number in range(3):
        np.save(tmp_path / f"{number}.npy", np.full((5, 7), float(number)))
        assert load_file(tmp_path / f"{number}.npy", "m.npy")[4, 6] == number
    assert arrays._said.cache_info().misses == 1


def test_halves_of_characters_are_made_whole(tmp_path: Path) -> None:
    table = load_file(at(tmp_path, b'[{"a\\ud800": "\\ud83d\\ude00"}]'), "m.json")
    assert table.to_arrow().to_pydict() == {"a\ufffd": ["\U0001f600"]}


def test_columns_of_numbers_beyond_64_bits_are_floats(tmp_path: Path) -> None:
    table = load_file(at(tmp_path, b'[{"a": 1180591620717411303424}, {"a": 1}]'), "m.json")
    assert table["a"].tolist() == [2.0**70, 1.0]


def test_a_large_csv_reads_as_a_small_one(tmp_path: Path, small_memory: Path) -> None:
    path = at(tmp_path, CSV.encode())
    large = load_file(path, "m.csv")
    small = Table(csv.read_csv(io.BytesIO(CSV.encode())))
    assert large["step"].tolist() == small["step"].tolist()
    assert np.isnan(large["loss"][1])
    assert large["who"].tolist() == ["a", "b", None]
    with pytest.raises(UsageError, match="the file is empty"):
        load_file(at(tmp_path, b"\n"), "m.csv")
    assert list(small_memory.iterdir()) == []


def test_rows_of_named_fields_are_a_table(tmp_path: Path) -> None:
    inner = np.dtype([("x", ">i4"), ("y", "f8")])
    rows: np.ndarray = np.array([((1, 2.5), b"red", [1, 2])], [("p", inner), ("who", "S3"), ("v", "f4", 2)])
    np.save(tmp_path / "s.npy", rows)
    found = load_file(tmp_path / "s.npy", "s.npy")
    assert found.to_arrow().to_pydict() == {"p.x": [1], "p.y": [2.5], "who": ["red"], "v.0": [1.0], "v.1": [2.0]}
    assert found.to_pandas().shape == found.to_polars().shape == (1, 5)
    np.savez(tmp_path / "s.npz", a=rows, b=np.arange(3))
    assert load_file(tmp_path / "s.npz", "s.npz")["a"]["who"].tolist() == ["red"]


def test_columns_of_one_name_and_the_index_of_pandas_are_told_apart(tmp_path: Path) -> None:
    parquet.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "t.parquet")
    assert load_file(tmp_path / "t.parquet", "t.parquet")[0] == {"a": 1, "a 2": 2}
    frame = pd.DataFrame({"x": [1, 2]}, index=pd.date_range("2024-01-01", periods=2))
    frame.to_parquet(tmp_path / "t.parquet")
    assert load_file(tmp_path / "t.parquet", "t.parquet").names == ("x", "index")


def test_small_arrays_of_an_archive_hold_no_file_open(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", a=np.arange(3), b=np.eye(2))
    found = load_file(tmp_path / "s.npz", "s.npz")
    assert not any(spill.file_of(one) or one.flags.writeable for one in found.values())
