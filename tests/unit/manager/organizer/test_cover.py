from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from manager.organizer.cover import INPUTS_MAX, cover
from manager.organizer.records import record_of_report
from plotter2.clock import Instant
from plotter2.ids import RunId
from plotter2.model.bundle import FileEntry
from plotter2.model.report import Report

PAGE = "lab/a b/compare/1/01-<r>.html"
MADE: list[dict[str, Any]] = [
    {"path": PAGE, "kind": "report", "title": "All <runs>", "digest": "00"},
    {"path": "lab/a b/compare/1/02.html", "kind": "animation", "title": "Film", "digest": "00"},
    {"path": "lab/a b/compare/1/t.csv", "kind": "table", "title": "", "digest": "00"},
    {"path": "_assets/b.js", "kind": "asset", "title": "Bokeh", "digest": "00"},
]


def report_of(**about: Any) -> Report:
    said: dict[str, Any] = {
        "report": 3, "bundle": "lab/a b", "version": 2, "task": "compare", "run": "req-1.0", "request": "req-1",
        "made": "2026-01-01T00:00:00Z", "parameters": {"k": "<b>"}, "inputs": [], "files": MADE,
    }  # fmt: skip
    names = [*(one["path"] for one in MADE), f"{PAGE}.json", f"{PAGE}.svg", f"{PAGE}.pdf"]
    files = tuple(FileEntry(name, 1, b"\0" * 32) for name in names)
    return Report("lab/a b", 3, RunId("req-1.0"), Instant(0.0), json.dumps(said | about), files)


class Links(HTMLParser):
    """What a page leads to, and its words."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[str] = []
        self.words = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in {"href", "src"}]
        assert tag != "script"

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.req("r026", "r158")
def test_a_cover_leads_to_what_is_there_and_says_where_it_came_from() -> None:
    page = Links(cover(report_of()))
    place = "lab/a%20b/compare/1"
    assert page.found == [
        f"{place}/01-%3Cr%3E.html", f"{place}/01-%3Cr%3E.html.json", f"{place}/01-%3Cr%3E.html.pdf",
        f"{place}/01-%3Cr%3E.html", f"{place}/01-%3Cr%3E.html.svg", f"{place}/02.html", f"{place}/t.csv",
    ]  # fmt: skip
    assert all(words in page.words for words in ("All <runs>", "Report 3 of lab/a b", "version 2", "k = <b>", "t.csv"))


def test_what_was_read_is_listed_up_to_a_limit_and_groups_by_their_ends() -> None:
    one = {"bundle": "lab/a b", "version": 1, "path": "x.csv", "digest": "ab" * 32}
    group = {"bundle": "lab/a b", "version": 1, "first": "f1", "last": "f2", "count": 5_000, "digest": "cd" * 32}
    page = Links(cover(report_of(inputs=[group, *[one] * INPUTS_MAX])))
    assert "f1 to f2 (5,000 files)" in page.words
    assert page.words.count("x.csv") == INPUTS_MAX - 1
    assert "and 1 more, in report.json" in page.words


def test_the_folder_of_a_report_has_its_cover_on_top_of_its_files() -> None:
    report = report_of()
    record = record_of_report(report)
    by_name = {one.path: one for one in record.files}
    assert set(by_name) == {"report.json", "index.html", *(one.path for one in report.files)}
    assert record.documents[by_name["index.html"].digest] == cover(report)
    assert record_of_report(replace(report)).files == record.files, "the same again"
