from __future__ import annotations

import os
from pathlib import Path

from worker import memory


def test_a_process_is_measured_and_one_that_is_gone_is_not() -> None:
    used = memory.usage(os.getpid())
    assert used is not None
    assert used.memory_bytes > 0
    assert memory.usage(2**22 + 1) is None


def test_a_log_that_has_grown_too_long_begins_anew(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    memory.bound_log(log)
    log.write_bytes(b"x" * 100)
    memory.bound_log(log)
    assert log.stat().st_size == 100
    log.write_bytes(b"x" * (memory.LOG_BYTES_MAX + 1))
    memory.bound_log(log)
    assert log.stat().st_size == 0
