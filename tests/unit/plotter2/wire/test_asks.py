"""Asks travel, are remembered, and can be asked again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from plotter2.api.v1 import manager_pb2
from plotter2.model import ask
from plotter2.model.request import RequestKind
from plotter2.wire import asks as wire

spelled = some.one_of(
    some.integers().map(str),
    some.floats(allow_nan=False, allow_infinity=False).map(repr),
    some.text().filter(str.isprintable).map(json.dumps),
    some.sampled_from(["0.10", "1e-3", "[1, 2]", '{"a": 1.50}', "null"]),
)
axes = some.dictionaries(some.text(min_size=1, max_size=8).filter(str.isprintable), some.lists(spelled, max_size=4))


@given(axes, some.integers(1, 9), some.booleans(), some.integers(0, 5))
def test_a_redo_that_is_remembered_is_asked_again_as_it_was(
    given_: dict[str, list[str]], parallel: int, force: bool, version: int
) -> None:
    message = manager_pb2.RedoAsk(bundle="a/b", parallel=parallel, force=force, version=version)
    message.axes.extend(manager_pb2.SweepAxis(parameter=name, values_json=texts) for name, texts in given_.items())
    asked = wire.redo_from_proto(message, "a/b")
    text = ask.encode(asked)
    assert wire.redo_to_proto(ask.redo_ask(text)) == message


def test_asks_are_the_same_but_for_what_was_only_found_out() -> None:
    def identity(**more: object) -> bytes:
        return ask.identity(RequestKind.REDO, ask.encode(ask.RedoAsk(bundle="a", **more)))

    assert identity(runs_version=1) == identity(runs_version=2, again_of="a@1") == identity()
    assert len({identity(version=1), identity(version=2), identity()}) == 3
    assert identity(replay_of="req-1") != identity()
    assert ask.identity(RequestKind.RUN, "{}") != ask.identity(RequestKind.ARCHIVE, "{}")


@pytest.mark.parametrize("text", ["NaN", "high", "[1", "["])
def test_a_value_that_is_no_json_is_remembered_as_a_text(text: str) -> None:
    assert bytes(ask.raw(text)).decode() == json.dumps(text)
