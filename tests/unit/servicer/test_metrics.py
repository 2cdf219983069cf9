"""Metrics become one table, whatever the program wrote, with numbers as it printed them."""

from __future__ import annotations

from pathlib import Path

import pytest

from plotter2.model.package import Metrics
from servicer import metrics, patterns

CSV = Metrics("csv", "m.csv")
LINES = Metrics("jsonl", "m.jsonl")


@pytest.fixture(autouse=True)
def _places(tmp_path: Path) -> None:
    (tmp_path / "cwd").mkdir()
    (tmp_path / "log").mkdir()


def table(root: Path, *sources: Metrics, **written: str) -> str | None:
    """The table of what was written; names are `place__file_ext`."""
    for name, text in written.items():
        place, _, file = name.partition("__")
        (root / place / file.replace("_", ".")).write_bytes(text.encode())
    target = root / "metrics.csv"
    has_any = metrics.write(sources, lambda path: patterns.matching(root / "cwd", path), root / "log", target)
    assert has_any == target.exists()
    return target.read_bytes().decode().replace("\r\n", "\n") if has_any else None


def test_csv_with_numbers_as_printed(tmp_path: Path) -> None:
    text = "epoch,loss\n1,0.10\n2,1e-3\n"
    assert table(tmp_path, CSV, cwd__m_csv=text) == text


def test_json_lines_with_numbers_as_printed_and_half_lines_left_out(tmp_path: Path) -> None:
    text = 'begin\n{"epoch": 1, "loss": 0.10, "ok": true}\n[1]\n{"epoch": 2, "tags": [1.50, 2]}\n{"epoch": 3, "lo'
    expected = 'epoch,loss,ok,tags\n1,0.10,true,\n2,,,"[1.50, 2]"\n'
    assert table(tmp_path, LINES, cwd__m_jsonl=text) == expected


def test_a_json_file_is_a_row_with_numbers_as_printed_and_names_joined_by_dots(tmp_path: Path) -> None:
    one = Metrics(format="json", path="m.json")
    text = '{"acc": 0.90, "loss": {"a": 1e-3, "b": NaN}, "ok": true, "curve": [1, 2], "none": null, "name": "x"}'
    assert table(tmp_path, one, cwd__m_json=text) == "acc,loss.a,loss.b,ok,name\n0.90,1e-3,NaN,true,x\n"
    assert table(tmp_path, one, cwd__m_json='[{"a": 1}, 2, {"a": 3}]') == "a\n1\n3\n"


@pytest.mark.parametrize("text", ['{"a": 1', "[" * 100_000, "1", "[]", "{}"])
def test_a_json_file_without_rows_is_no_table(tmp_path: Path, text: str) -> None:
    assert table(tmp_path, Metrics(format="json", path="m.json"), cwd__m_json=text) is None


def test_printed_lines_by_a_pattern_of_either_stream(tmp_path: Path) -> None:
    out = Metrics("pattern", pattern=r"epoch (?P<epoch>\d+): loss=(?P<loss>\S+)(?: acc=(?P<acc>\S+))?")
    err = Metrics("pattern", pattern=r"took (?P<took_s>\S+) s", source="stderr")
    assert table(
        tmp_path, out, err,
        log__stdout_txt="hello\nepoch 1: loss=0.10\n[x] epoch 2: loss=1e-3 acc=0.9\nepoch 3: lo",
        log__stderr_txt="took 1.50 s\n",
    ) == "epoch,loss,acc,took_s\n1,0.10,,\n2,1e-3,0.9,\n,,,1.50\n"  # fmt: skip


def test_a_half_csv_row_keeps_what_is_there_and_too_many_cells_are_left_out(tmp_path: Path) -> None:
    assert table(tmp_path, CSV, cwd__m_csv="a,b,c\n1,2,3,4\n5,6") == "a,b,c\n1,2,3\n5,6,\n"


def test_several_sources_follow_one_another_and_columns_are_the_union(tmp_path: Path) -> None:
    said = table(tmp_path, CSV, LINES, cwd__m_csv="a,b\n1,2\n", cwd__m_jsonl='{"b": 3, "c": "x"}\n')
    assert said == "a,b,c\n1,2,\n,3,x\n"


def test_a_path_may_be_a_pattern_for_several_files(tmp_path: Path) -> None:
    (tmp_path / "cwd" / "m.csv").mkdir()
    said = table(tmp_path, Metrics("csv", "*.csv"), cwd__b_csv="a\n2\n", cwd__a_csv="a\n1\n")
    assert said == "a\n1\n2\n"


@pytest.mark.parametrize("written", ["", "epoch,loss\n", "epoch,loss"])
def test_nothing_to_write_is_no_table(tmp_path: Path, written: str) -> None:
    assert table(tmp_path, CSV, LINES, Metrics("pattern", pattern="(?P<a>x)"), cwd__m_csv=written) is None


def test_bytes_that_are_no_text_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "cwd" / "m.csv").write_bytes(b"a,b\n1,\xff\n\x00,2\n")
    assert table(tmp_path, CSV) == "a,b\n1,\N{REPLACEMENT CHARACTER}\n\x00,2\n"


def test_rows_after_a_cell_without_end_are_left_out(tmp_path: Path) -> None:
    said = table(tmp_path, CSV, cwd__m_csv="a\n1\n" + "x" * (metrics.FIELD_BYTES_MAX + 1) + "\n2\n")
    assert said == "a\n1\n"


def test_text_that_cannot_be_written_is_replaced(tmp_path: Path) -> None:
    assert table(tmp_path, LINES, cwd__m_jsonl='{"a": "x", "b": NaN}\n{"a": "\\ud800 y"}\n{"a": 1.0}\n') is not None


def test_a_pattern_that_never_ends_gives_what_it_found_and_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "SEARCH_S_MAX", 1.0)
    endless = Metrics("pattern", pattern=r"(?P<a>(?:x+)+)$")
    assert table(tmp_path, endless, log__stdout_txt="xx\n" + "x" * 60 + "!\nxxx\n") == "a\nxx\n"
