"""k-means in rounds over blocks: what scikit-learn finds from the same start, whatever the blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from plotter2.datter.mathematics import rounds
from plotter2.datter.values import spill

CHANCE = np.random.default_rng(5)
CENTRES = np.array([[0.0, 0.0, 0.0], [6.0, 1.0, 0.0], [0.0, 5.0, 2.0], [3.0, 3.0, 9.0]])
DATA = np.vstack([centre + CHANCE.normal(size=(250, 3)) for centre in CENTRES])


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(spill, "LARGE_BYTES", 1)
    monkeypatch.setattr(spill, "BLOCK_BYTES", 2_000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.mark.req("r124", "r004")
@pytest.mark.parametrize("away", [0.0, 1e7])
def test_the_rounds_end_where_scikit_learn_ends(away: float) -> None:
    data, start = DATA + away, DATA[[0, 1, 2, 3]] + away
    reference = KMeans(4, init=start, n_init=1).fit(data)
    found = rounds.settled(data, 0, lambda _: start)
    assert "still moved" not in found.note
    assert found.labels.tolist() == reference.labels_.tolist()
    assert found.centres == pytest.approx(reference.cluster_centers_, rel=1e-9)
    assert found.inertia == pytest.approx(reference.inertia_, rel=1e-6)


def test_a_sample_is_drawn_by_the_seed_and_no_larger_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "SAMPLE_ROWS", 60)
    seen: list[NDArray[np.float64]] = []

    def start(sample: NDArray[np.float64]) -> NDArray[np.float64]:
        seen.append(sample)
        return sample[:2]

    for seed in (1, 1, 2):
        rounds.settled(DATA, seed, start)
    assert [len(one) for one in seen] == [60, 60, 60]
    assert np.array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[0], seen[2])


def test_rounds_that_do_not_settle_end_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "ROUNDS_MAX", 2)
    found = rounds.settled(DATA, 0, lambda _: DATA[:4])
    assert found.note.endswith("then all in 2 rounds, after which the centres still moved.")
