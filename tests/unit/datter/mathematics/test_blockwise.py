"""What is larger than memory is reduced as what is not, in bounded memory."""

from __future__ import annotations

import tracemalloc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from plotter2.datter.figures import automatic
from plotter2.datter.loading import load_file
from plotter2.datter.mathematics import blockwise, cluster, stats
from plotter2.datter.values import spill
from plotter2.datter.values.group import DataGroup, Member
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

CHANCE = np.random.default_rng(11)
WORDS: dict[str, Callable[..., Any]] = {
    "mean": stats.mean,
    "median": stats.median,
    "stddev": stats.stddev,
    "l1norm": stats.l1norm,
    "l2norm": stats.l2norm,
    "product": stats.product,
    "mode": stats.mode,
}
FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=64) | st.sampled_from([0.0, -0.0, 1.0, 5e-324])


@pytest.fixture
def by_blocks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """All arrays are large, and blocks have a few numbers."""
    monkeypatch.setattr(spill, "LARGE_BYTES", 1)
    monkeypatch.setattr(spill, "BLOCK_BYTES", 200)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@given(values=arrays.arrays(float, st.integers(1, 20), elements=FLOATS))
def test_the_value_of_a_rank_is_the_one_that_sorting_finds(values: np.ndarray) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spill, "BLOCK_BYTES", 64)
        patch.setattr(blockwise, "DIGIT_BITS", 8)  # tables of 256 counts: the same in a hundredth of the time
        found = [blockwise.ranked(values, rank) for rank in range(len(values))]
        middle = blockwise.median(values)
    assert found == np.sort(values).tolist()
    with np.errstate(over="ignore"):
        assert middle == pytest.approx(float(np.median(values / 4)) * 4, rel=1e-12, abs=1e-300)


@pytest.mark.req("r111", "r112", "r117", "r118")
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("kind", [float, np.float32, np.int16])
def test_blocks_give_what_the_whole_gives(
    monkeypatch: pytest.MonkeyPatch, word: str, axis: int | None, kind: type
) -> None:
    data: np.ndarray = (CHANCE.normal(size=(31, 17, 3)) * 3 + 4).astype(kind)
    whole = WORDS[word](data, axis)
    monkeypatch.setattr(spill, "LARGE_BYTES", 1)
    monkeypatch.setattr(spill, "BLOCK_BYTES", 200)
    assert WORDS[word](data, axis) == pytest.approx(whole, rel=1e-12)
    assert WORDS[word](data.transpose(2, 0, 1), axis) == pytest.approx(
        WORDS[word](data.transpose(2, 0, 1).copy(), axis)
    )


