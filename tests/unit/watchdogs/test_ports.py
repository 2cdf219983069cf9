"""Ports that are free, and stay the same."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from plotter2.errors import ConfigError
from plotter2.layout import Layout
from watchdogs import ports

HOST = "127.0.0.1"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout.at(tmp_path)
    made.create()
    return made


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def well_known(monkeypatch: pytest.MonkeyPatch, layout: Layout) -> dict[str, int]:
    """Well-known ports that are free on this machine now."""
    found = ports.choose("auto", HOST, 1, layout)
    names = {name: getattr(found, name) for name in ports.NAMES}
    monkeypatch.setattr(ports, "NAMES", names)
    monkeypatch.setattr(ports, "PROBE_FIRST", found.probes[0])
    ports.path(layout).unlink()
    return names


def test_free_ports_are_all_different(layout: Layout) -> None:
    found = ports.choose("auto", HOST, 5, layout)
    numbers = [found.http, found.grpc, found.stager, found.servicer, found.broker, *found.probes]
    assert len(set(numbers)) == len(numbers) == 10
    assert all(numbers)


def test_free_ports_are_none_that_a_system_gives_to_whoever_asks_for_any(layout: Layout) -> None:
    """A watchdog's own probe once took the port that was chosen for the manager, which then could not start."""
    found = ports.choose("auto", HOST, 5, layout)
    own = [found.http, found.grpc, found.stager, found.servicer, found.broker, *found.probes]
    assert all(ports.FREE_FIRST <= port <= ports.FREE_LAST for port in own)
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(own) < first or first < ports.FREE_LAST, "somebody has set the range of this system otherwise"


def test_too_few_free_ports_are_told(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "FREE_LAST", ports.FREE_FIRST + 3)
    monkeypatch.setattr(ports, "STRIDE", 1)
    with pytest.raises(ConfigError, match="fewer than 6 are free"):
        ports.choose("auto", HOST, 1, layout)


def test_the_same_ports_are_used_again(layout: Layout) -> None:
    first = ports.choose("auto", HOST, 2, layout)
    assert ports.choose("auto", HOST, 2, layout) == first == ports.read(layout)


def test_ports_of_before_that_a_system_may_give_to_others_are_left(layout: Layout) -> None:
    ports.choose("auto", HOST, 2, layout)
    with socket.create_server((HOST, 0)) as listener:
        given = listener.getsockname()[1]
    document = json.loads(ports.path(layout).read_bytes())
    ports.path(layout).write_text(json.dumps({**document, "http": given}))
    assert ports.choose("auto", HOST, 2, layout).http != given


def test_others_are_found_when_one_is_taken_meanwhile(layout: Layout) -> None:
    first = ports.choose("auto", HOST, 2, layout)
    with socket.create_server((HOST, first.stager)):
        assert first.stager != ports.choose("auto", HOST, 2, layout).stager


def test_another_number_of_workers_gets_as_many_probes(layout: Layout) -> None:
    ports.choose("auto", HOST, 2, layout)
    assert len(ports.choose("auto", HOST, 3, layout).probes) == 3


def test_well_known_ports_are_used_where_they_are_free(layout: Layout, well_known: dict[str, int]) -> None:
    found = ports.choose("default", HOST, 1, layout)
    assert {name: getattr(found, name) for name in well_known} == well_known


def test_a_well_known_port_that_is_taken_is_named(
    layout: Layout, well_known: dict[str, int], taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "NAMES", {**well_known, "broker": taken})
    with pytest.raises(ConfigError, match=rf"Port {taken} \(broker\) is taken.*--ports auto"):
        ports.choose("default", HOST, 1, layout)


def test_a_probe_moves_aside_when_its_port_is_taken(
    layout: Layout, well_known: dict[str, int], taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert taken not in well_known.values()
    monkeypatch.setattr(ports, "PROBE_FIRST", taken)
    assert ports.choose("default", HOST, 1, layout).probes == (0,)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"http": 1}'])
def test_a_decision_that_makes_no_sense_is_as_good_as_none(layout: Layout, text: str) -> None:
    ports.path(layout).write_text(text)
    with pytest.raises(ConfigError, match="start `plotter2 up`"):
        ports.read(layout)
    ports.choose("auto", HOST, 1, layout)
