"""What a planner proposes travels as everybody's ask."""

from __future__ import annotations

import pytest

from plotter2.model.automatic import Proposal, RedoDraft, RunDraft
from plotter2.wire.automatic import proposal_to_proto


@pytest.mark.req("r019")
def test_a_proposal_is_an_ask_about_its_scope_with_its_reason() -> None:
    run = proposal_to_proto(Proposal(RunDraft("page", "def task(): pass", '{"k": 1}'), "so"), "lab/a")
    assert (run.run.task, run.run.bundle, run.run.filename, run.run.parameters_json) == (
        "page", "lab/a", "page.py", '{"k": 1}',
    )  # fmt: skip
    assert (run.because, run.scope, run.run.source) == ("so", "lab/a", "def task(): pass")
    declared = proposal_to_proto(Proposal(RunDraft("curve"), "so"), "lab/a")
    assert (declared.run.source, declared.run.filename) == ("", "")
    redo = proposal_to_proto(Proposal(RedoDraft({"lr": ["0.10", "2"]}, parallel=3), "so"), "lab/a").redo
    assert [(axis.parameter, list(axis.values_json)) for axis in redo.axes] == [("lr", ["0.10", "2"])]
    assert (redo.bundle, redo.parallel) == ("lab/a", 3)
