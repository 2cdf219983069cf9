"""What every store keeps of links: all words, of which the newest are live."""

from __future__ import annotations

from dataclasses import replace

import pytest

from manager.store import Store
from plotter2.ids import RequestId
from plotter2.model.link import SaidLink
from plotter2.model.request import RequestState, Skip
from plotter2.model.types import Mode
from tests.contract.samples import at, batch, put, request

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


@pytest.mark.req("r031", "r051")
async def test_whom_a_request_left_out_is_kept_with_it(store: Store) -> None:
    asked = request(1, bundle="x", skipped=(Skip("x/a", "it is archived"), Skip("x/b", 'it does not link "p"')))
    await put(store, asked, request(2))
    await put(store, replace(asked, state=RequestState.DONE))
    found = await store.get_request(asked.id)
    assert found is not None
    assert found.skipped == asked.skipped
    assert [one.skipped for one in (await store.load()).requests] == [()]
