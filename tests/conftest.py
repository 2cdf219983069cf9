"""What every test may ask for. PostgreSQL and broker are real, started once a session."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from plotter2 import config
from tests.embedded import Cluster, broker_running

# A busy machine draws and runs examples slowly; that is no fault of the code. pytest's own time limit stands.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
os.environ["PLOTTER2_WORKER_BROWSER"] = "none"  # noqa: TID251 -- for workers of whole installations: seconds a report
os.environ.setdefault("OMP_NUM_THREADS", "1")  # noqa: TID251 -- as in workers: tests that run side by side share cores
os.environ.update(config.daemons_environment())  # noqa: TID251 -- before gRPC is loaded: some tests fork


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A test has the same name in every process: packed bytes hold the time at which they were packed."""
    return f"{argname} of {len(val)} bytes" if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def short_home() -> Iterator[Path]:
    """A folder with a short path, so that sockets fit."""
    with tempfile.TemporaryDirectory(prefix="p2-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def cluster(short_home: Path) -> Iterator[Cluster]:
    """The real PostgreSQL of the session."""
    made = Cluster(short_home / "pg")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def postgres_dsn(cluster: Cluster) -> str:
    """A new, empty database."""
    return cluster.fresh()


@pytest.fixture(scope="session")
def broker_url(short_home: Path) -> Iterator[str]:
    """The real broker of the session."""
    with broker_running(short_home / "broker") as url:
        yield url
