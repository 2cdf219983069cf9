"""JSON and JSON lines into tables and arrays: nested, mixed, missing, huge; small ones and larger than memory alike."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.datter.loading import load_file, packed, written
from plotter2.datter.values import spill
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
RECORDS = st.lists(st.dictionaries(st.sampled_from("abc"), PLAIN | st.lists(st.integers(), max_size=3)), min_size=1)


@pytest.fixture(params=["in memory", "by parts"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Both readers have to say the same; by parts of a few bytes."""
    if request.param == "by parts":
        monkeypatch.setattr(spill, "LARGE_BYTES", 1)
        monkeypatch.setattr(written, "PART_BYTES", 7)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def load(folder: Path, name: str, content: str | bytes) -> Any:
    path = folder / "blob"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_file(path, name)


def lines(values: list[Any]) -> str:
    return "".join(json.dumps(one) + "\n" for one in values)


@pytest.mark.req("r004")
@pytest.mark.parametrize("name", ["r.json", "r.jsonl"])
def test_records_are_columns_whatever_they_hold(either: Path, name: str) -> None:
    values = [
        {"step": 1, "a": {"x": 1, "y": {"z": 0.5}}, "t": "2024-01-02T03:04:05.5Z", "v": [1, 2], "m": 1},
        {"step": 2, "a": {"x": None}, "t": "2024-01-02T05:04:05+02:00", "v": [3], "m": "x", "late": True},
        {"step": None, "m": None, "t": None, "huge": 10**30},
    ]
    found = load(either, name, json.dumps(values) if name == "r.json" else lines(values))
    reference = pd.json_normalize(values)
    assert sorted(found.names) == sorted(reference.columns)
    assert found["a.y.z"].tolist()[0] == reference["a.y.z"][0] == 0.5
    assert found.to_arrow()["step"].to_pylist() == [1, 2, None]
    assert found["t"].astype("M8[ms]").astype(str).tolist()[:2] == [
        "2024-01-02T03:04:05.500",
        "2024-01-02T03:04:05.000",
    ]
    assert [found.kind(one) for one in ("step", "t", "m", "late")] == ["number", "time", "text", "flag"]
    assert found["m"].tolist() == ["1", "x", None]
    assert found["v"][0].tolist() == [1.0, 2.0]
    assert found["huge"][2] == 1e30
    assert "m: text, as the values are of several kinds" in " ".join(found.notes)
    assert (found.to_pandas().shape, found.to_polars().shape) == ((3, 8), (3, 8))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("2024-01-02", "time"), ("2024-02-30", "text"), ("2024-01-02 03:04", "time"), ("2024-01-02T25:00", "text"),
        ("2024-01-02T03:04:05.123456789Z", "time"), ("2024", "text"), ("v1", "text"),
    ],
)  # fmt: skip
def test_times_are_those_of_iso(either: Path, text: str, kind: str) -> None:
    assert load(either, "r.jsonl", lines([{"t": text}, {"t": None}])).kind("t") == kind


@given(values=RECORDS)
def test_by_parts_records_are_what_they_are_as_a_whole(tmp_path_factory: pytest.TempPathFactory, values: Any) -> None:
    folder = tmp_path_factory.mktemp("records")
    whole = [load(folder, name, text) for name, text in (("r.json", json.dumps(values)), ("r.jsonl", lines(values)))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spill, "LARGE_BYTES", 1)
        patch.setattr(written, "PART_BYTES", 5)
        patch.setattr("tempfile.tempdir", str(folder))
        parts = [
            load(folder, name, text) for name, text in (("r.json", json.dumps(values)), ("r.jsonl", lines(values)))
        ]
    for one in (*parts, whole[1]):
        assert one.to_arrow().to_pydict() == whole[0].to_arrow().to_pydict()
        assert [note.partition(": ")[2] for note in one.notes] == [note.partition(": ")[2] for note in whole[0].notes]


@pytest.mark.parametrize(
    ("values", "shape"),
    [([[1, 2], [3, None]], (2, 2)), ([1.5, None, 3], (3,)), ([[10**30, 1]], (1, 2))],
)
def test_regular_lists_are_arrays_that_nobody_can_write_to(either: Path, values: Any, shape: tuple[int, ...]) -> None:
    for name, text in (("a.json", json.dumps(values)), ("a.jsonl", lines(values))):
        found = load(either, name, text)
        assert (found.shape, found.flags.writeable) == (shape, False)
        assert np.array_equal(found, np.array(values, float), equal_nan=True)


