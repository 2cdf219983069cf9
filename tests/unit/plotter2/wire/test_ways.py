"""Ways on the wire: both ways, nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.api.v1 import manager_pb2
from plotter2.errors import RefusedError
from plotter2.model import types
from plotter2.model.link import Epsilon, Form, Head, Link, Origin
from plotter2.model.types import Mode
from plotter2.wire import ways
from tests.unit.plotter2.wire.strategies import texts

kinds = st.sampled_from(["any", "vector[float64, 3]", "table{x: int64, *}", "image", "scalar"]).map(types.parse)
params = st.none() | st.lists(st.tuples(texts, kinds), max_size=3).map(tuple)
heads = st.builds(Head, texts, texts, st.sampled_from(Form), texts, params, kinds)
steps = st.lists(heads, max_size=2).map(tuple)
links = st.builds(
    Link, heads, heads, st.sampled_from(Mode), st.builds(Epsilon, steps, steps), st.sampled_from(Origin), st.booleans()
)


@given(st.dictionaries(texts, st.lists(links, min_size=1, max_size=2).map(tuple), max_size=3))
def test_ways_come_back(found: dict[str, tuple[Link, ...]]) -> None:
    assert ways.ways_from_proto(ways.ways_to_proto(found)) == found


@pytest.mark.parametrize("field", ["origin", "form"])
def test_a_word_of_a_later_version_is_refused(field: str) -> None:
    head = Head("a", "f", Form.FUNCTION)
    [message] = ways.ways_to_proto({"f": (Link(head, head),)})
    if field == "origin":
        message.origin = "dreamt"
    else:
        message.given.CopyFrom(manager_pb2.LinkEnd(form="dreamt"))
    with pytest.raises(RefusedError, match="'dreamt' means nothing"):
        ways.ways_from_proto([message])
