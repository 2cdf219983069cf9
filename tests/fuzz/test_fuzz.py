"""The same targets as `make fuzz`, for a moment: with hypothesis, which shrinks, and with a random fuzzer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.clock import Instant
from plotter2.model import manifest
from tests.fuzz.mutation import mutants
from tests.fuzz.targets import SEEDS, TARGETS, WORDS, tried

MUTANTS = {"pieces": 300, "archive": 1_000, "values": 1_000}
MUTANTS_ELSE = 2_000


@pytest.mark.req("r014", "r057")
@pytest.mark.parametrize("name", TARGETS)
def test_what_is_meant_is_taken(name: str) -> None:
    for data in SEEDS[name]:
        assert tried(TARGETS[name], data) or name in {"names", "manifest"}


@pytest.mark.req("r014", "r057")
@pytest.mark.parametrize("name", TARGETS)
def test_random_changes_are_taken_or_refused(name: str) -> None:
    for data in islice(mutants(1, SEEDS[name], WORDS), MUTANTS.get(name, MUTANTS_ELSE)):
        tried(TARGETS[name], data)


def spliced(name: str) -> st.SearchStrategy[bytes]:
    """Samples cut anywhere, with words and bytes between."""
    part = st.sampled_from(SEEDS[name]).flatmap(
        lambda seed: st.tuples(st.integers(0, len(seed)), st.integers(0, len(seed))).map(
            lambda cut: seed[min(cut) : max(cut)]
        )
    )
    return st.lists(part | st.sampled_from(WORDS) | st.binary(max_size=30), max_size=8).map(b"".join)


@pytest.mark.req("r014", "r057")
@pytest.mark.parametrize("name", TARGETS)
@given(data=st.data())
def test_what_hypothesis_thinks_of_is_taken_or_refused(name: str, data: Any) -> None:
    tried(TARGETS[name], data.draw(spliced(name)))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)  # fmt: skip
parts = st.fixed_dictionaries(
    {}, optional={"packages": values, "tasks": values, "submanifests": st.lists(values, max_size=3), "files": values}
)


@given(contains=parts, meta=st.dictionaries(st.text(max_size=5), values, max_size=3))
def test_any_contents_in_a_manifest_that_is_one_otherwise(contains: dict[str, Any], meta: dict[str, Any]) -> None:
    try:
        text = manifest.write("ada", Instant(1.7e9), contains, meta).encode()
    except UnicodeEncodeError:
        return
    tried(TARGETS["manifest"], text)


def test_a_seed_means_the_same_mutants() -> None:
    def some(seed: int) -> Iterator[bytes]:
        return islice(mutants(seed, SEEDS["manifest"], WORDS), 50)

    assert list(some(1)) == list(some(1)) != list(some(2))
