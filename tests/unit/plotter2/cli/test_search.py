"""`ls --where` against a small manager: what is asked, the document, the table."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plotter2.cli.main import run
from plotter2.cli.search import COLUMNS_MAX, table
from plotter2.client.views import Found
from tests.unit.plotter2.client.kit import REQUEST, FakeManager


@pytest.fixture
def ls(capsys: pytest.CaptureFixture[str], address: str) -> Any:
    def call(*words: str) -> tuple[int, str, str]:
        code = run(["ls", *words, "--address", address])
        return code, *capsys.readouterr()

    return call


def test_the_words_of_the_command_are_the_question(ls: Any, manager: FakeManager) -> None:
    ls("lab", "--where", "param.lr < 1", "--sort", "-metric.loss", "--limit", "2", "--archived")
    asked = manager.searched[-1]
    assert (asked.under, asked.where, asked.sort, asked.page.limit) == ("lab", "param.lr < 1", "-metric.loss", 2)
    assert asked.with_archived


def test_the_document_keeps_every_value_as_it_was_spelled(ls: Any) -> None:
    code, out, _ = ls("--where", "param.lr < 1", "--limit", "2", "--json")
    assert code == 0
    assert '"lr": 0.10' in out
    found = json.loads(out)
    assert found["total"] == 7
    assert found["items"][0] == {
        "bundle": "lab/bundles/lr=0.10", "version": 1, "state": "done", "time": "1970-01-01T00:00:01.500000Z",
        "archived": False, "parameters": {"lr": 0.1, "epochs": 30},
        "metrics": {"loss": 0.25, "loss.min": 0.2, "loss.max": "inf"}, "tags": {"model": "mlp"},
    }  # fmt: skip
    assert (found["items"][1]["state"], found["items"][1]["metrics"]) == ("failed", {})


def test_the_table_shows_what_tells_the_rows_apart(ls: Any) -> None:
    code, out, err = ls("--sort", "path", "--limit", "2")
    assert code == 0
    heading, first, second = out.splitlines()[0], *(line for line in out.splitlines() if "lr=" in line)
    assert [word for word in heading.split() if word.isalpha()] == [
        "bundle",
        "version",
        "state",
        "lr",
        "loss",
        "model",
        "time",
    ]
    assert all(word in first for word in ("0.10", "0.25", "mlp", "done"))
    assert "failed" in second
    assert "2 of 7; --limit 0 lists all" in err


def test_nothing_found_is_said(ls: Any) -> None:
    assert ls("--where", "none") == (0, "", "Nothing is like that.\n")


def test_a_search_and_a_list_of_versions_are_two_things(ls: Any) -> None:
    code, _, err = ls("lab", "--versions", "--where", "param.lr = 1")
    assert (code, err.count("\n")) == (2, 1)


def test_what_was_asked_for_comes_first_and_columns_are_bounded() -> None:
    many = ", ".join(f'"p{number}": {{}}' for number in range(2 * COLUMNS_MAX))
    rows = [
        Found(f"x{value}", 1, "done", parameters_json="{" + many.replace("{}", str(value)) + ', "same": 1}',
              metrics_json='{"a b": 1, "a b.min": 0, "p1": 2}')
        for value in (1, 2)
    ]  # fmt: skip
    headings, cells = table(rows, 'param.same = 1 and metric."a b.min" < 1 -param.p1 metric.p1')
    assert headings[3:7] == ["param.p1", "same", "a b.min", "metric.p1"]
    assert len(headings) == 4 + COLUMNS_MAX
    assert cells[1][3:7] == ["2", "1", "0", "2"]
    assert table([], "") == (["bundle", "version", "state", "time"], [])


@pytest.fixture
def tag(capsys: pytest.CaptureFixture[str], address: str) -> Any:
    def call(*words: str) -> tuple[int, str, str]:
        code = run(["tag", *words, "--address", address])
        return code, *capsys.readouterr()

    return call


def test_tags_are_sent_as_they_were_spelled_and_shown(tag: Any, manager: FakeManager) -> None:
    code, out, _ = tag("experiments/digits", "model=mlp", "size=3.10", "best=true", "--unset", "old", "--key", "k")
    sent = manager.submitted[-1]
    assert (code, out) == (0, "experiments/digits  quality=good\n")
    assert sent.tag.tags_json == '{"model": "mlp", "size": 3.10, "best": true, "old": null}'
    assert (sent.tag.bundle, sent.client_key) == ("experiments/digits", "k")
    code, out, _ = tag("experiments/digits", "a=1", "--json")
    assert json.loads(out) == {"request": REQUEST, "state": "done", "bundle": "experiments/digits",
                               "tags": {"quality": "good"}}  # fmt: skip


@pytest.mark.parametrize("words", [(), ("model",), ("a=1", "a=2"), ("a=1", "--unset", "a"), ("=1",)])
def test_tags_that_are_none_are_wrong_usage(tag: Any, words: tuple[str, ...]) -> None:
    code, out, err = tag("experiments/digits", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
