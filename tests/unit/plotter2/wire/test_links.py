"""Links and verdicts on the wire: both ways, nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.api.v1 import manager_pb2
from plotter2.errors import RefusedError
from plotter2.model.ask import LinkAsk
from plotter2.model.membership import Standing, Verdict
from plotter2.model.types import Mode
from plotter2.wire import links
from tests.unit.plotter2.wire.strategies import texts

some = st.lists(texts, max_size=3).map(tuple)
verdicts = st.builds(Verdict, texts, texts, st.sampled_from(Standing), st.floats(0, 1), some, some, some)
asks = st.builds(LinkAsk, texts, texts, texts, texts, st.sampled_from(Mode), texts, texts, st.booleans())


@given(verdicts)
def test_a_verdict_comes_back(verdict: Verdict) -> None:
    assert links.verdict_from_proto(links.verdict_to_proto(verdict)) == verdict


@given(asks)
def test_an_ask_to_link_comes_back(asked: LinkAsk) -> None:
    assert links.link_from_proto(links.link_to_proto(asked), asked.src, asked.dst) == asked


def test_a_verdict_of_a_later_version_is_refused_in_words() -> None:
    with pytest.raises(RefusedError, match="'cousin' means nothing"):
        links.verdict_from_proto(manager_pb2.Verdict(standing="cousin"))
