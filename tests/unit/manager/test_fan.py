"""Stories of a task that is asked of a bundle and of what lies below it."""

from __future__ import annotations

import json

import pytest
from blake3 import blake3

from manager.commands import Answer, Command, SaveRequest, SaveRun, SaveTask
from manager.events import ArchiveAsked, LinkAsked, RunAsked
from plotter2.errors import RefusedError
from plotter2.model.ask import LinkAsk, UnlinkAsk
from plotter2.model.bundle import FileEntry
from plotter2.model.request import Over, Request
from tests.unit.manager.kit import Story, only, request

X, OWN, DATA, PART, ODD = "x", "x/bundles/a own", "x/bundles/b data", "x/bundles/c part", "x/bundles/d odd"


def push(story: Story, path: str, *tasks: str) -> None:
    declared = {"tasks": [{"name": name, "pipeline": ["load", path]} for name in tasks]} if tasks else {}
    text = json.dumps(declared) if tasks else ""
    story.push(path, text, files=(FileEntry("package.json", 1, blake3(f"{path}{text}".encode()).digest()),))


@pytest.fixture
def story() -> Story:
    """X does two things; below it one that does both by itself, data, one that does half of it, and a stranger."""
    found = Story()
    push(found, X, "curve", "count")
    push(found, OWN, "curve", "count")
    push(found, DATA)
    push(found, PART, "count")
    push(found, ODD, "else")
    return found


def ask(story: Story, over: Over, task: str = "curve", on: str = X, **more: object) -> list[Command]:
    return story.turn(RunAsked(7, request(next(story.numbers)), "ann", task, on, over=over, **more))


def runs(said: list[Command]) -> list[tuple[str, str]]:
    """The bundles that are run on, each with the bundle whose definition it is."""
    whose = {one.row.task.id: one.row.task.bundle for one in only(said, SaveTask)}
    return [(one.run.bundle, whose[one.run.task_id]) for one in only(said, SaveRun)]


def saved(said: list[Command]) -> Request:
    return only(said, SaveRequest)[-1].request


def refusal(said: list[Command]) -> str:
    error = only(said, Answer)[0].error
    assert isinstance(error, RefusedError)
    return error.message


@pytest.mark.req("r031")
def test_members_run_it_by_their_own_link_and_the_rest_by_the_parents_own_means(story: Story) -> None:
    said = ask(story, Over.MEMBERS)
    assert runs(said) == [(X, X), (OWN, OWN), (DATA, X), (PART, X)]
    request = saved(said)
    assert request.total == 4
    assert [one.bundle for one in request.skipped] == [ODD]
    assert request.skipped[0].reason == "it is an imposter (score 0.00): it does not link 'count', 'curve'"
    assert json.loads(request.ask_json)["over"] == "members"


@pytest.mark.req("r031")
def test_without_a_word_it_runs_on_the_bundle_alone(story: Story) -> None:
    assert runs(ask(story, Over.SELF)) == [(X, X)]


@pytest.mark.req("r050")
def test_all_needs_every_bundle_below_to_link_it_and_says_who_does_not(story: Story) -> None:
    message = refusal(ask(story, Over.ALL))
    assert f"2 do not link it (forced links count with --forced): '{PART}', '{ODD}'" in message
    assert "--over any" in message
    story.turn(LinkAsked(5, request(90), "ann", LinkAsk(X, PART, "curve", "count")))
    story.turn(ArchiveAsked(5, request(91), "ann", ODD, archived=True))
    said = ask(story, Over.ALL)
    assert runs(said) == [(X, X), (OWN, OWN), (DATA, X), (PART, PART)]
    assert [(one.bundle, one.reason) for one in saved(said).skipped] == [(ODD, "it is archived")]


@pytest.mark.req("r051")
def test_any_asks_those_who_link_it_and_reports_the_others(story: Story) -> None:
    said = ask(story, Over.ANY)
    assert runs(said) == [(X, X), (OWN, OWN), (DATA, X)]
    assert [(one.bundle, one.reason[:15]) for one in saved(said).skipped] == [
        (PART, "it does not lin"), (ODD, "it is an impost"),
    ]  # fmt: skip


@pytest.mark.req("r053")
def test_a_forced_link_runs_and_counts_for_all_only_where_asked(story: Story) -> None:
    push(story, "y", "curve")
    story.push("y/a", json.dumps({"heads": {"f": {"function": "m.py:f"}}}))
    story.turn(LinkAsked(5, request(90), "ann", LinkAsk("y", "y/a", "curve", "f", force=True)))
    said = ask(story, Over.MEMBERS, on="y")
    assert runs(said) == [("y", "y")]
    assert saved(said).skipped[0].reason == "its link is forced to 'f', which is no task"
    assert "forced links count with --forced" in refusal(ask(story, Over.ALL, on="y"))
    assert runs(ask(story, Over.ALL, on="y", with_forced=True)) == [("y", "y")]


@pytest.mark.req("r052")
def test_what_was_unlinked_is_left_out_though_the_parent_could_do_it(story: Story) -> None:
    story.turn(LinkAsked(5, request(90), "ann", UnlinkAsk(X, DATA, "curve")))
    said = ask(story, Over.MEMBERS)
    assert DATA not in dict(runs(said))
    assert saved(said).skipped[0].reason == f"'curve' was unlinked by request {request(90)}"


@pytest.mark.req("r032")
def test_a_bundle_that_only_holds_others_is_left_out_and_they_are_not(story: Story) -> None:
    push(story, "x/group")
    push(story, "x/group/inner")
    said = ask(story, Over.MEMBERS)
    assert ("x/group/inner", X) in runs(said)
    assert ("x/group", "it only holds other bundles") in [(one.bundle, one.reason) for one in saved(said).skipped]


@pytest.mark.req("r033")
def test_a_task_that_is_inherited_goes_over_those_below_who_inherit_it(story: Story) -> None:
    said = ask(story, Over.MEMBERS, on="x/bundles/c part")
    assert runs(said) == [(PART, X)]


@pytest.mark.req("r031")
def test_a_definition_that_comes_along_runs_on_each_member_and_is_no_operation(story: Story) -> None:
    said = ask(story, Over.MEMBERS, task="mine", source="def task(): pass")
    assert [one for one, _ in runs(said)] == [X, OWN, DATA, PART]
    assert "no operation" in refusal(ask(story, Over.ANY, task="mine", source="def task(): pass"))
    assert "needs a bundle" in refusal(ask(story, Over.ANY, on="", source="def task(): pass"))
