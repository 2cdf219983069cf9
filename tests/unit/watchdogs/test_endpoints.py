"""What endpoints.json says of whom."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter

from plotter2 import discovery
from plotter2.clock import Instant
from plotter2.layout import Layout
from plotter2.testing.clock import ManualClock
from watchdogs import endpoints, lock, wards
from watchdogs.actions import Processes
from watchdogs.keeper import Keeper
from watchdogs.policy import Case, WardState
from watchdogs.wards import Ports, Ward

PORTS = Ports("127.0.0.1", http=1, grpc=2, stager=3, servicer=4, broker=5, probes=(6,))
DEAD = 2**22 + 1


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout.at(tmp_path)
    made.create()
    made.processes.mkdir()
    return made


def keeper(layout: Layout, ward: Ward, pid: int, state: WardState) -> Keeper:
    counter = Counter("restarts", "", ["ward"], registry=CollectorRegistry())
    made = Keeper(ward, Processes(layout), layout, ManualClock(), counter, asyncio.Event().set)
    made.pid, made.started_at, made.case = pid, Instant(1.0), Case(state)
    return made


def announce(layout: Layout, name: str, pid: int, **addresses: str) -> None:
    record = {"role": name, "name": name, "pid": pid, "started_at": "then", "addresses": addresses}
    (layout.processes / f"{name}.json").write_text(json.dumps(record))


def test_what_a_ward_has_bound_stands_before_what_was_planned(layout: Layout) -> None:
    announce(layout, "manager", 7, grpc="127.0.0.1:99", http="127.0.0.1:1")
    entry = endpoints.of_keeper(keeper(layout, wards.manager(PORTS, "", ""), 7, WardState.RUNNING), layout)
    assert entry == {
        "role": "manager",
        "name": "manager",
        "address": "127.0.0.1:99",
        "addresses": {"grpc": "127.0.0.1:99", "http": "127.0.0.1:1"},
        "pid": 7,
        "started_at": "1970-01-01T00:00:01.000000Z",
        "state": "running",
    }


def test_a_ward_that_is_down_keeps_its_address(layout: Layout) -> None:
    announce(layout, "manager", 7, grpc="127.0.0.1:2")
    entry = endpoints.of_keeper(keeper(layout, wards.manager(PORTS, "", ""), 8, WardState.BACKING_OFF), layout)
    assert (entry["address"], entry["state"], entry["pid"]) == ("127.0.0.1:2", "backing_off", 8)


def test_wards_of_other_watchdogs_are_known_by_their_records(layout: Layout) -> None:
    stager = wards.stager(PORTS)
    assert endpoints.of_record(stager, layout) == {}
    announce(layout, "stager", os.getpid(), grpc="127.0.0.1:3")
    assert endpoints.of_record(stager, layout)["state"] == "running"
    announce(layout, "stager", DEAD, grpc="127.0.0.1:3")
    entry = endpoints.of_record(stager, layout)
    assert (entry["state"], entry["address"]) == ("backing_off", "127.0.0.1:3")


def test_broker_and_database_are_shown_by_what_they_listen_on(layout: Layout) -> None:
    broker = keeper(layout, wards.broker(("b",), "127.0.0.1:5"), 7, WardState.RUNNING)
    database = keeper(layout, wards.database(("p",), Path("/s")), 7, WardState.RUNNING)
    assert endpoints.of_keeper(broker, layout)["address"] == "127.0.0.1:5"
    assert endpoints.of_keeper(database, layout)["address"] == "/s"


def test_what_is_written_is_what_is_found(layout: Layout) -> None:
    entry = endpoints.of_keeper(keeper(layout, wards.manager(PORTS, "", ""), 7, WardState.RUNNING), layout)
    endpoints.write(layout, [entry])
    with lock.hold(layout, Instant(2e9)):
        assert discovery.address_of(layout.home, "manager") == "127.0.0.1:2"
        assert discovery.address_of(layout.home, "manager", "http") == "127.0.0.1:1"
