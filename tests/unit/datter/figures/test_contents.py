"""Content is hashed once while nobody can change it, and each time while somebody can."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from plotter2.datter.figures import figure
from plotter2.datter.figures.contents import Contents, is_fixed
from plotter2.datter.mathematics import cluster
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.points import Points
from plotter2.datter.values.table import Table
from tests.unit.datter.kit import Bench, scope_of

DATA = np.random.default_rng(3).normal(size=(60, 3))


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes of each array that is hashed."""
    seen: list[int] = []
    whole = figure.digest

    def counting(value: object) -> str:
        if isinstance(value, np.ndarray):
            seen.append(value.nbytes)
        return whole(value)

    monkeypatch.setattr(figure, "digest", counting)
    return seen


def sealed(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "value",
    [
        sealed(DATA.copy()),
        Points(sealed(DATA.copy()), ("a", "b", "c")),
        Table(pa.table({"a": [1.0, 2.0], "b": ["x", None]})),
        DataGroup.of([sealed(DATA.copy()), sealed(DATA + 1)]),
        cluster.pca(DATA, 2),
    ],
    ids=["array", "points", "table", "group", "components"],
)
def test_what_cannot_change_is_hashed_once(hashed: list[int], value: object) -> None:
    known = Contents({})
    first = known.digest(value)
    count = len(hashed)
    assert known.digest(value) == first
    assert len(hashed) == count > 0
    assert Contents({}).digest(value) == first


def test_what_can_change_is_hashed_each_time(hashed: list[int]) -> None:
    known, array = Contents({}), DATA.copy()
    view = array[:10]
    view.flags.writeable = False
    for value in (array, view, DataGroup.of([array]), Points(array, ("a", "b", "c")), [array]):
        before = known.digest(value)
        array[0, 0] += 1
        assert known.digest(value) != before
    assert len(hashed) == 10


def test_an_array_that_is_opened_for_writing_is_looked_at_again() -> None:
    known, array = Contents({}), sealed(DATA.copy())
    before = known.digest(array)
    array.flags.writeable = True
    array[0, 0] = 5
    assert known.digest(array) != before


def test_a_digest_goes_with_its_value() -> None:
    known, found = Contents({}), set()
    for place in range(50):  # places in memory come again
        array = sealed(np.full(1000, float(place)))
        found.add(known.digest(array))
        del array
        gc.collect()
    assert len(found) == 50


def test_mapped_files_and_arrow_are_fixed_and_what_can_be_written_to_is_not(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", DATA)
    assert is_fixed(np.asarray(np.load(tmp_path / "a.npy", mmap_mode="r"))[3:])
    assert not is_fixed(np.load(tmp_path / "a.npy", mmap_mode="r+"))
    assert is_fixed(pa.array([1.0, 2.0]).to_numpy())
    assert is_fixed(np.frombuffer(b"12345678"))
    assert not is_fixed(sealed(np.frombuffer(bytearray(8))))


@pytest.mark.req("r137")
def test_twenty_panels_of_one_value_hash_it_once(hashed: list[int], tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    source = (
        "def task():\n    made = pca([[i, i * i % 7, i % 3] for i in range(50)], 2)\n"
        "    window = frame()\n    for _ in range(20):\n        plotme(window, made)\n"
    )
    result = bench.run(source, scope_of(tmp_path))
    shown = {ref["digest"] for panel in bench.sidecar(result)["panels"] for ref in panel["data"]}
    assert len(shown) == 1
    assert hashed.count(50 * 2 * 8) == 1
