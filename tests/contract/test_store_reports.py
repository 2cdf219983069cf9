"""What every store says of numbered reports."""

from __future__ import annotations

import pytest

from plotter2.ids import RunId
from plotter2.model.report import Report
from tests.contract.conftest import World
from tests.contract.samples import FILES, at, put


def report(bundle: str, number: int) -> Report:
    return Report(bundle, number, RunId(f"req-{number}.0"), at(number), f'{{"report": {number}}}\n', FILES)


@pytest.mark.req("r026")
async def test_reports_stay_as_they_were_and_the_newest_numbers_are_known_after_a_restart(world: World) -> None:
    await put(world.store, report("lab/a", 1))
    await put(world.store, report("lab/a", 2), report("lab/b", 1))
    store = await world.open()
    assert await store.get_report("lab/a", 1) == report("lab/a", 1)
    assert await store.get_report("lab/a", 2) == report("lab/a", 2)
    assert await store.get_report("lab/a", 3) is None
    assert (await store.load()).reports == {"lab/a": 2, "lab/b": 1}
