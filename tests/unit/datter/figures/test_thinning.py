"""Much data becomes little by rules that keep what matters, strip by strip."""

from __future__ import annotations

import itertools
import weakref
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from plotter2.datter.figures import automatic, curves, thinning
from plotter2.datter.values.group import DataGroup, Member
from plotter2.errors import UsageError

CHANCE = np.random.default_rng(5)


@pytest.mark.parametrize("strip", [1, 7_000, thinning.STRIP_CELLS])
def test_blocks_are_the_means_of_what_is_there_however_it_is_cut(monkeypatch: pytest.MonkeyPatch, strip: int) -> None:
    monkeypatch.setattr(thinning, "MATRIX_SIDE_MAX", 10)
    monkeypatch.setattr(thinning, "STRIP_CELLS", strip)
    values = CHANCE.normal(size=(37, 23))
    values[CHANCE.random(values.shape) < 0.3] = np.nan
    values[:4, :3] = np.inf
    found, notes = thinning.blocks(values)
    for row in range(10):
        for column in range(8):
            cells = values[row * 4 : row * 4 + 4, column * 3 : column * 3 + 3]
            cells = cells[np.isfinite(cells)]
            want = cells.mean() if cells.size else np.nan
            np.testing.assert_allclose(found[row, column], want)
    assert notes == ["Each cell is the mean of 4 x 3 of the 37 x 23 values."]


@pytest.mark.parametrize("strip", [1, thinning.STRIP_CELLS])
def test_a_curve_keeps_the_extremes_of_each_stretch(monkeypatch: pytest.MonkeyPatch, strip: int) -> None:
    monkeypatch.setattr(thinning, "STRIP_CELLS", strip)
    values = CHANCE.normal(size=10_001)
    values[[17, 9_000]] = np.nan
    kept = thinning.extremes(values)
    assert len(kept) <= 2 * thinning.LINE_BUCKETS
    edges = np.linspace(0, len(values), thinning.LINE_BUCKETS + 1).astype(int)
    for first, last in itertools.pairwise(edges):
        part = values[first:last]
        there = values[kept[(kept >= first) & (kept < last)]]
        assert (np.nanmin(there), np.nanmax(there)) == (np.nanmin(part), np.nanmax(part))


def test_very_many_values_are_drawn_by_their_extremes_and_their_mean() -> None:
    values = np.tile([0.0, 10.0, 2.0], 30_000)
    panel = curves.lines([("", np.arange(len(values)), values)], "place", "v")
    faint, mean = panel.layers
    assert faint.alpha < mean.alpha
    assert (faint.columns["y"].min(), faint.columns["y"].max()) == (0, 10)
    np.testing.assert_allclose(mean.columns["y"], 4, atol=0.2)
    assert panel.notes == (
        "Drawn by the extremes of each of 2,000 stretches, faint, and their mean: v (90,000 values).",
    )


class _Frame(np.ndarray):  # type: ignore[type-arg] # of numbers
    """An array that can be watched."""


def test_the_frames_of_a_group_are_taken_one_at_a_time() -> None:
    alive: list[weakref.ref[Any]] = []
    most = 0

    def load(place: int) -> Any:
        nonlocal most
        most = max(most, sum(one() is not None for one in alive))
        made: NDArray[Any] = np.full((3, 4), float(place)).view(_Frame)
        alive.append(weakref.ref(made))
        return made

    group = DataGroup(Member(str(at), at, lambda at=at: load(at)) for at in range(50))  # type: ignore[misc] # a default
    (panel,) = automatic.panels_of(group, visual="animation")
    assert panel.motion is not None
    assert panel.motion.frames.dtype == np.float32
    assert panel.motion.frames[:, 0, 0].tolist() == list(range(50))
    assert (panel.colours.low, panel.colours.high) == (0, 49) if panel.colours else False
    assert most <= 2  # the first, of which the others have the shape, and the one before


def test_a_long_curve_moves_by_its_extremes() -> None:
    frames = CHANCE.normal(size=(5, 30_000))
    frames[3, 12_345] = 99
    (panel,) = automatic.panels_of(frames, visual="animation")
    assert panel.motion is not None
    assert panel.motion.frames.shape == (5, 2 * thinning.LINE_BUCKETS)
    assert panel.motion.frames[3].max() == 99
    assert panel.layers[0].columns["x"].shape == (2 * thinning.LINE_BUCKETS,)
    assert "2,000 stretches of 30,000 values" in " ".join(panel.notes)


def test_frames_of_other_shapes_are_named() -> None:
    with pytest.raises(UsageError, match=r"frame 2 has the shape \(4,\), the first one \(3,\)"):
        automatic.panels_of(DataGroup.of([np.zeros(3), np.zeros(3), np.zeros(4)]), visual="animation")
