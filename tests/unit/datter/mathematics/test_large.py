"""Mathematics by blocks of rows gives what it gives in memory, and says so."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from plotter2.datter.mathematics import cluster, large, moments
from plotter2.datter.values import spill
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.points import Clusters, Projection, complete, points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

CHANCE = np.random.default_rng(5)
DATA = CHANCE.normal(size=(500, 6)) @ np.diag([5, 3, 2, 1, 0.5, 0.1]) + 100
MATRICES = arrays.arrays(float, st.tuples(st.integers(2, 40), st.integers(1, 4)), elements=st.floats(-1e6, 1e6))


def small_blocks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """All matrices are large, and blocks have a few rows."""
    monkeypatch.setattr(spill, "LARGE_BYTES", 1)
    monkeypatch.setattr(spill, "BLOCK_BYTES", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def by_blocks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return small_blocks(monkeypatch, tmp_path)


@given(matrix=MATRICES, shift=st.sampled_from([0.0, 1.0, 1e3, 1e9]))
def test_covariances_are_as_exact_near_0_as_far_from_it(matrix: np.ndarray, shift: float) -> None:
    moved = matrix + shift
    centre, found = moments.covariance(moved)
    spread = np.sqrt(np.outer(*[np.diag(np.atleast_2d(np.cov(moved, rowvar=False)))] * 2))
    rounding = 1e-9 + np.abs(moved).max() ** 2 * 1e-15
    assert (np.abs(found - np.atleast_2d(np.cov(moved, rowvar=False))) <= 1e-12 * spread + rounding).all()
    np.testing.assert_allclose(centre, moved.mean(axis=0), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("shift", [0.0, 3.0, 1e6])
def test_components_do_not_depend_on_where_the_data_lies(shift: float) -> None:
    near, far = large.components(DATA - 100, 3), large.components(DATA - 100 + shift, 3)
    np.testing.assert_allclose(far.placed, near.placed, atol=1e-7)
    np.testing.assert_allclose(far.directions, near.directions, atol=1e-8)
    np.testing.assert_allclose(near.placed.mean(axis=0), 0, atol=1e-10)


@given(matrix=MATRICES, shift=st.sampled_from([0.0, 1e9]))
def test_moments_by_blocks_are_those_of_the_whole(matrix: np.ndarray, shift: float) -> None:
    moved = matrix + shift
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spill, "LARGE_BYTES", 1)
        patch.setattr(spill, "BLOCK_BYTES", 64)
        centre, _ = moments.moments(moved)
        count, _, squares = moments._merged(moved)
        mean, shared = moments.covariance(moved)
    assert centre == pytest.approx(moved.mean(axis=0), rel=1e-9, abs=1e-6)
    assert mean == pytest.approx(centre, rel=1e-9, abs=1e-6)
    assert count.tolist() == [len(moved)] * moved.shape[1]
    spread = max(1.0, float(np.abs(moved).max()))
    assert np.sqrt(squares / len(moved)) == pytest.approx(moved.std(axis=0), rel=1e-6, abs=1e-9 * spread)
    reference = np.atleast_2d(np.cov(moved, rowvar=False))
    assert shared == pytest.approx(reference, rel=1e-5, abs=1e-5 * max(1.0, float(np.abs(reference).max())))


def test_missing_values_count_for_no_moment(by_blocks: Path) -> None:
    assert by_blocks
    data = DATA.copy()
    data[::7, 2] = np.nan
    centre, spread = moments.moments(data)
    assert centre == pytest.approx(np.nanmean(data, axis=0))
    assert spread == pytest.approx(np.nanstd(data, axis=0))


@pytest.mark.req("r123")
@pytest.mark.parametrize("standardise", [True, False])
def test_components_by_blocks_are_those_of_the_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, standardise: bool
) -> None:
    whole = cluster.pca(DATA, 3, standardise=standardise)
    monkeypatch.setattr(spill, "LARGE_BYTES", 1)
    monkeypatch.setattr(spill, "BLOCK_BYTES", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = cluster.pca(DATA, 3, standardise=standardise)
    assert found.matrix == pytest.approx(whole.matrix, abs=1e-8)
    assert found.explained == pytest.approx(whole.explained)
    assert found.components == pytest.approx(whole.components, abs=1e-8)
    assert "exact components, from the covariance" in found.notes[-1]
    assert isinstance(found.matrix, np.memmap)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.req("r123")
def test_wide_matrices_are_decomposed_step_by_step(by_blocks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert by_blocks
    monkeypatch.setattr(large, "COVARIANCE_COLUMNS_MAX", 3)
    found = cluster.pca(DATA, 2)
    centred = DATA - DATA.mean(axis=0)
    rows = np.linalg.svd(centred, full_matrices=False)[2]
    assert np.abs(np.sum(found.components * rows[:2], axis=1)) == pytest.approx([1, 1], abs=1e-3)
    assert "IncrementalPCA" in found.notes[-1]


@pytest.mark.req("r124")
def test_clusters_in_rounds_are_found_and_said(by_blocks: Path) -> None:
    assert by_blocks
    centres = np.array([[0, 0], [20, 0], [0, 20]])
    chance = np.random.default_rng(7)  # of its own: that of all tests stands where the tests before have left it
    data = np.vstack([centre + chance.normal(size=(100 + 50 * place, 2)) for place, centre in enumerate(centres)])
    found = cluster.kmean(data, 3, seed=1)
    assert found.sizes == [200, 150, 100]
    assert any(re.search(r"begun from 100,000 rows, then all in \d rounds?\.", note) for note in found.notes)
    assert cluster.kmean(data, 3, seed=1).labels.tolist() == found.labels.tolist()


@pytest.mark.req("r154")
@pytest.mark.parametrize("how", ["zscore", "minmax", "log", "linear"])
def test_scales_by_blocks_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str) -> None:
    whole = cluster.scale(DATA, how)
    monkeypatch.setattr(spill, "LARGE_BYTES", 1)
    monkeypatch.setattr(spill, "BLOCK_BYTES", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert cluster.scale(DATA, how) == pytest.approx(whole)


def test_rows_and_columns_are_left_out_by_blocks_as_in_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    data = np.column_stack([DATA, np.ones(len(DATA)), np.full(len(DATA), np.nan)])
    data[3, 0] = data[400, 1] = np.inf
    table = Table({f"c{place}": data[:, place] for place in range(data.shape[1])} | {"who": list("ab") * 250})
    whole = complete(points(table.labelled("who")), varying=True)
    monkeypatch.setattr(spill, "LARGE_BYTES", 1)
    monkeypatch.setattr(spill, "BLOCK_BYTES", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = complete(points(table.labelled("who")), varying=True)
    assert np.array_equal(found.matrix, whole.matrix)
    assert (found.names, found.notes) == (whole.names, whole.notes)
    assert len(found.notes) == 3
    assert found.groups is not None
    assert found.groups.codes.tolist() == whole.groups.codes.tolist()  # type: ignore[union-attr] -- they have a label


@pytest.mark.parametrize(
    "group",
    [
        DataGroup.of([Table({"a": [1.0, 2.0]}), Table({"a": [3.0]})], ["x", "y"]),
        DataGroup.of([np.array([[1, 2], [3, 4]]), np.array([[5, 6], [7, 8]])]),
    ],
)
def test_groups_are_put_together_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, group: DataGroup
) -> None:
    whole = points(group)
    monkeypatch.setattr(spill, "LARGE_BYTES", 1)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = points(group)
    assert isinstance(found.matrix, np.memmap)
    assert np.array_equal(found.matrix, whole.matrix)
    assert found.names == whole.names
    if whole.groups is not None and found.groups is not None:
        assert found.groups.codes.tolist() == whole.groups.codes.tolist() == [0, 0, 1]


def test_floats_that_are_there_are_not_copied() -> None:
    assert np.shares_memory(points(DATA).matrix, DATA)
    assert np.shares_memory(complete(points(DATA), varying=True).matrix, DATA)
    assert points(DATA.astype(np.float32)).matrix.dtype == float


@pytest.mark.req("r124")
def test_the_starts_of_kmean_are_a_parameter() -> None:
    one, many = (cluster.kmean(DATA, 5, starts=starts) for starts in (1, 20))
    assert many.inertia <= one.inertia
    assert cluster.kmean(DATA, 5).labels.tolist() == one.labels.tolist()
    with pytest.raises(UsageError, match="starts must be between 1 and 100, not 0"):
        cluster.kmean(DATA, 5, starts=0)


def test_two_zeros_are_one_row() -> None:
    with pytest.raises(UsageError, match="1 and the 2 distinct rows, not 3"):
        cluster.kmean(np.array([[0.0, 1.0], [-0.0, 1.0], [2.0, 2.0]]), 3)


def test_components_that_take_long_are_near_the_exact_ones_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    data = CHANCE.normal(size=(60, 55)) @ np.diag(0.8 ** np.arange(55))
    exact = cluster.pca(data, 2)
    monkeypatch.setattr(cluster, "PRODUCTS_MAX", 1_000)
    near = cluster.pca(data, 2)
    assert (exact.notes, "randomised" in near.notes[-1]) == ((), True)
    assert near.explained == pytest.approx(exact.explained, rel=1e-3)


@pytest.mark.req("r123")
@pytest.mark.parametrize("rows", [DATA, DATA[:20]])
@pytest.mark.parametrize(("factor", "shift"), [(1.0, 1e9), (1e200, 0.0), (1e-200, 0.0), (1e150, 1e153)])
def test_components_do_not_depend_on_units_and_means(rows: np.ndarray, factor: float, shift: float) -> None:
    plain = cluster.pca(rows - 100, 2)
    found = cluster.pca((rows - 100) * factor + shift, 2)
    assert found.components == pytest.approx(plain.components, abs=1e-5)
    assert found.explained == pytest.approx(plain.explained, rel=1e-5)
    assert found.matrix / factor == pytest.approx(plain.matrix, abs=1e-4)


@pytest.mark.req("r124")
@pytest.mark.parametrize("factor", [1e200, 1e-200])
def test_clusters_do_not_depend_on_units(factor: float) -> None:
    plain = cluster.kmean(DATA, 3)
    found = cluster.kmean(DATA * factor, 3)
    assert found.labels.tolist() == plain.labels.tolist()
    assert found.centres / factor == pytest.approx(plain.centres)
    assert found.inertia == pytest.approx(plain.inertia * factor * factor)


@pytest.mark.req("r123", "r124")
@pytest.mark.parametrize("units", [(1.0, 1.0, 1.0), (1e-300, 1e300, 1.0), (1e-6, 1e9, 3.0)])
@pytest.mark.parametrize("is_standardised", [True, False])
def test_gaps_and_odd_units_change_nothing_by_blocks(
    units: tuple[float, float, float], is_standardised: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chance = np.random.default_rng(5)
    group = chance.integers(0, 3, 600)
    rows = (chance.normal(size=(3, 3))[group] * 10 + chance.normal(size=(600, 3)) + 1e3) * units
    rows[chance.random(rows.shape) < 0.04] = np.nan

    def found() -> tuple[Projection, Clusters]:
        return cluster.pca(rows, 2, standardise=is_standardised), cluster.kmean(rows, 3, standardise=is_standardised)

    projected, clustered = found()
    small_blocks(monkeypatch, tmp_path)
    placed, gathered = found()
    assert (placed.shape, len(gathered)) == (projected.shape, len(clustered))
    assert placed.explained == pytest.approx(projected.explained)
    assert placed.matrix / np.abs(projected.matrix).max() == pytest.approx(
        projected.matrix / np.abs(projected.matrix).max(), abs=1e-7
    )
    assert sum(gathered.sizes) == sum(clustered.sizes)
    assert gathered.inertia == pytest.approx(clustered.inertia, rel=0.01)
