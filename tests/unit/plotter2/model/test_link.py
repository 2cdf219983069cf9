"""Links: when they fit, how they are put one after another, and which heads a bundle has for them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.model import link as links
from plotter2.model import package
from plotter2.model.link import Epsilon, Form, Head, Link, Origin, heads_of, identity, misfit
from plotter2.model.types import ANY, Mode, parse

KINDS = [parse(text) for text in ("any", "vector[float64, 3]", "vector[float64, *]", "vector[int64, 3]", "matrix",
                                  "table{x: float64}", "table{x: float64, y: text}", "scalar")]  # fmt: skip
kinds = st.sampled_from(KINDS)
modes = st.sampled_from(list(Mode))


@st.composite
def heads(draw: st.DrawFn, bundle: str, form: Form | None = None) -> Head:
    """A head with a shape out of a few, so that shapes meet often."""
    form = form or draw(st.sampled_from(list(Form)))
    params = draw(st.none() | st.lists(kinds, min_size=1, max_size=2).map(lambda found: tuple(("x", k) for k in found)))
    return Head(bundle, draw(st.sampled_from("pqr")), form, "a.py:f", () if form is Form.DATA else params, draw(kinds))


@st.composite
def translations(draw: st.DrawFn, bundle: str) -> Epsilon:
    """None, one or two steps each way."""
    step = heads(bundle, Form.FUNCTION).map(lambda head: replace(head, params=head.params and head.params[:1]))
    side = st.lists(step, max_size=2).map(tuple)
    return Epsilon(draw(side), draw(side))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Link, Link]:
    """A -> B and B -> C."""
    a, b, c = (draw(heads(name)) for name in "ABC")
    first = Link(a, b, draw(modes), draw(translations("A")), is_forced=draw(st.booleans()))
    return first, Link(b, c, draw(modes), draw(translations("B")), is_forced=draw(st.booleans()))


VECTOR = parse("vector[float64, 3]")
MATRIX = parse("matrix[float64, *, *]")


def function(bundle: str, name: str, takes: str = "", returns: str = "any") -> Head:
    """A function head."""
    params = tuple((f"x{i}", parse(text)) for i, text in enumerate(takes.split("; ") if takes else ()))
    return Head(bundle, name, Form.FUNCTION, f"code.py:{name}", params or None, parse(returns))


@pytest.mark.req("r039")
@given(pairs())
def test_two_links_that_fit_make_one_that_fits(pair: tuple[Link, Link]) -> None:
    first, second = pair
    if not misfit(first) and not misfit(second):
        assert not misfit(first.then(second))


@pytest.mark.req("r039", "r048")
def test_the_law_of_composition_is_met_by_links_that_do_fit() -> None:
    a, b = function("a", "p", "matrix[float64, 2, 2]", "vector[float64, 3]"), function("b", "q", "scalar", "matrix")
    c = function("c", "r", "scalar", "matrix")
    epsilon = Epsilon((function("a", "norm", "matrix[float64, 2, 2]", "scalar"),),
                      (function("a", "row", "matrix", "vector[float64, 3]"),))  # fmt: skip
    first, second = Link(a, b, epsilon=epsilon), Link(b, c)
    assert misfit(first) == misfit(second) == misfit(first.then(second)) == ""


@pytest.mark.req("r039")
@given(translations("A"), translations("B"), translations("C"))
def test_translations_can_be_put_together_in_any_grouping(one: Epsilon, other: Epsilon, third: Epsilon) -> None:
    assert one.then(other).then(third) == one.then(other.then(third))
    assert links.PLAIN.then(one) == one.then(links.PLAIN) == one


@pytest.mark.req("r038", "r054")
@given(pairs())
def test_a_head_links_to_itself_and_that_changes_nothing(pair: tuple[Link, Link]) -> None:
    link, _ = pair
    assert not misfit(identity(link.expected))
    assert identity(link.expected).then(link) == link.then(identity(link.given)) == link


@pytest.mark.req("r038")
def test_a_simple_link_needs_the_same_shape_on_both_sides() -> None:
    expected = function("a", "forward", "vector[float64, 3]", "vector[float64, 3]")
    assert not misfit(Link(expected, function("b", "forward2", "vector[float64, 3]", "vector[float64, 3]")))
    wrong = misfit(Link(expected, function("b", "forward2", "vector[float64, 3]", "vector[float64, 4]")))
    assert "vector[float64, 3]" in wrong
    assert "vector[float64, 4]" in wrong


@pytest.mark.req("r039")
def test_the_seeds_example_a_matrix_from_a_file_becomes_the_vector_that_is_expected() -> None:
    expected = function("a", "forward", "vector", "vector")
    given_head = Head("b", "load", Form.DATA, "matrix.csv", (), MATRIX)
    flatten = function("a", "f", "matrix[float64, *, *]", "vector")
    assert "matrix" in misfit(Link(expected, given_head))
    assert not misfit(Link(expected, given_head, Mode.CONSTANT, Epsilon(backward=(flatten,))))


@pytest.mark.req("r039")
def test_arguments_are_translated_on_their_way_to_the_one_who_satisfies() -> None:
    expected = function("a", "norm", "matrix", "scalar")
    given_head = function("b", "length", "vector", "scalar")
    flatten = function("a", "flatten", "matrix", "vector")
    assert "takes (vector)" in misfit(Link(expected, given_head))
    assert not misfit(Link(expected, given_head, epsilon=Epsilon(forward=(flatten,))))


@pytest.mark.req("r047")
@pytest.mark.parametrize("other", ["vector[int64, 3]", "vector[float64, 4]"])
def test_a_constant_link_takes_exactly_what_it_expects(other: str) -> None:
    assert misfit(Link(function("a", "f", "", "vector[float64, 3]"), function("b", "g", "", other)))


@pytest.mark.req("r046")
def test_a_mutable_link_leaves_sizes_open_and_no_more() -> None:
    expected = function("a", "f", "", "vector[float64, 3]")
    assert not misfit(Link(expected, function("b", "g", "", "vector[float64, 4]"), Mode.MUTABLE))
    assert "dtype" in misfit(Link(expected, function("b", "g", "", "vector[int64, 4]"), Mode.MUTABLE))


@pytest.mark.req("r044")
def test_data_can_stand_for_a_function_and_a_task_only_for_a_task() -> None:
    weights = Head("b", "weights", Form.DATA, "weights.csv", (), VECTOR)
    assert not misfit(Link(function("a", "get", "scalar", "vector[float64, 3]"), weights))
    assert "is a task" in misfit(Link(Head("a", "plot", Form.TASK, "plot"), weights))


@pytest.mark.req("r037", "r042", "r043")
def test_heads_come_from_the_package_and_tasks_are_heads_of_their_own() -> None:
    declared = package.parse("""{
      "tasks": [{"name": "plot", "task_src": "plot.py"}, {"name": "curve", "pipeline": ["load"]}],
      "data": {"w": {"path": "w.csv"}},
      "heads": {"get": {"function": "a.py:get", "params": {"step": "scalar"}, "returns": "vector"},
                "curves": {"pipeline": "curve", "returns": "image"}, "weights": {"data": "w"},
                "flat": {"function": "a.py:flat"}},
      "links": [{"name": "get", "in": "get", "out": "get", "translate": {"backward": "flat"}}]}""")
    found = heads_of("a", declared)
    assert sorted(found.operations) == ["curves", "get", "plot", "weights"]
    assert list(found.tools) == ["flat"]
    assert found.operations["get"].shape == "(scalar) -> vector"
    assert found.operations["curves"].form is Form.TASK
    of_task = found.of_task("curve")
    assert of_task is not None
    assert of_task.name == "curves"
    assert found.operations["plot"].returns == ANY


@pytest.mark.req("r039")
def test_a_task_is_not_translated() -> None:
    a, b = (Head(name, "plot", Form.TASK, "plot") for name in "ab")
    assert "runs as it is" in misfit(Link(a, b, epsilon=Epsilon(backward=(function("a", "f"),))))


@pytest.mark.req("r048")
def test_whoever_asked_for_a_part_is_named_for_the_whole() -> None:
    a, b, c = (function(name, "f") for name in "abc")
    assert Link(a, b, origin=Origin.FOUND).then(Link(b, c, origin=Origin.ASKED)).origin is Origin.ASKED
    assert Link(a, b, is_forced=True).then(Link(b, c)).is_forced
