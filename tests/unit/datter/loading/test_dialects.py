"""csv files as people have them: decimal commas, thousands, days in many notations, quotes, titles, wrong endings."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.datter.loading import delimited, load_file
from plotter2.datter.loading.dates import Dates, dates_in
from plotter2.datter.loading.decimals import Numbers, numbers_in
from plotter2.datter.values.table import Table
from plotter2.errors import PackageError, UsageError
from plotter2.model import package
from plotter2.model.package import Dialect
from tests.unit.datter.kit import Bench, scope_of, written

EUROPE = "Datum;Menge;Preis\n01.02.2024;1.234,50;3,5\n15.02.2024;2.000,00;4,25\n31.12.2024;12,1;0,5\n"


def load(folder: Path, content: str | bytes, dialect: Dialect | None = None, **columns: str) -> Table:
    path = folder / "blob"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = load_file(path, "m.csv", "", columns, dialect or Dialect())
    assert isinstance(found, Table)
    return found


def rows(table: Table) -> list[list[Any]]:
    return [list(row.values()) for row in table.to_arrow().to_pylist()]


@pytest.mark.req("r004", "r021")
def test_a_european_table_has_numbers_and_days(either: Path) -> None:
    found = load(either, EUROPE)
    reference = pd.read_csv(either / "blob", sep=";", decimal=",", thousands=".", parse_dates=["Datum"], dayfirst=True)
    assert [found.kind(name) for name in found.names] == ["time", "number", "number"]
    assert found["Menge"].tolist() == reference["Menge"].tolist() == [1234.5, 2000.0, 12.1]
    assert found["Preis"].tolist() == reference["Preis"].tolist()
    assert found["Datum"].astype("M8[D]").tolist() == reference["Datum"].to_numpy().astype("M8[D]").tolist()
    assert "Menge, Preis: read as numbers whose decimal mark is ','" in " ".join(found.notes)


@pytest.mark.parametrize(
    ("content", "values"),
    [
        ("\ufeffa;b\n1,5;2\n3,25;4\n", [[1.5, 2], [3.25, 4]]),
        ('"cm, tall";"kg, heavy"\n1,80;75,5\n1,75;70\n', [[1.8, 75.5], [1.75, 70.0]]),
        ('"a";"b"\n"1,5";"x"\n"2,5";"y"\n', [[1.5, "x"], [2.5, "y"]]),
        ('city,pop\nA,"1,234,567"\nB,"12,000"\n', [["A", 1_234_567], ["B", 12_000]]),
        ("a;b\n1 234,5;x\n5\u00a0678,1;y\n", [[1234.5, "x"], [5678.1, "y"]]),
        ("a,b\n1'234.5,x\n12,y\n", [[1234.5, "x"], [12.0, "y"]]),
        ("x\n1,5\n2,5\n", [[1.5], [2.5]]),
        ("a\tb\n1,5\tx\n-2\ty\n", [[1.5, "x"], [-2.0, "y"]]),
        ("a,b\n\u22121,x\n?,y\n3,z\n", [[-1, "x"], [None, "y"], [3, "z"]]),
        ("a;b;c\n1.234;0,5;x\n12.345;1,25;y\n", [[1234, 0.5, "x"], [12_345, 1.25, "y"]]),
        ("a;b;c\n1,234;0.5;x\n5,678;1.25;y\n", [[1234, 0.5, "x"], [5678, 1.25, "y"]]),
        ("name;x\nDoe, John;1\nRoe, Jane;2\n", [["Doe, John", 1], ["Roe, Jane", 2]]),
        ("name, first;x\nJohn;1\nJane;2\n", [["John", 1], ["Jane", 2]]),
        ("sep=;\na;b\n1;2\n", [[1, 2]]),
        ("Report of 2024\n\na,b\n1,2\n", [[1, 2]]),
        ("a,b\n1,2,\n3,4,\n", [[1, 2], [3, 4]]),
        ("a,b,\n1,2,\n3,4,\n", [[1, 2], [3, 4]]),
        ("x,y\nr1,1,2\nr2,3,4\n", [["r1", 1, 2], ["r2", 3, 4]]),
        ("a,b\n1,n/a\n2,<NA>\n3,5\n", [[1, None], [2, None], [3, 5]]),
        ("a,b\r1,2\r3,4\r", [[1, 2], [3, 4]]),
        ('a,b\n"one\ntwo",1\n"three, ""four""",2\n', [["one\ntwo", 1], ['three, "four"', 2]]),
        ("a,b", []),
    ],
)
def test_what_people_write_is_read_as_they_mean_it(either: Path, content: str, values: list[list[Any]]) -> None:
    assert rows(load(either, content)) == values


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a;b\n1,234;x\n5,678;y\n", "nothing shows whether 1,234 has a decimal comma; declare a dialect"),
        ("d,x\n01/02/2024,1\n03/04/2024,2\n", "nothing shows which part of 01/02/2024 is the day; declare a dialect"),
        ("a,b\n1,x\ntwo,y\n3.5,z\n", "a: text, as 33% of its values are no numbers"),
    ],
)
def test_what_a_file_does_not_show_stays_text_and_is_said(either: Path, content: str, said: str) -> None:
    found = load(either, content)
    assert found.kind(found.names[0]) == "text"
    assert said in " ".join(found.notes)


