"""Who is kept, and what each of them is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from manager.config import ManagerConfig
from plotter2 import config
from plotter2.layout import Layout
from servicer.config import ServicerConfig
from stager.config import StagerConfig
from watchdogs import wards
from watchdogs.config import Rank
from watchdogs.wards import Ports, Ward
from worker.config import WorkerConfig

PORTS = Ports("127.0.0.1", http=1, grpc=2, stager=3, servicer=4, broker=5, probes=(6, 7))
URL = "mqtt://127.0.0.1:5"


def test_everybody_is_told_where_the_others_are() -> None:
    assert wards.manager(PORTS, "postgresql://x", URL).environment == {
        "PLOTTER2_MANAGER_HOST": "127.0.0.1",
        "PLOTTER2_MANAGER_HTTP_PORT": "1",
        "PLOTTER2_MANAGER_GRPC_PORT": "2",
        "PLOTTER2_MANAGER_DSN": "postgresql://x",
        "PLOTTER2_MANAGER_BROKER_URL": URL,
        "PLOTTER2_MANAGER_SERVICER_ADDRESS": "127.0.0.1:4",
    }
    assert wards.stager(PORTS).environment["PLOTTER2_STAGER_MANAGER_ADDRESS"] == "127.0.0.1:2"
    assert wards.servicer(PORTS).environment["PLOTTER2_SERVICER_STAGER_ADDRESS"] == "127.0.0.1:3"


def test_workers_have_names_and_probes_of_their_own() -> None:
    second = wards.worker(2, PORTS, URL)
    assert (second.name, second.role) == ("worker-2", "worker")
    assert second.environment["PLOTTER2_WORKER_NAME"] == "worker-2"
    assert second.environment["PLOTTER2_WORKER_PROBE_PORT"] == "7"


def test_addresses_are_known_before_anybody_listens() -> None:
    assert wards.manager(PORTS, "", "").addresses == {"grpc": "127.0.0.1:2", "http": "127.0.0.1:1"}
    assert wards.broker(("b",), "127.0.0.1:5").addresses == {"mqtt": "127.0.0.1:5"}


@pytest.mark.req("r077", "r079")
def test_main_may_end_everybody_but_the_watchdog_of_the_buffer() -> None:
    assert not wards.watchdog(Rank.BUFFER, {}).may_kill
    others = [wards.watchdog(Rank.SERVICES, {}), wards.manager(PORTS, "", ""), wards.worker(1, PORTS, URL)]
    assert all(ward.may_kill for ward in others)


def test_a_database_is_asked_to_end_by_its_fast_shutdown() -> None:
    assert wards.database(("postgres",), Path("/s")).stop_signal == "SIGINT"


def test_every_setting_that_is_passed_is_one_that_the_daemon_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[Ward, type[config.DaemonConfig]]] = [
        (wards.manager(PORTS, "", URL), ManagerConfig),
        (wards.stager(PORTS), StagerConfig),
        (wards.servicer(PORTS), ServicerConfig),
        (wards.worker(1, PORTS, URL), WorkerConfig),
    ]
    for ward, kind in told:
        prefix = f"PLOTTER2_{ward.role.upper()}_"
        assert kind.model_config["env_prefix"] == prefix
        assert {key.removeprefix(prefix).lower() for key in ward.environment} <= set(kind.model_fields)
        for key, value in ward.environment.items():
            monkeypatch.setenv(key, value)
        config.load(kind, home=Path("/nowhere"))


def test_the_words_of_a_ward_lie_beside_its_log() -> None:
    assert wards.log_of(wards.stager(PORTS), Layout.at(Path("/h"))) == Path("/h/log/stager.out")
