"""Standing orders on the wire, both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.clock import Instant
from plotter2.ids import RequestId
from plotter2.model.order import Tally
from plotter2.model.package import OrderedRedo, OrderedReport, StandingOrder
from plotter2.model.request import RequestKind
from plotter2.wire import orders

COUNTS, TIMES, TEXTS = st.integers(0, 1 << 40), st.floats(0, 1e11).map(Instant), st.text(max_size=20)


@pytest.mark.req("r023")
@given(st.builds(Tally, TEXTS, TEXTS, COUNTS, TEXTS, TIMES, COUNTS, TIMES, TEXTS.map(RequestId), TIMES, TEXTS, COUNTS))
def test_what_is_remembered_of_an_order_comes_over_the_wire_as_it_is(tally: Tally) -> None:
    order = StandingOrder(
        name=tally.name, on="request", run=["a", "b"], cron=tally.cron, request=RequestKind.REDO,
        redo=OrderedRedo(of="a", set={"lr": [0.1, 2], "seed": "1..3"}), report=OrderedReport(data=["x"]),
    )  # fmt: skip
    message = orders.order_to_proto(order, tally)
    assert orders.tally_from_proto(message) == tally
    assert orders.order_from_proto(message) == order
    assert (message.on, list(message.run), message.request) == ("request", ["a", "b"], "redo")
