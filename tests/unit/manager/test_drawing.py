"""The definitions that plotter2 brings itself: they are scripts like everybody's, and draw."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from manager import drawing
from plotter2.clock import Instant
from plotter2.datter.check import check_source
from plotter2.model.task import TaskKind
from tests.unit.datter.kit import Bench, scope_of, written
from tests.unit.manager.kit import request

CSV = "epoch,loss\n1,0.5\n2,0.4\n3,0.3\n"


@pytest.mark.req("r026")
def test_a_report_shows_what_it_is_given_or_the_main_data(tmp_path: Path) -> None:
    scope = scope_of(written(tmp_path / "bundle", {"metrics.csv": CSV, "other.csv": CSV}))
    bench = Bench(tmp_path / "out")
    for data, title in ((["metrics.csv", "other.csv"], "Both"), (["metrics.csv"], "One"), ([], "Main")):
        made = bench.run(drawing.REPORT, scope, **json.loads(drawing.given(data, title)))
        assert [(one.kind, one.title) for one in made.made if one.kind == "report"] == [("report", title)]


def cloud(*middles: tuple[float, float]) -> str:
    """Forty rows around each middle, and ten that lie far apart."""
    chance = np.random.default_rng(7)
    near = [chance.normal(middle, 0.1, (40, 2)) for middle in middles]
    far = np.column_stack([np.arange(10) * 40.0 - 200, np.arange(10) % 3 * 90.0 + 100])
    return "x,y\n" + "".join(f"{x},{y}\n" for x, y in np.vstack([*near, far]))


@pytest.mark.req("r019")
def test_clusters_are_drawn_with_or_without_what_belongs_to_none(tmp_path: Path) -> None:
    scope = scope_of(written(tmp_path / "bundle", {"cloud.csv": cloud((0, 0), (5, 5), (0, 9))}))
    bench = Bench(tmp_path / "out")
    given = {"data": "cloud.csv", "circled": True, "labelled": True}
    made = bench.run(drawing.CLUSTERS, scope, **given, cleaned=True)
    assert made.results == {"clusters": 3, "left out": 10}
    assert [one.title for one in made.made if one.kind == "figure"] == ["3 clusters without what belongs to none"]
    page = bench.page(made)
    assert [words in page for words in ("cluster 3 (n = 40)", "around cluster 1", "no cluster (")] == [
        True,
        True,
        False,
    ]
    plain = bench.run(drawing.CLUSTERS, scope, **{**given, "circled": False, "labelled": False}, cleaned=False)
    assert plain.results == {"clusters": 3, "left out": 0}
    assert "around cluster 1" not in bench.page(plain)


@pytest.mark.req("r019")
def test_where_nothing_lies_together_nothing_is_left_out(tmp_path: Path) -> None:
    scope = scope_of(written(tmp_path / "bundle", {"cloud.csv": cloud()}))
    given = {"data": "", "circled": True, "labelled": True, "cleaned": True}
    assert Bench(tmp_path / "out").run(drawing.CLUSTERS, scope, **given).results == {"clusters": 0, "left out": 0}


@pytest.mark.req("r023")
def test_the_definition_of_a_report_is_the_same_whenever_it_is_decided() -> None:
    one = drawing.report(request(1), Instant(5.0))
    check_source(one.source, one.filename, TaskKind.SCRIPT)
    assert drawing.report(request(1), Instant(5.0)) == one
    assert drawing.report(request(2), Instant(5.0)).id != one.id
