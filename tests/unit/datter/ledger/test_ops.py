"""What scripts ask, as it crosses process borders; what a ledger says without changing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.datter.ledger import ops
from plotter2.datter.ledger.ops import (
    Access,
    Collect,
    Describe,
    Described,
    Expose,
    Handin,
    Lying,
    Open,
    Register,
    Start,
)
from plotter2.errors import OwnershipError, RefusedError, UsageError
from tests.unit.datter.ledger.kit import Run

names = st.text(max_size=8)
numbers = st.integers(1, 1 << 40)
several = st.lists(numbers, max_size=4).map(tuple)
questions = st.one_of(
    st.builds(Register, names, names, several, names, st.floats(allow_nan=False)),
    st.builds(Handin, several, several),
    st.builds(Access, names, st.booleans()),
    st.builds(Collect, several, st.booleans()),
    st.builds(Open, numbers),
    st.builds(Describe, several),
    st.builds(Start, names, names),
)


@given(questions)
def test_a_question_comes_out_as_it_went_in(question: ops.Question) -> None:
    assert ops.unpacked(ops.packed(question)) == question


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x93\x01\x02\x03", b"\x81\xa2op\xa3fly", b"\x81\xa2op\xa4open"])
def test_what_is_no_question_is_refused(data: bytes) -> None:
    with pytest.raises(RefusedError, match="no op of a script"):
        ops.unpacked(data)


@pytest.mark.req("r106")
def test_a_set_says_where_each_of_its_values_lies_and_whose_keys_it_has() -> None:
    run = Run(meta="one", one="")
    meta, one = *run.begin("meta"), *run.begin("one")
    datum = run.ask(one, Register("m", "json:3", label="k0", place=2.0))
    run.ask(one, Expose("x", datum))
    found = run.ask(meta, Access("x"))
    assert run.ledger.opened(found) == [Lying(datum, "m", "k0", 2.0, "json:3")]
    assert run.ledger.described([one]) == [Described("one", "k0", {})]
    assert run.ledger.lying([datum]) == run.ledger.opened(found)
    with pytest.raises(OwnershipError, match="no data with the number 8"):
        run.ledger.lying([datum, 8])
    with pytest.raises(UsageError, match="no set 7"):
        run.ledger.opened(7)
    with pytest.raises(UsageError, match="no task 9"):
        run.ledger.described([one, 9])
