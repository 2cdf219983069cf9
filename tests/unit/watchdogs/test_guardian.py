"""Who is started again, and who is let go."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from plotter2.testing.clock import ManualClock
from watchdogs import guardian
from watchdogs.guardian import Guardian


class Lives:
    """Processes that live for a while and end with a code."""

    def __init__(self, *lives: tuple[float, int]) -> None:
        self.clock = ManualClock()
        self.started = 0
        self.asked = 0
        self.meanwhile = lambda: None
        self._lives: Iterator[tuple[float, int]] = iter(lives)

    def start(self) -> subprocess.Popen[bytes]:
        self.started += 1
        lived_s, code = next(self._lives)

        def wait() -> int:
            self.meanwhile()
            self.clock.advance(lived_s)
            return code

        def terminate() -> None:
            self.asked += 1

        return cast("subprocess.Popen[bytes]", SimpleNamespace(wait=wait, terminate=terminate, poll=lambda: None))

    def guard(self) -> int:
        return Guardian(self.start, self.clock).run()


@pytest.fixture(autouse=True)
def handlers(monkeypatch: pytest.MonkeyPatch) -> dict[int, Any]:
    """The signal handlers that were set, instead of setting them."""
    found: dict[int, Any] = {}
    monkeypatch.setattr(signal, "signal", found.__setitem__)
    return found


def test_a_clean_end_is_the_end() -> None:
    lives = Lives((60, 0))
    assert (lives.guard(), lives.started) == (0, 1)


def test_a_refusal_to_start_is_passed_on() -> None:
    lives = Lives((1, 1))
    assert (lives.guard(), lives.started) == (1, 1)


@pytest.mark.req("r070")
@pytest.mark.parametrize("life", [(0.5, -9), (60, -9), (60, 1)])
def test_who_was_killed_or_failed_at_work_is_started_again(life: tuple[float, int]) -> None:
    lives = Lives(life, life, (60, 0))
    assert (lives.guard(), lives.started) == (0, 3)


def test_who_cannot_live_is_given_up(capsys: pytest.CaptureFixture[str]) -> None:
    lives = Lives(*[(0.1, -9)] * 20)
    assert (lives.guard(), lives.started) == (1, guardian.QUICK_DEATHS_MAX)
    assert "giving up" in capsys.readouterr().err


@pytest.mark.parametrize("number", guardian.STOP_SIGNALS)
def test_asked_to_end_it_asks_and_starts_nobody_again(handlers: dict[int, Any], number: int) -> None:
    lives = Lives((1, -9))
    lives.meanwhile = lambda: handlers[number](number, None)
    assert (lives.guard(), lives.started, lives.asked) == (0, 1, 1)


def test_asked_before_anybody_was_started_it_still_asks(handlers: dict[int, Any]) -> None:
    lives = Lives((1, 0))
    real = lives.start

    def start() -> subprocess.Popen[bytes]:
        handlers[signal.SIGTERM](signal.SIGTERM, None)
        return real()

    assert Guardian(start, lives.clock).run() == 0
    assert lives.asked == 1
