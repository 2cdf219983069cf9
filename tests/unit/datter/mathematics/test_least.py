"""fit and mode of what is larger than memory: what the whole gives, gone over by blocks, and mapped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from plotter2.datter.mathematics import blockwise, fitting, least, stats
from plotter2.datter.mathematics.expression import expr
from plotter2.datter.mathematics.fitting import Fit
from plotter2.datter.values import spill
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

CHANCE = np.random.default_rng(3)
X = np.sort(CHANCE.uniform(1, 5, 3_000))
LINE = 2 * X - 1 + CHANCE.normal(size=len(X)) * 0.1
GROWTH = 0.5 * np.exp(0.4 * X) + CHANCE.normal(size=len(X)) * 0.01


class Watched:
    """How many bytes any block has that is asked for."""

    def __init__(self) -> None:
        self.most = 0
        self._blocks = spill.blocks

    def __call__(self, values: np.ndarray, rows: int = 0) -> Iterator[np.ndarray]:
        for block in self._blocks(values, rows):
            self.most = max(self.most, len(block) * (block.nbytes // len(block)))
            yield block


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Watched:
    """Everything is larger than memory, and a block has 100 points."""
    found = Watched()
    monkeypatch.setattr(spill, "LARGE_BYTES", 1)
    monkeypatch.setattr(spill, "BLOCK_BYTES", 100 * 8 * least.COLUMNS)
    monkeypatch.setattr(spill, "blocks", found)
    monkeypatch.setattr(least, "SAMPLE_MAX", 200)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return found


def alike(one: Fit, two: Fit) -> None:
    assert one.params == pytest.approx(two.params, rel=1e-7)
    assert one.errors == pytest.approx(two.errors, rel=1e-4)
    assert one.r2 == pytest.approx(two.r2, rel=1e-9)
    assert one.curve == pytest.approx(two.curve, rel=1e-5)
    assert one.residuals == pytest.approx(two.residuals, abs=1e-6 * float(np.abs(two.y).max()))
    assert one.names == two.names


CASES: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "line": ((X, LINE), {}),
    "polynomial": ((X, LINE), {"model": "poly:4"}),
    "exponential": ((X, GROWTH), {"model": "exp"}),
    "formula": ((X, GROWTH), {"model": expr("y = a exp(b x) + c")}),
    "weights": ((X, LINE), {"weights": X}),
    "places": ((LINE,), {}),
    "two columns": ((np.column_stack([X, LINE]),), {}),
    "table": ((Table({"x": X, "y": LINE}),), {}),
    "times": ((Table({"t": (X * 1e6).astype("M8[us]"), "y": LINE}),), {}),
    "gaps": ((X, np.where(np.arange(len(X)) % 7 == 0, np.nan, LINE)), {}),
    "far away": ((X + 1e6, LINE * 1e200), {"model": "poly:2"}),
}


@pytest.mark.req("r152", "r004")
@pytest.mark.parametrize("case", CASES)
def test_a_fit_by_blocks_is_that_of_the_whole(watched: Watched, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    given_data, how = CASES[case]
    found = fitting.fit(*given_data, **how)
    assert 0 < watched.most <= spill.BLOCK_BYTES
    assert all(isinstance(one.base if one.base is not None else one, np.memmap) for one in (found.x, found.residuals))
    assert np.isfinite(found.x).all()
    monkeypatch.setattr(spill, "LARGE_BYTES", 1 << 40)
    whole = fitting.fit(*given_data, **how)
    alike(found, whole)
    assert found(2.0) == pytest.approx(whole(2.0), rel=1e-6)


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize(
    ("data", "how", "said"),
    [
        ((X, LINE[1:]), {}, "equally many"),
        ((X, LINE), {"weights": -X}, "weights are 0 or more"),
        ((np.ones(500), LINE[:500]), {}, "needs more than 2 points at 2 or more places"),
        ((X, LINE), {"start": {"a": 1.0}}, "only a formula has a start"),
        ((np.full(500, np.datetime64("NaT", "s")), LINE[:500]), {}, "Every time is missing"),
    ],
)
def test_what_cannot_be_fitted_is_refused_by_blocks_too(data: Any, how: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        fitting.fit(*data, **how)


VALUES = st.sampled_from([0.0, -0.0, 1.0, -2.5, 5e-324, np.inf, -np.inf, 3.0, 4.0])


@pytest.mark.req("r113", "r004")
@given(values=arrays.arrays(float, st.integers(1, 60), elements=VALUES), block=st.sampled_from([8, 24, 200]))
def test_the_mode_by_sorted_runs_is_that_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, values: np.ndarray, block: int
) -> None:
    expected = stats.mode(values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spill, "BLOCK_BYTES", block)
        patch.setattr("tempfile.tempdir", str(tmp_path_factory.getbasetemp()))
        assert blockwise.mode(values) == expected


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.float32, bool])
def test_the_mode_keeps_its_kind(watched: Watched, kind: type) -> None:
    assert watched
    data: np.ndarray = np.array([[3, 1], [1, 3], [3, 0]], kind)
    assert stats.mode(data) == (True if kind is bool else 3)
    big = np.array([2**62 + 1, 2**62 + 1, 2**62, 5])
    assert stats.mode(big) == 2**62 + 1
    assert np.isnan(stats.mode(np.array([1.0, np.nan])))


@pytest.mark.req("r004")
def test_the_mode_looks_at_little_at_a_time(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    assert watched
    sizes = []
    unique = np.unique

    def counted(values: np.ndarray, **how: Any) -> Any:
        sizes.append(values.size)
        return unique(values, **how)

    monkeypatch.setattr(np, "unique", counted)
    monkeypatch.setattr(spill, "BLOCK_BYTES", 1_000 * 8)
    data = np.round(CHANCE.normal(size=50_000), 3)
    found = blockwise.mode(data)
    values, counts = unique(data, return_counts=True)
    assert found == values[counts.argmax()]
    assert max(sizes) <= 4_000
