"""The definitions that plotter2 brings itself: they are scripts like everybody's, and draw."""

from __future__ import annotations

import json
from pathlib import Path

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


@pytest.mark.req("r023")
def test_the_definition_of_a_report_is_the_same_whenever_it_is_decided() -> None:
    one = drawing.report(request(1), Instant(5.0))
    check_source(one.source, one.filename, TaskKind.SCRIPT)
    assert drawing.report(request(1), Instant(5.0)) == one
    assert drawing.report(request(2), Instant(5.0)).id != one.id
