"""Types of heads: what is printed is read back, and what is expected decides what may be given."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.errors import PackageError
from plotter2.model import types
from plotter2.model.types import DTYPES, Kind, Mode, Type, accepts, difference, parse

dtypes = st.sampled_from([*DTYPES, "*"])
sizes = st.none() | st.integers(0, 3)
arrays = st.builds(Type, st.just(Kind.ARRAY), dtypes, st.none() | st.lists(sizes, max_size=4).map(tuple))
images = st.builds(Type, st.just(Kind.IMAGE), dtypes, st.none() | st.lists(sizes, min_size=2, max_size=3).map(tuple))
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=3) | st.sampled_from(["x", "loss"])
tables = st.builds(types.table, st.dictionaries(names, dtypes, max_size=3), is_open=st.booleans())
plain = st.sampled_from([Type(Kind.ANY), Type(Kind.BYTES), Type(Kind.TEXT)])
some = arrays | images | tables | plain
modes = st.sampled_from(list(Mode))


def loose(one: Type) -> Type:
    """A neighbour that accepts it: the same with an open dtype."""
    return Type(one.kind, "*", one.shape, one.columns, one.is_open)


@pytest.mark.req("r046", "r047")
@given(some)
def test_what_is_printed_is_read_back(one: Type) -> None:
    assert parse(str(one)) == one


@pytest.mark.req("r046", "r047")
@given(some, modes)
def test_a_type_accepts_itself(one: Type, mode: Mode) -> None:
    assert accepts(one, one, mode)


@given(some, some)
def test_two_types_that_accept_each_other_are_one(one: Type, other: Type) -> None:
    if accepts(one, other) and accepts(other, one):
        assert one == other


@given(some, some, some, modes)
def test_what_accepts_what_accepts_accepts(one: Type, other: Type, third: Type, mode: Mode) -> None:
    for first, second, last in ((one, other, third), (loose(one), one, other), (types.loosened(one), one, other)):
        if accepts(first, second, mode) and accepts(second, last, mode):
            assert accepts(first, last, mode)


@pytest.mark.req("r046", "r047")
@given(some, some)
def test_what_a_constant_link_accepts_a_mutable_one_accepts(one: Type, other: Type) -> None:
    for given_type in (other, types.loosened(one)):
        if accepts(one, given_type, Mode.CONSTANT):
            assert accepts(one, given_type, Mode.MUTABLE)


@pytest.mark.req("r047")
@pytest.mark.parametrize(
    ("expected", "given_type", "differs"),
    [
        ("vector[float64, 3]", "vector[float64, 3]", ""),
        ("vector[float, 3]", "array[double, 3]", ""),
        ("vector[float64, 3]", "vector[int64, 3]", "dtype"),
        ("vector[float64, 3]", "vector[float64, 4]", "shape"),
        ("vector[float64, 3]", "matrix[float64, 3, 1]", "rank"),
        ("vector[float64, 3]", "vector[float64]", "shape"),
        ("vector[float64]", "vector[float64, 3]", ""),
        ("matrix[float64, *, 32]", "matrix[float64, 10, 32]", ""),
        ("matrix[float64, *, 32]", "matrix[float64, 10, 31]", "shape"),
        ("array[float64]", "matrix[float64]", ""),
        ("matrix", "array[float64]", "rank"),
        ("image", "matrix", "kind"),
        ("any", "table{x: text}", ""),
        ("scalar", "any", "kind"),
        ("table{x: float64}", "table{x: float64, y: text}", "columns"),
        ("table{x: float64, *}", "table{x: float64, y: text}", ""),
        ("table{x: float64, *}", "table{x: int64}", "columns"),
        ("table", "table{x: float64}", ""),
        ("table{x: float64}", "table", "columns"),
    ],
)
def test_a_constant_link_compares_everything(expected: str, given_type: str, differs: str) -> None:
    assert difference(parse(expected), parse(given_type)) == differs


@pytest.mark.req("r046")
@pytest.mark.parametrize(
    ("expected", "given_type", "differs"),
    [
        ("vector[float64, 3]", "vector[float64, 4]", ""),
        ("vector[float64, 3]", "vector[float64]", ""),
        ("vector[float64, 3]", "vector[int64, 3]", "dtype"),
        ("matrix[float64, 3, 3]", "vector[float64, 9]", "rank"),
        ("array[float64]", "vector[float64, 9]", ""),
        ("table{x: float64}", "table{x: float64, y: text}", ""),
        ("table{x: float64}", "table{y: text}", "columns"),
    ],
)
def test_a_mutable_link_lets_sizes_vary_and_nothing_else(expected: str, given_type: str, differs: str) -> None:
    assert difference(parse(expected), parse(given_type), Mode.MUTABLE) == differs


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (" vector [ float , 3 ] ", "vector[float64, 3]"),
        ("array[float32, *, *, *]", "array[float32, *, *, *]"),
        ("array[*, 3]", "vector[*, 3]"),
        ("matrix[*, *, *]", "matrix"),
        ("scalar[int]", "scalar[int64]"),
        ('table{"loss (train)": float, a: str}', 'table{a: text, "loss (train)": float64}'),
        ("table{}", "table{}"),
        ("table{*}", "table"),
        ("image[uint8, *, *, 3]", "image[uint8, *, *, 3]"),
    ],
)
def test_a_type_has_one_spelling(text: str, printed: str) -> None:
    assert str(parse(text)) == printed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("vectr[float64]", "'vectr[float64]' is no type: did you mean 'vector'."),
        ("", "types are any, array, bytes,"),
        ("vector[flot64]", "there is no dtype 'flot64'; did you mean 'float64'."),
        ("vector[float64, 3, 4]", "the sizes of a vector are 1, not 2."),
        ("vector[float64, -1]", "'-' has no meaning in a type."),
        ("vector[float64, x]", "'x' is no size; a size is a whole number"),
        ("vector[float64", "']' should stand at its end."),
        ("vector[float64, 3] x", "'x' stands after its end."),
        ("image[uint8, 3]", "an image has rows, columns and perhaps channels."),
        ("array[uint8" + ", 1" * 9 + "]", "it has more than 8 sizes."),
        ("vector[float64, " + "9" * 30 + "]", "is no size"),
        ("table{x: float64, x: text}", "the column 'x' stands twice."),
        ("table{*, x: text}", "* stands for all further columns, so it is the last."),
        ("table{1: text}", "'1' is no name of a column; put it into double quotes."),
        ("table{x float64}", "':' should stand where 'float64' stands."),
        ("table{x: text", "'}' should stand at its end."),
        ("table" * 5_000, "is longer than 20000 characters"),
    ],
)
def test_what_is_no_type_is_refused_with_what_would_be_right(text: str, says: str) -> None:
    with pytest.raises(PackageError) as refused:
        parse(text)
    assert says in refused.value.message


@given(st.text(alphabet='vectormix[]{},:*"\\ 123float64'))
def test_no_text_whatever_breaks_the_parser(text: str) -> None:
    with suppress(PackageError):
        parse(text)
