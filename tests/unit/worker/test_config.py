from __future__ import annotations

from pathlib import Path

import pytest

from plotter2.config import load
from plotter2.errors import ConfigError
from worker.config import WorkerConfig


def test_a_worker_keeps_its_identity_and_differs_from_its_neighbour(tmp_path: Path) -> None:
    one = load(WorkerConfig, home=tmp_path, name="worker-1")
    other = load(WorkerConfig, home=tmp_path, name="worker-2")
    assert one.identity() == load(WorkerConfig, home=tmp_path, name="worker-1").identity()
    assert one.identity() != other.identity()
    assert load(WorkerConfig, home=tmp_path, worker_id="given").identity() == "given"


def test_slots_follow_children_and_window_unless_set(tmp_path: Path) -> None:
    assert load(WorkerConfig, home=tmp_path, children=2, window_runs=10).policy().slots == 20
    assert load(WorkerConfig, home=tmp_path, children=2, slots=3).policy().slots == 3


def test_a_wrong_number_of_children_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="children"):
        load(WorkerConfig, home=tmp_path, children=0)


@pytest.mark.req("r095")
def test_tasks_have_no_places_of_the_file_system_of_their_own_and_a_worker_that_shall_give_them_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(WorkerConfig, home=tmp_path).io_scopes is False
    says = "The setting 'io_scopes' cannot be .*: .*tasks have no places of the file system of their own yet"
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "worker.toml").write_text("io_scopes = true\n")
    with pytest.raises(ConfigError, match=says):
        load(WorkerConfig, home=tmp_path)
    (tmp_path / "config" / "worker.toml").write_text("io_scopes = false\n")
    assert load(WorkerConfig, home=tmp_path).io_scopes is False
    monkeypatch.setenv("PLOTTER2_WORKER_IO_SCOPES", "1")
    with pytest.raises(ConfigError, match=says):
        load(WorkerConfig, home=tmp_path)