@pytest.mark.parametrize("values", [{"a": 1}, ["a", 1], [[1], [2, 3]], [1, [2]], "x", 3.5, None, [], [True]])
def test_all_else_is_what_it_says(either: Path, values: Any) -> None:
    assert load(either, "v.json", json.dumps(values, indent=1)) == values


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("v.json", '[{"a": 1}, {"a": 2}', "v.json cannot be read as json"),
        ("v.json", '[{"a": 1}, {"a": nope}]', "v.json cannot be read as json"),
        ("v.jsonl", '{"a": 1}\nx\n{"a": 2}\n', "line 2 is not JSON"),
        ("v.jsonl", '{"a": 1}{"a": 2}\n', "line 1 is not JSON"),
        ("v.json", '[{"a": "\xe9"}]'.encode("latin-1"), "v.json cannot be read as json"),
    ],
)
def test_broken_json_is_refused(either: Path, name: str, content: str | bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load(either, name, content)


def test_a_log_that_was_cut_off_says_so(either: Path) -> None:
    found = load(either, "l.jsonl", '{"loss": 1.0}\n{"loss": 0.5}\n{"lo')
    assert found["loss"].tolist() == [1.0, 0.5]
    assert found.notes == ("l.jsonl: the last line is cut off and was left out.",)


@pytest.mark.req("r004")
@pytest.mark.parametrize("name", ["r.json", "r.jsonl", "r.jsonl.gz"])
def test_records_larger_than_memory_are_gone_over_by_parts_and_mapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(spill, "LARGE_BYTES", 1)
    monkeypatch.setattr(written, "PART_BYTES", 8 << 10)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    values = [{"step": place, "who": f"name {place}", "loss": 1 / (place + 1)} for place in range(20_000)]
    text = (json.dumps(values) if name == "r.json" else lines(values)).encode()
    path = tmp_path / "blob"
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    del values
    warm = tmp_path / "warm"
    warm.write_bytes(b"{}")
    load_file(warm, "warm.jsonl")  # what is imported for the first time is no part of it
    warm.unlink()
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        found = load_file(path, name)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(found, Table)
    assert most < len(text)
    assert pa.total_allocated_bytes() - before < 64 << 10
    assert list(tmp_path.iterdir()) == [path]
    assert found["loss"][-1] == 1 / 20_000
    assert found["step"].tolist() == list(range(20_000))


@pytest.mark.req("r004", "r021")
def test_alike_records_are_gone_over_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "LARGE_BYTES", 1)
    monkeypatch.setattr(written, "PART_BYTES", 500)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    opened: list[Path] = []
    plain = packed.opened

    def noted(path: Path, packing: str) -> AbstractContextManager[Any]:
        opened.append(path)
        return plain(path, packing)

    monkeypatch.setattr(packed, "opened", noted)
    alike = [{"a": place, "b": {"c": place / 2, "t": f"2024-01-{place % 9 + 1:02}"}} for place in range(200)]
    for late, count in (([], 2), ([{"a": 0.5, "new": "x"}], 3)):
        opened.clear()
        (tmp_path / "blob").write_text("".join(json.dumps(one) + "\n" for one in [*alike, *late]))
        found = load_file(tmp_path / "blob", "m.jsonl")
        assert found["a"].tolist() == [*range(200), *(0.5 for _ in late)]
        assert found["b.c"][:3].tolist() == [0.0, 0.5, 1.0]
        assert found.kind("b.t") == "time"
        assert len(opened) == count, "once to see what it is, once to write it, once more where a column changed"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('{"a": NaN}', np.nan),
        ('{"a": 1e400}', np.inf),
        ('{"a": 36893488147419103232}', 2.0**65),
        ('{"a": null}', np.nan),
    ],
)
def test_what_the_quick_reader_refuses_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, value: float
) -> None:
    monkeypatch.setattr(spill, "LARGE_BYTES", 1)
    monkeypatch.setattr(written, "PART_BYTES", 20)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "blob").write_text('{"a": 1.5}\n' * 9 + line + '\n{"a": 2.5}\n')
    found = load_file(tmp_path / "blob", "m.jsonl")
    assert found["a"].tolist()[8:] == pytest.approx([1.5, value, 2.5], nan_ok=True)
