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
