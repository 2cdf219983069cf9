"""Numbered reports: which runs make one, and which folders are one."""

from __future__ import annotations

import pytest

from plotter2.clock import Instant
from plotter2.ids import RequestId, RunId, TaskId
from plotter2.model import report
from plotter2.model.report import Kept
from plotter2.model.task import Output, TaskRun

PAGE, PLOT = Output("lab/a/t/1/p.html", "report", "P"), Output("lab/a/t/1/f.html", "figure")


def run(bundle: str, *outputs: Output) -> TaskRun:
    asked = RequestId("req-1")
    return TaskRun(RunId("req-1.0"), asked, TaskId("t"), "t", bundle, 2, '{"k": 1}', Instant(1.0), outputs=outputs)


@pytest.mark.req("r026")
def test_a_run_on_a_bundle_that_made_a_report_reports() -> None:
    assert report.is_reporting(run("lab/a", PLOT, PAGE))
    assert not report.is_reporting(run("lab/a", PLOT))
    assert not report.is_reporting(run("", PAGE))


@pytest.mark.req("r026")
def test_a_report_lies_in_the_folder_of_its_number() -> None:
    made = report.numbered(run("lab/a", PAGE), Kept(()), 12, Instant(0.0))
    assert made.folder == "lab/a/meta/reports/report12"
    assert report.parsed(made.folder) == ("lab/a", 12)
    assert '"parameters": {\n    "k": 1\n  }' in made.about_json


@pytest.mark.parametrize(
    "name", ["report", "report01", "report0", "report-1", "reports1", "report1x", "report²", "report" + "9" * 40]
)
def test_other_names_are_no_reports(name: str) -> None:
    assert report.parsed(f"lab/a/meta/reports/{name}") is None
    assert report.parsed("lab/a/report1") is None
