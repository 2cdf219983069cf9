"""Tags: those of the package, and over them those that people set."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.errors import LimitError, UsageError
from plotter2.model import tags
from plotter2.model.entry import WORD_BYTES_MAX

NAMES = st.sampled_from(["a", "b", "c d", "é"])
VALUES = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from([0.5, "x", ""])
SETTINGS = st.dictionaries(NAMES, VALUES, min_size=1)


@given(st.dictionaries(NAMES, VALUES.filter(lambda value: value is not None)), st.lists(SETTINGS, max_size=4))
def test_what_was_set_last_wins_and_null_takes_away(
    declared: dict[str, object], settings: list[dict[str, object]]
) -> None:
    by_hand, expected = "", dict(declared)
    for one in settings:
        by_hand = tags.merged(by_hand, tags.read(json.dumps(one)))
        expected |= one
    shown = tags.shown(json.dumps({"tags": declared, "name": "x"}), by_hand)
    assert json.loads(shown or "{}") == {name: value for name, value in expected.items() if value is not None}


def test_numbers_keep_their_spelling() -> None:
    by_hand = tags.merged("", tags.read('{"size": 3.10, "n": 1e3}'))
    assert tags.shown("", by_hand) == '{"size":3.10,"n":1e3}'
    assert tags.shown("", "") == ""


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "x", '{"a": [1]}', '{"a": {}}', '{" ": 1}', '{"a\\n": 1}', '{"a": "\\u0000"}', "[" * 100_000,
     json.dumps({"a": "x" * (WORD_BYTES_MAX + 1)}), json.dumps({"n" * 256: 1})],
)  # fmt: skip
def test_what_is_no_tag_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UsageError):
        tags.read(text)


def test_a_bundle_has_so_many_tags() -> None:
    many = tags.read(json.dumps({f"t{number}": number for number in range(tags.TAGS_MAX)}))
    full = tags.merged("", many)
    assert tags.merged(full, tags.read('{"t0": 1}'))
    with pytest.raises(LimitError, match="at most 200 tags"):
        tags.merged(full, tags.read('{"more": 1}'))


def test_a_package_with_other_rules_has_no_tags() -> None:
    assert tags.shown('{"tags": [1]}', '{"a":1}') == '{"a":1}'
