"""Whatever stands in a package.json, the answer is a package or one sentence: nothing else is ever raised."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from plotter2.errors import PackageError
from plotter2.model import package
from tests.unit.plotter2.model.package.test_parse import WHOLE

leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from([".", "..", "a` - at `$.tasks[...]`", "`", "$", "[...]", "\x00", "\n", "../x", "{lr}", "//"])
)  # fmt: skip
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(leaves.map(str), inner, max_size=3),
    max_leaves=6,
)
Place = tuple[str | int, ...]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Every path in a document."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*at, key))


def put(document: Any, at: Place, key: str | None, value: Any) -> Any:
    """The document with a value in a place, or a new member there."""
    if not at:
        return value if key is None else {**document, key: value}
    found = copy.deepcopy(document)
    holder = found
    for step in at[:-1]:
        holder = holder[step]
    if key is None:
        holder[at[-1]] = value
    elif isinstance(holder[at[-1]], dict):
        holder[at[-1]][key] = value
    return found


def answered(text: str) -> None:
    said = ""
    try:
        package.parse(text)
    except PackageError as wrong:
        said = wrong.message
    if said:
        assert said.startswith("package.json")
        assert said.endswith((".", "?"))
        assert len(said) < 3_000


@settings(max_examples=300)
@given(at=st.sampled_from(sorted(places(WHOLE), key=str)), key=st.none() | leaves.map(str), value=values)
def test_a_package_with_one_place_changed_is_answered(at: Place, key: str | None, value: Any) -> None:
    answered(json.dumps(put(WHOLE, at, key, value), indent=1))


@settings(max_examples=200)
@given(st.integers(0, 3_000), st.text(alphabet='{}[]:,"\\ \n0eE+-.NaINfinity\ud800', max_size=8), st.integers(0, 50))
def test_a_package_with_a_piece_of_text_put_into_it_is_answered(start: int, piece: str, length: int) -> None:
    text = json.dumps(WHOLE, indent=1)
    answered(text[:start] + piece + text[start + length :])


@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    answered(text)