def test_a_point_that_may_part_thousands_is_told_of(either: Path) -> None:
    found = load(either, "a;b\n1.234;x\n5.678;y\n")
    assert found["a"].tolist() == [1.234, 5.678]
    assert "where it parts thousands, declare a dialect with decimal ','" in " ".join(found.notes)
    assert load(either, "a;b\n1.234;x\n5.678;y\n", Dialect(decimal=","))["a"].tolist() == [1234, 5678]


def test_a_declared_dialect_decides(either: Path) -> None:
    assert load(either, "a;b\n1,234;x\n", Dialect(decimal=","))["a"].tolist() == [1.234]
    assert load(either, "a;b\n1,234;x\n", Dialect(decimal="."))["a"].tolist() == [1234]
    days = "d,x\n01/02/2024,-999\n03/04/2024,2\n"
    found = load(either, days, Dialect(dates="dmy", missing=("-999",)))
    assert found["d"].astype("M8[D]").astype(str).tolist() == ["2024-02-01", "2024-04-03"]
    assert np.isnan(found["x"][0])
    assert load(either, days, Dialect(dates="mdy"))["d"].astype("M8[D]").astype(str).tolist()[0] == "2024-01-02"
    assert load(either, "a:b\n1:2\n", Dialect(delimiter=":")).names == ("a", "b")


def test_declared_columns_are_read_in_the_notation_of_the_file(either: Path) -> None:
    found = load(either, EUROPE, Menge="float32", Datum="time", Preis="text")
    assert (found["Menge"].dtype, found.kind("Datum")) == (np.float32, "time")
    assert found["Preis"].tolist() == ["3,5", "4,25", "0,5"]
    zoned = load(either, "t,x\n2024-01-02T03:04:05+02:00,1\n", t="time")
    assert zoned["t"].astype("M8[s]").astype(str).tolist() == ["2024-01-02T01:04:05"]
    with pytest.raises(UsageError, match=r"m\.csv cannot be read as csv: .*'x'"):
        load(either, "a;b\n1,5;x\n", b="float64")


