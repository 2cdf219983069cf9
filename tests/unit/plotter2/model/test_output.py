from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.clock import Instant
from plotter2.ids import RequestId, RunId, TaskId
from plotter2.model import output
from plotter2.model.task import TaskRun

REQUEST = RequestId("req-" + "0" * 26 + "abcdef")


def run(bundle: str, task: str = "Loss curve") -> TaskRun:
    return TaskRun(RunId(f"{REQUEST}.3"), REQUEST, TaskId("t"), task, bundle, 1, created_at=Instant(1.7e9))


@pytest.mark.parametrize(
    ("bundle", "task", "folder"),
    [
        ("a/b", "Loss curve", "a/b/loss-curve/2023-11-14-221320-abcdef-3"),
        ("", "../x", "no-bundle/x/2023-11-14-221320-abcdef-3"),
        ("a", "", "a/task/2023-11-14-221320-abcdef-3"),
    ],
)
def test_the_place_of_a_run_follows_from_the_run_alone(bundle: str, task: str, folder: str) -> None:
    assert output.folder(run(bundle, task)) == folder


@given(st.lists(st.sampled_from("abc"), max_size=6).map("/".join))
def test_pages_find_the_way_up_whatever_the_bundle(bundle: str) -> None:
    page = posixpath.join(output.folder(run(bundle)), output.way_up(bundle), "_assets/x.js")
    assert posixpath.normpath(page) == "_assets/x.js"