@pytest.mark.parametrize("word", ["mean", "median", "stddev", "l1norm", "l2norm"])
def test_missing_and_endless_values_go_through_blocks_as_through_the_whole(
    monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    cases = [np.array([1.0, np.nan, 3.0]), np.array([np.inf, 1.0, -np.inf]), np.array([1e300, -1e300, 2e300, 1e300])]
    whole = [WORDS[word](one) for one in cases]
    monkeypatch.setattr(spill, "LARGE_BYTES", 1)
    monkeypatch.setattr(spill, "BLOCK_BYTES", 8)
    with np.errstate(invalid="ignore"):
        assert [WORDS[word](one) for one in cases] == pytest.approx(whole, nan_ok=True)


@pytest.mark.req("r004")
def test_a_median_of_a_large_array_takes_little_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", CHANCE.normal(size=(500, 1_000)))
    data = np.load(tmp_path / "a.npy", mmap_mode="r")
    expected = [float(np.median(data)), float(np.std(data))]
    monkeypatch.setattr(spill, "LARGE_BYTES", 1 << 20)
    monkeypatch.setattr(spill, "BLOCK_BYTES", 1 << 16)
    tracemalloc.start()
    try:
        found = [stats.median(data), stats.stddev(data)]
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == pytest.approx(expected, rel=1e-12)
    assert most < data.nbytes / 2


class Watched:
    """Makes arrays, and knows how many of them are alive at most."""

    def __init__(self, count: int) -> None:
        self.most = self._alive = 0
        self.group = DataGroup([Member(str(place), place, self._maker(place)) for place in range(count)], "many")

    def _maker(self, place: int) -> Callable[[], np.ndarray]:
        def make() -> np.ndarray:
            made = np.arange(50.0) * (place % 5) + place
            self._alive += 1
            self.most = max(self.most, self._alive)
            weakref.finalize(made, self._gone)
            return made

        return make

    def _gone(self) -> None:
        self._alive -= 1


@pytest.mark.req("r004", "r182")
@pytest.mark.parametrize("word", WORDS)
def test_a_group_is_reduced_with_few_of_its_values_at_a_time(
    by_blocks: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    watched = Watched(40)
    found = WORDS[word](watched.group)
    assert watched.most <= 3
    assert list(by_blocks.iterdir()) == []
    monkeypatch.setattr(spill, "LARGE_BYTES", 1 << 28)
    assert found == pytest.approx(WORDS[word](Watched(40).group))


@pytest.mark.usefixtures("by_blocks")
def test_a_large_group_of_unlike_items_is_reduced_item_by_item() -> None:
    group = DataGroup.of([np.arange(3.0), np.arange(4.0)], name="g")
    assert list(stats.mean(group)) == [1.0, 1.5]
    with pytest.raises(UsageError, match="different shapes"):
        stats.mean(group, over="items")


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_numbers_of_few_bits_are_computed_with_in_many(kind: type) -> None:
    largest = float(np.finfo(kind).max)
    data: np.ndarray = np.array([largest, largest, 0.0], kind)
    assert stats.stddev(data) == pytest.approx(np.std(data.astype(float)))
    assert stats.l1norm(data) == pytest.approx(2 * largest)
    assert stats.l2norm(data) == pytest.approx(np.sqrt(2) * largest)
    assert stats.product(data[:2]) == pytest.approx(largest**2)


@pytest.mark.req("r154")
@pytest.mark.parametrize("factor", [1.0, 1e308, 1e-310])
def test_scales_do_not_depend_on_the_unit(factor: float) -> None:
    data = np.array([1.0, 0.5, -1.0, np.nan])
    assert cluster.scale(data * factor) == pytest.approx(cluster.scale(data), rel=1e-9, nan_ok=True)
    assert cluster.scale(data * factor, "minmax") == pytest.approx([1.0, 0.75, 0.0, np.nan], nan_ok=True)


def test_columns_without_values_stay_so_in_silence() -> None:
    data = np.array([[1.0, np.nan], [3.0, np.nan]])
    for how in ("zscore", "minmax", "log"):
        found = cluster.scale(data, how)
        assert np.isnan(found[:, 1]).all()
        assert np.isfinite(found[:, 0]).all()


def test_a_cosine_of_an_empty_group_is_refused() -> None:
    with pytest.raises(UsageError, match="The group 'g' is empty"):
        stats.cosine_simularity(DataGroup.of([], name="g"))


@pytest.mark.parametrize("lines", [[10**400, -(10**400), 1], [10**400, None, 1]])
def test_numbers_beyond_all_floats_in_records_are_infinite_as_1e400_is(tmp_path: Path, lines: list[Any]) -> None:
    text = "".join(f'{{"a": {"null" if one is None else one}}}\n' for one in lines)
    (tmp_path / "a.jsonl").write_text(text)
    table = load_file(tmp_path / "a.jsonl", "a.jsonl")
    expected = [
        np.nan if one is None else np.inf * np.sign(float(one > 0) - 0.5) if abs(one) > 1 else 1.0 for one in lines
    ]
    assert table.column("a").tolist() == pytest.approx(expected, nan_ok=True)


@pytest.mark.req("r182")
def test_a_group_is_drawn_with_few_of_its_values_at_a_time(by_blocks: Path) -> None:
    watched = Watched(40)
    panels = automatic.panels_of(watched.group, "many", "line")
    assert watched.most <= 3
    assert panels
    assert list(by_blocks.iterdir()) == []


@pytest.mark.req("r182")
def test_tables_of_a_group_are_drawn_one_at_a_time_also_where_two_have_one_name(by_blocks: Path) -> None:
    alive, most = 0, 0

    def make(place: int) -> Callable[[], Table]:
        def made() -> Table:
            nonlocal alive, most
            found = Table({"step": [1, 2, 3], "loss": [1.0, place, 2.0]})
            alive += 1
            most = max(most, alive)
            weakref.finalize(found, gone)
            return found

        return made

    def gone() -> None:
        nonlocal alive
        alive -= 1

    group = DataGroup([Member("run", place, make(place)) for place in range(10)], "runs")
    (panel,) = automatic.panels_of(group, "runs")
    assert most <= 3
    assert len([layer for layer in panel.layers if layer.mark == "line"]) == 10
    assert list(by_blocks.iterdir()) == []
