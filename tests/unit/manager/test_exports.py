"""What runs export is offered as deliveries: once each, put together anew when a bundle has moved on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from blake3 import blake3

from manager.commands import TakeOutputs
from manager.desk import Desk
from manager.events import DeliveryOffered
from manager.exports import TRIES_MAX, Exports
from manager.organizer import Organizer
from manager.store import Delivery
from manager.store.memory import MemoryStore
from plotter2.errors import ConflictError
from plotter2.ids import RunId
from plotter2.layout import Layout
from plotter2.model.task import Output
from plotter2.testing import ManualClock
from tests.contract.samples import put, version

RUN = RunId("req-" + "1" * 32 + ".0")
EFFECT = TakeOutputs(RUN, 1, (), "lab/x", ("lab", 3), "ann")


class Listener:
    """A desk that says no so often first."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.heard: list[DeliveryOffered] = []

    async def ask(self, make: Callable[[int], Any]) -> object:
        self.heard.append(make(1))
        if len(self.heard) <= self.refusals:
            raise ConflictError("It got a new version.")
        return None


def exports(tmp_path: Path, store: MemoryStore, desk: Listener) -> tuple[Exports, list[Output]]:
    layout = Layout.at(tmp_path)
    layout.create()
    made = []
    for bundle in ("lab/low", "other"):
        path = f"lab/x/exports/{bundle}/files/deep/a.npy"
        place = layout.output / path
        place.parent.mkdir(parents=True)
        place.write_bytes(b"data")
        made.append(Output(path, "export", bundle, 4, blake3(b"data").digest()))
    return Exports(store, Organizer(layout), cast("Desk", desk), ManualClock()), [*made, Output("p.html", "figure")]


@pytest.mark.req("r176")
async def test_each_bundle_gets_one_delivery_named_after_the_run_and_none_twice(tmp_path: Path) -> None:
    store, desk = MemoryStore(), Listener()
    await put(store, version("other", 2))
    taking, outputs = exports(tmp_path, store, desk)
    await taking.take_in(EFFECT, outputs)
    new, old = desk.heard
    assert (new.bundle, new.base, [one.path for one in new.files]) == ("lab/low", 0, ["deep/a.npy"])
    assert (old.bundle, old.base, [one.path for one in old.files]) == ("other", 2, ["a/x.csv", "b.txt", "deep/a.npy"])
    assert (new.cause, new.user) == (RUN.partition(".")[0], "ann")
    assert '"lab@3"' in new.manifest_json
    await put(
        store, Delivery(new.delivery_id, new.request_id, "lab/low", 1, is_new=True, installed_at=ManualClock().now())
    )
    await taking.take_in(EFFECT, outputs)
    assert [one.delivery_id for one in desk.heard[2:]] == [old.delivery_id]


@pytest.mark.req("r176")
async def test_a_bundle_that_moved_on_is_added_to_as_it_is_by_then_but_not_for_ever(tmp_path: Path) -> None:
    store, desk = MemoryStore(), Listener(refusals=1)
    taking, outputs = exports(tmp_path, store, desk)
    await taking.take_in(EFFECT, outputs[:1])
    assert len(desk.heard) == 2
    desk = Listener(refusals=TRIES_MAX)
    with pytest.raises(ConflictError):
        await Exports(store, taking._organizer, cast("Desk", desk), ManualClock()).take_in(EFFECT, outputs[:1])
    assert len(desk.heard) == TRIES_MAX


@pytest.mark.req("r176")
async def test_a_run_that_exports_nothing_asks_nobody(tmp_path: Path) -> None:
    desk = Listener()
    taking, outputs = exports(tmp_path, MemoryStore(), desk)
    await taking.take_in(EFFECT, outputs[2:])
    assert desk.heard == []
