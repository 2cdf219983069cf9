"""One home, one holder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from plotter2 import discovery
from plotter2.clock import Instant, SystemClock
from plotter2.errors import ConflictError
from plotter2.layout import Layout
from watchdogs import lock

NOW = SystemClock().now()
HOLDS = """
import sys; from pathlib import Path
from plotter2.clock import SystemClock; from plotter2.layout import Layout; from watchdogs import lock
with lock.hold(Layout.at(Path(sys.argv[1])), SystemClock().now()):
    print("held", flush=True); sys.stdin.read()
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout.at(tmp_path)
    made.create()
    return made


def test_the_lock_says_who_holds_it_and_is_gone_afterwards(layout: Layout) -> None:
    with lock.hold(layout, NOW):
        found = discovery.holder(layout.home)
        assert found is not None
        assert found.pid == os.getpid()
    assert discovery.holder(layout.home) is None
    assert not list(layout.log.iterdir())


def test_a_second_holder_is_told_who_the_first_is(layout: Layout) -> None:
    with lock.hold(layout, Instant(0.0)):
        sentence = f"held by process {os.getpid()} since 1970-01-01T00:00:00.000000Z; end it by `plotter2 down`"
        with pytest.raises(ConflictError, match=sentence), lock.hold(layout, NOW):
            pytest.fail("held twice")
        assert (layout.log / discovery.LOCK_NAME).exists()
    with lock.hold(layout, NOW):
        pass


def test_the_lock_of_a_killed_process_holds_nobody(layout: Layout) -> None:
    command = [sys.executable, "-c", HOLDS, str(layout.home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ConflictError, match=str(other.pid)), lock.hold(layout, NOW):
            pytest.fail("held twice")
        other.kill()
    assert (layout.log / discovery.LOCK_NAME).exists()
    assert discovery.holder(layout.home) is None
    with lock.hold(layout, NOW):
        assert discovery.holder(layout.home) is not None


def test_a_lock_that_its_holder_takes_away_while_we_wait_is_not_ours(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = layout.log / discovery.LOCK_NAME
    real, seen = lock._is_same, []

    def another_came_first(handle: int, where: Path) -> bool:
        if not seen:
            path.unlink()
            path.touch()
        seen.append(real(handle, where))
        return seen[-1]

    monkeypatch.setattr(lock, "_is_same", another_came_first)
    with lock.hold(layout, NOW):
        assert json.loads(path.read_bytes())["pid"] == os.getpid()
    assert seen == [False, True]


def test_a_guardian_that_lives_holds_the_home_while_main_is_down(layout: Layout) -> None:
    document = {"pid": 2**22 + 1, "since": "2100-01-01T00:00:00Z", "guardian": os.getpid()}
    path = layout.log / discovery.LOCK_NAME
    path.write_text(json.dumps(document))
    assert discovery.holder(layout.home) is not None
    path.write_text(json.dumps({**document, "guardian": 0}))
    assert discovery.holder(layout.home) is None


def test_a_later_process_with_the_same_number_is_not_the_holder(layout: Layout) -> None:
    began = psutil.Process().create_time()
    with lock.hold(layout, Instant(began - 60)):
        assert discovery.holder(layout.home) is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"pid": "x", "since": ""}', '{"pid": 1}'])
def test_a_lock_that_makes_no_sense_holds_nobody(layout: Layout, text: str) -> None:
    (layout.log / discovery.LOCK_NAME).write_text(text)
    assert discovery.holder(layout.home) is None