@pytest.mark.parametrize(
    ("texts", "days"),
    [
        (["31.12.2024", "-", "01.02.2024"], ["2024-12-31", "NaT", "2024-02-01"]),
        (["01/31/2024", "2/1/2024"], ["2024-01-31", "2024-02-01"]),
        (["31/01/2024 23:59", "1/2/2024 0:01"], ["2024-01-31T23:59", "2024-02-01T00:01"]),
        (["1/31/2024 11:59 PM", "1/1/2024 12:00 am"], ["2024-01-31T23:59", "2024-01-01T00:00"]),
        (["2024/12/31", "2024/01/02"], ["2024-12-31", "2024-01-02"]),
        (["31 Jan 2024", "1-Feb-2024"], ["2024-01-31", "2024-02-01"]),
        (["Jan 31, 2024", "December 1 2024"], ["2024-01-31", "2024-12-01"]),
        (["Mon, 05 Feb 2024 10:00:00.25"], ["2024-02-05T10:00:00.25"]),
        (["3. Okt. 2024"], ["2024-10-03"]),
    ],
)
def test_days_are_read_in_their_notation(texts: list[str], days: list[str]) -> None:
    found = dates_in(pa.array(texts))
    assert isinstance(found, Dates)
    assert found.apply(pa.array(texts)).to_numpy(zero_copy_only=False).astype("M8[ms]").tolist() == (
        np.array(days, "M8[ms]").tolist()
    )


@pytest.mark.parametrize("text", ["31.02.2024", "1.2.24", "99.99.2024", "12.5", "2024-13-01", "31 Foo 2024", "25:00"])
def test_what_is_no_day_is_none(text: str) -> None:
    assert dates_in(pa.array([text])) is None


@given(values=st.lists(st.integers(-(10**12), 10**12).map(lambda one: one / 100), min_size=1, max_size=5))
@pytest.mark.parametrize(("mark", "groups"), [(",", "."), (".", ","), (",", " ")])
def test_numbers_of_either_mark_are_the_numbers_that_were_written(mark: str, groups: str, values: list[float]) -> None:
    texts = [f"{one:,.2f}".replace(",", "_").replace(".", mark).replace("_", groups) for one in values]
    found = numbers_in(pa.array(texts), mark)
    assert isinstance(found, Numbers)
    assert found.apply(pa.array(texts)).to_pylist() == pytest.approx(values)


def test_quoted_lines_are_not_torn_wherever_a_block_ends(tmp_path: Path) -> None:
    content = "a,b\n" + '"one\ntwo, ""three""",1\n' * 100_000
    assert len(load(tmp_path, content)) == len(pl.read_csv(tmp_path / "blob")) == 100_000


