"""What every store keeps of links: all words, of which the newest are live."""

from __future__ import annotations

from dataclasses import replace

import pytest

from manager.store import Store
from plotter2.ids import RequestId
from plotter2.model.link import SaidLink
from plotter2.model.types import Mode
from tests.contract.samples import at, batch, put

WORD = SaidLink(
    RequestId("req-1"), "x", "x/a", "Kurve\0 1", "mine", Mode.MUTABLE, "there", "back", is_forced=True, user="ann",
    created_at=at(1),
)  # fmt: skip


@pytest.mark.req("r036", "r052", "r053")
async def test_the_newest_word_about_an_operation_of_two_bundles_is_live(store: Store) -> None:
    other = replace(WORD, dst="x/b", operation="q")
    await put(store, WORD, other)
    newer = replace(WORD, request_id=RequestId("req-2"), out_head="", is_unlinked=True, is_forced=False)
    await put(store, replace(newer, is_unlinked=False), newer)
    clean = "Kurve\ufffd 1"
    assert (await store.load()).links == (replace(newer, operation=clean), other)


async def test_a_batch_that_comes_twice_says_its_words_once(store: Store) -> None:
    first = batch(WORD)
    await store.commit(first)
    await store.commit(first)
    assert len((await store.load()).links) == 1
