"""What is known of runs, on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from plotter2.clock import Instant
from plotter2.ids import ServiceId
from plotter2.layout import Layout
from plotter2.model.service import ServiceState, ServiceStatus
from servicer import folder
from servicer.folder import Endings


def ended(number: int, state: ServiceState = ServiceState.DONE) -> ServiceStatus:
    return ServiceStatus(
        ServiceId(f"req-{number:032x}.s0"), state, finished_at=Instant(float(number)), error="ä", tail="a\nb"
    )


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout.at(tmp_path)
    made.create()
    return made


def kept(layout: Layout, bound: int = 10) -> list[ServiceStatus]:
    return Endings(layout, bound).read()


@pytest.mark.req("r198")
def test_what_has_ended_is_there_for_the_next_servicer_in_order(layout: Layout) -> None:
    endings = Endings(layout, 10)
    assert endings.read() == []
    for number in range(3):
        endings.add(ended(number))
    assert kept(layout) == [ended(0), ended(1), ended(2)]


@pytest.mark.req("r198")
def test_half_a_line_of_a_killed_servicer_costs_no_other_line(layout: Layout) -> None:
    endings = Endings(layout, 10)
    endings.read()
    endings.add(ended(0))
    with (layout.service / folder.ENDED_FILE).open("ab") as file:
        file.write(b'{"service_id": "req-')
    again = Endings(layout, 10)
    assert again.read() == [ended(0)]
    again.add(ended(1))
    assert kept(layout) == [ended(0), ended(1)]


def test_only_the_newest_are_kept_and_the_file_does_not_grow_without_bound(layout: Layout) -> None:
    endings = Endings(layout, 4)
    endings.read()
    sizes = set()
    for number in range(100):
        endings.add(ended(number))
        sizes.add((layout.service / folder.ENDED_FILE).read_bytes().count(b"\n"))
    assert max(sizes) <= 8
    assert kept(layout, 4) == [ended(number) for number in range(96, 100)]


def test_the_file_of_ended_runs_is_not_taken_for_a_run(layout: Layout) -> None:
    endings = Endings(layout, 4)
    endings.read()
    endings.add(ended(1))
    assert list(folder.every(layout)) == []


def test_a_run_told_twice_is_remembered_as_it_was_told_last(layout: Layout) -> None:
    endings = Endings(layout, 4)
    endings.read()
    endings.add(ended(1, ServiceState.STOPPED))
    endings.add(ended(1))
    assert kept(layout) == [ended(1)]
