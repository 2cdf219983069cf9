"""What the planner of rules proposes for a wish, and what it says where it cannot."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from manager import drawing
from manager.rules import Rules
from plotter2.errors import RefusedError, UsageError
from plotter2.ids import RequestId
from plotter2.model import package
from plotter2.model.automatic import Proposal, RedoDraft, RunDraft, Sight, Wish
from plotter2.model.package import Parameter, StandingOrder

SIGHT = Sight(
    "experiment2", 3, data=("metrics", "embedding"), tasks=("loss curve",),
    parameters={"lr": Parameter(), "seed": Parameter(), "model": Parameter()}, runs=3,
)  # fmt: skip


async def proposals(text: str, sight: Sight = SIGHT) -> list[Proposal]:
    return list(await Rules().propose(Wish(sight.bundle, text), sight))


@pytest.mark.req("r019")
@pytest.mark.parametrize(
    ("text", "axes"),
    [
        ("plotter2 please redo experiment2 with a lr=0.1, 0.2, 0.15, 0.05 and 0.01.",
         {"lr": ["0.1", "0.2", "0.15", "0.05", "0.01"]}),
        ("Redo with lr = 0.10 and seed = 1..3 please", {"lr": ["0.10"], "seed": ["1", "2", "3"]}),
        ("again (lr=1e-3, model=adam)", {"lr": ["1e-3"], "model": ['"adam"']}),
        ("try lr=0.1 and seed=2, 3 on the new data", {"lr": ["0.1"], "seed": ["2", "3"]}),
    ],
)  # fmt: skip
async def test_a_wish_with_values_is_a_redo_in_the_spelling_and_order_given(text: str, axes: dict[str, Any]) -> None:
    (one,) = await proposals(text)
    assert isinstance(one.draft, RedoDraft)
    assert one.draft.axes == axes
    assert one.because == f"Somebody wished: {text}"


@pytest.mark.req("r019")
async def test_the_wish_of_the_seed_circles_and_labels_clusters_and_drops_the_rest() -> None:
    (one,) = await proposals(
        "generate a plot of the output's embedding where data that's clustered is circled and labelled and non "
        "clustered data is removed"
    )
    assert isinstance(one.draft, RunDraft)
    assert (one.draft.task, one.draft.source) == ("clusters", drawing.CLUSTERS)
    given = json.loads(one.draft.parameters_json)
    assert given == {"data": "embedding", "circled": True, "labelled": True, "cleaned": True}


@pytest.mark.req("r019")
async def test_clusters_alone_are_neither_circled_nor_labelled_nor_cleaned() -> None:
    (one,) = await proposals("show clusters of embedding")
    assert isinstance(one.draft, RunDraft)
    given = json.loads(one.draft.parameters_json)
    assert given == {"data": "embedding", "circled": False, "labelled": False, "cleaned": False}


@pytest.mark.req("r019")
async def test_a_report_shows_what_is_named_or_everything() -> None:
    for text, data in (("report on metrics", ["metrics"]), ("plot the outputs", ["metrics", "embedding"])):
        (one,) = await proposals(text)
        assert isinstance(one.draft, RunDraft)
        assert json.loads(one.draft.parameters_json)["data"] == data


@pytest.mark.req("r019")
async def test_a_task_that_is_named_is_run() -> None:
    (one,) = await proposals("draw the loss curve, please")
    assert one.draft == RunDraft("loss curve")


@pytest.mark.req("r019", "r020")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("find the meaning of life", "The rules do not understand 'find the meaning of life'. They know"),
        ("redo with rl=0.1", "'experiment2' has no parameter 'rl'; its parameters are lr, seed, model"),
        ("redo with lr=", "gives 'lr' no value"),
        ("show clusters", "Which data of 'experiment2' is meant? Its keys are metrics, embedding"),
    ],
)
async def test_what_cannot_be_done_is_said_with_what_can(text: str, says: str) -> None:
    with pytest.raises(RefusedError, match=re.escape(says)):
        await proposals(text)


async def test_a_range_that_is_none_is_said() -> None:
    with pytest.raises(UsageError, match="log:FROM:TO:COUNT"):
        await proposals("redo with lr=log:1:2")


@pytest.mark.req("r019")
async def test_after_a_redo_runs_are_compared_unless_an_order_does_or_there_is_nothing_to_compare() -> None:
    wish = Wish("experiment2", of=RequestId("req-1"))
    (one,) = await Rules().propose(wish, SIGHT)
    assert isinstance(one.draft, RunDraft)
    assert json.loads(one.draft.parameters_json) == {"data": ["metrics", "embedding"], "title": "Runs compared"}
    assert one.because.startswith("Request req-1 is done: 3 runs of 'experiment2' can be compared")
    ordered = package.Package(standing=[StandingOrder(name="all", on="settled", run=["x"])])
    for sight in (Sight("a", 1, ordered, ("x",), runs=3), Sight("a", 1, data=("x",), runs=1), Sight("a", 1, runs=3)):
        assert await Rules().propose(wish, sight) == []
