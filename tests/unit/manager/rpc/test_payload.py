"""The API is for what is short: data goes the way of bundles."""

from __future__ import annotations

import json

import pytest

from manager.rpc.asking import PAYLOAD_BYTES_MAX, json_object
from plotter2.errors import UsageError

pytestmark = pytest.mark.req("r056")


def test_parameters_up_to_the_limit_go_through_the_api() -> None:
    text = json.dumps({"x": "a" * (PAYLOAD_BYTES_MAX - 9)})
    assert len(text) == PAYLOAD_BYTES_MAX
    assert json_object(text, "parameters") == text


def test_longer_ones_are_refused_and_the_sentence_points_to_the_way_of_bundles() -> None:
    with pytest.raises(UsageError, match="plotter2 push PATH BUNDLE") as told:
        json_object(json.dumps({"x": "ä" * PAYLOAD_BYTES_MAX}), "parameters of a call")
    assert str(PAYLOAD_BYTES_MAX) in told.value.message