def test_decimals_that_begin_far_below_are_numbers_too(either: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 1000)
    monkeypatch.setattr("plotter2.datter.loading.sheet.SAMPLE_BYTES", 400)
    monkeypatch.setattr(delimited, "HEAD_BYTES", 400)
    content = "a;b;d\n" + "1;2;01.02.2024\n" * 500 + "1,5;2;01.02.2024 10:00\n" + "2;x;01.02.2024\n"
    found = load(either, content)
    assert found["a"][-2:].tolist() == [1.5, 2.0]
    assert found.kind("b") == "text"
    assert found["d"][-2].astype("M8[h]").astype(str) == "2024-02-01T10"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(b"a,b\n1,2\n"), "it holds no text, but what a packed file"),
        (b"\x89PNG\r\n\x1a\n", "it holds no text"),
        ('a,b\n1,"x\n2,y\n3,z\n', "is not closed"),
        ("a,b\n1,2,3\n4,5,6\n7,8\n1,2,3\n4,5\n3,4,5,6\n1,2,3,4\n", "4 of 7 rows have another number of fields"),
    ],
)
def test_what_would_be_read_wrongly_is_refused(either: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load(either, content)


def test_windows_text_and_unmarked_utf16_are_read(tmp_path: Path) -> None:
    assert load(tmp_path, "n,x\n\u201cq\u201d \u20ac5,1\n".encode("cp1252"))["n"].tolist() == ["\u201cq\u201d \u20ac5"]
    assert load(tmp_path, "a,b\n1,2\n".encode("utf-16-le")).names == ("a", "b")


@pytest.mark.req("r069")
def test_a_dialect_is_declared_in_package_json(bench: Bench, tmp_path: Path) -> None:
    folder = written(tmp_path / "data", {"m.csv": "a;b\n1,234;-999\n5,678;2\n"})
    dialect = {"decimal": ",", "missing": ["-999"], "//": ["as the machine writes it"]}
    declared = {"data": {"m": {"path": "m.csv", "dialect": dialect}}}
    found = bench.run(
        "def task():\n    return [mean(access('m')['a']), len(access('m'))]\n", scope_of(folder, declared=declared)
    )
    assert found.results == [pytest.approx(3.456), 2]
    for wrong in ({"decimal": "x"}, {"dates": "ydm"}, {"delimiter": "ab"}):
        with pytest.raises(PackageError, match="dialect"):
            package.parse(
                f'{{"data": {{"m": {{"path": "m.csv", "dialect": {str(wrong).replace(chr(39), chr(34))}}}}}}}'
            )


def test_a_file_without_a_head_loses_no_row(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "x", np.array([[3.0, 1.0], [2.0, 5.0], [4.0, 6.0]]), delimiter=",")
    found = load(tmp_path, (tmp_path / "x").read_bytes())
    assert found.names == ("column 1", "column 2")
    assert rows(found) == [[3.0, 1.0], [2.0, 5.0], [4.0, 6.0]]
    assert any("no head" in note for note in found.notes)
    one = load(tmp_path, "7\n8\n9\n")
    assert rows(one) == [[7], [8], [9]]


@pytest.mark.req("r004", "r069")
def test_whether_there_is_a_head_may_be_declared(either: Path) -> None:
    words = "red,1\nblue,2\nred,3\n"
    assert load(either, words).names == ("red", "1")
    found = load(either, words, Dialect(head=False))
    assert (found.names, rows(found)) == (("column 1", "column 2"), [["red", 1], ["blue", 2], ["red", 3]])
    assert not any("head" in note for note in found.notes)
    years = "2019,2020,2021\n5,6,7\n"
    assert rows(load(either, years, Dialect(head=False))) == [[2019, 2020, 2021], [5, 6, 7]]
    named = load(either, "3,1\n2,5\n4,6\n", Dialect(head=True))
    assert (named.names, rows(named)) == (("3", "1"), [[2, 5], [4, 6]])
    assert rows(load(either, "a report\n\nx;1\ny;2\n", Dialect(head=False))) == [["x", 1], ["y", 2]]
    assert rows(load(either, "x\ny\n", Dialect(head=False))) == [["x"], ["y"]]
    assert rows(load(either, "only", Dialect(head=False))) == [["only"]]


def test_a_head_is_declared_for_tsv_too_and_checked(bench: Bench, tmp_path: Path) -> None:
    folder = written(tmp_path / "data", {"m.tsv": "x\t1\ny\t2\n"})
    declared = {"data": {"m": {"path": "m.tsv", "dialect": {"head": False}}}}
    found = bench.run("def task():\n    return list(access('m')['column 2'])\n", scope_of(folder, declared=declared))
    assert found.results == [1, 2]
    for wrong, said in (('{"head": "no"}', "head"), ('{"heed": false}', "'head'")):
        with pytest.raises(PackageError, match=said):
            package.parse(f'{{"data": {{"m": {{"path": "m.tsv", "dialect": {wrong}}}}}}}')


def test_numbers_in_their_order_over_columns_are_their_names_and_that_is_said(tmp_path: Path) -> None:
    found = load(tmp_path, "2019,2020,2021\n5,6,7\n8,9,1\n")
    assert found.names == ("2019", "2020", "2021")
    assert rows(found) == [[5, 6, 7], [8, 9, 1]]
    assert any("taken for the head" in note for note in found.notes)


def test_codes_that_begin_with_0_keep_it(tmp_path: Path) -> None:
    text = "zip,count\n10115,3\n01234,5\n"
    found = load(tmp_path, text)
    assert rows(found) == [["10115", 3], ["01234", 5]]
    assert any("zip" in note and "begin with 0" in note for note in found.notes)
    assert rows(load(tmp_path, text, zip="int64")) == [[10115, 3], [1234, 5]]
    assert rows(load(tmp_path, "month,b\n01,0.5\n10,-0.25\n")) == [[1, 0.5], [10, -0.25]]
