"""Texts that are no UTF-8, whole and by blocks: the same characters either way, wherever a block ends."""

from __future__ import annotations

import io
import tracemalloc
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.datter.loading import delimited, encodings, load_file
from plotter2.datter.values import spill
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

ROWS = "".join(f"{n},na\u00efve \u2013 {n % 9} \u20ac\n" for n in range(400))


@pytest.fixture(params=["in memory", "by blocks"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Both readers have to say the same."""
    if request.param == "by blocks":
        monkeypatch.setattr(spill, "LARGE_BYTES", 1)
        monkeypatch.setattr(delimited, "BLOCK_BYTES", 1000)
        monkeypatch.setattr(delimited, "HEAD_BYTES", 100)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def load(folder: Path, content: bytes) -> Table:
    (folder / "blob").write_bytes(content)
    found = load_file(folder / "blob", "m.csv")
    assert isinstance(found, Table)
    return found


def by_pieces(text: bytes, size: int) -> tuple[bytes, str]:
    encoding = encodings.likely(text)
    while True:
        file = encodings.Utf8File(io.BytesIO(text), encoding)
        try:
            return b"".join(iter(partial(file.read, size), b"")), encoding
        except encodings.UnfitEncodingError as wrong:
            encoding = wrong.instead


@given(
    st.text(st.characters(codec="cp1252"), min_size=1),
    st.sampled_from(["utf-8", "cp1252", "latin-1", "utf-16", "utf-16-le", "utf-16-be"]),
    st.integers(1, 50),
)
def test_a_text_by_pieces_is_the_whole_text(text: str, encoding: str, size: int) -> None:
    raw = text.encode(encoding, "replace")
    whole, found = encodings.whole(raw)
    assert by_pieces(raw, size) == (whole, found)
    assert whole.decode()
    if found in {encodings.UTF8, encodings.WINDOWS, encodings.LATIN}:
        assert whole.decode() == raw.decode(found)


@pytest.mark.req("r004", "r021")
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_table_that_is_no_utf8_is_read_as_what_it_is(either: Path, encoding: str) -> None:
    ahead = "" if encoding == "cp1252" else "\ufeff" * (encoding != "utf-16")
    found = load(either, (ahead + "n,w\n" + ROWS).encode(encoding))
    assert found.names == ("n", "w")
    assert found["n"].tolist() == list(range(400))
    assert found["w"][7] == "na\u00efve \u2013 7 \u20ac"
    said = "Windows-1252" if encoding == "cp1252" else "UTF-16"
    assert f"m.csv: it is not UTF-8 and was read as {said}" in found.notes[0]


def test_what_windows_does_not_know_is_latin(either: Path) -> None:
    found = load(either, b"n,w\n" + b"1,x\n" * 400 + b"2,\xe9\x81\n")
    assert found["w"][-1] == "\u00e9\x81"
    assert "was read as Latin-1" in found.notes[0]


def test_one_broken_character_does_not_make_all_others_wrong(either: Path) -> None:
    found = load(either, ("n,w\n" + ROWS).encode() + b"400,cut \xe2\x82\n")
    assert found["w"][7] == "na\u00efve \u2013 7 \u20ac"
    assert found["w"][-1] == "cut \ufffd"
    assert "some of its bytes are no UTF-8 and became \ufffd" in found.notes[0]


def test_a_row_may_be_longer_than_a_block(either: Path) -> None:
    found = load(either, b"n,w\n" + b"1,x\n" * 400 + b"2," + b"y" * 9_000 + b"\n3,z\n")
    assert [len(one) for one in found["w"][-3:]] == [1, 9_000, 1]


def test_a_row_that_never_ends_is_told_of(either: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "ROW_BYTES_MAX", 8_000)
    text = b"n,w\n" + b"1,x\n" * 400 + b'2,"' + b"3,z\n" * 40_000
    with pytest.raises(UsageError, match=r'a quotation mark \("\) (is )?not closed'):
        load(either, text)


@pytest.mark.req("r004")
def test_a_large_csv_is_read_some_blocks_ahead_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "LARGE_BYTES", 1 << 20)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "blob").write_bytes(b"a,b\n" + b"1.25,22222.125\n" * (4 << 20))
    tracemalloc.start()
    try:
        assert len(load_file(tmp_path / "blob", "m.csv")) == 4 << 20
        assert tracemalloc.get_traced_memory()[1] < (tmp_path / "blob").stat().st_size / 2
    finally:
        tracemalloc.stop()
