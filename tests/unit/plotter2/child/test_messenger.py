"""The first of a child's two threads: it hears and speaks while the second computes (requirement 088)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from plotter2.child import frames
from plotter2.child.capture import Recorder
from plotter2.child.frames import Ended, Printed, Program, Run, Skip, Skipped
from plotter2.child.messenger import Messenger

WAIT_S = 10.0


def run(sequence: int) -> Run:
    return Run(sequence, 1, f"req-1.{sequence}", 1, "{}", 7, 1 << 30)


class Worker:
    """The other end."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._end.settimeout(WAIT_S)
        self._reader = frames.from_child_reader()
        self._heard: list[frames.FromChild] = []

    def say(self, *messages: frames.ToChild) -> None:
        self._end.sendall(b"".join(map(frames.pack, messages)))

    def hear(self) -> frames.FromChild:
        while not self._heard:
            self._heard += self._reader.feed(self._end.recv(frames.READ_BYTES))
        return self._heard.pop(0)


class Pair:
    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.recorder = Recorder()
        self.messenger = Messenger(ours, self.recorder)
        self.worker = Worker(theirs)
        self.ends = ours, theirs


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    over = threading.Event()
    monkeypatch.setattr("plotter2.child.messenger.os._exit", lambda _: over.set())
    made = Pair()
    made.messenger.start()
    yield made
    made.ends[1].close()
    assert over.wait(WAIT_S), "without its worker a child has no reason to be"
    made.ends[0].close()


@pytest.mark.req("r088")
def test_what_waits_behind_a_run_is_taken_back_while_it_goes_on(pair: Pair) -> None:
    pair.worker.say(Program(1, "t", "script", "", "t.py"), run(1), run(2), run(3), run(4))
    assert isinstance(pair.messenger.next(), Program)
    assert pair.messenger.next() == run(1)
    pair.worker.say(Skip([1, 2, 3, 9]))
    assert pair.worker.hear() == Skipped([2, 3]), "what has begun is not taken back"
    assert pair.messenger.next() == run(4), "nor run by two"


@pytest.mark.req("r088")
def test_lines_gather_and_are_told_while_the_run_goes_on(pair: Pair) -> None:
    pair.worker.say(run(1))
    pair.messenger.next()
    for number in range(500):
        pair.recorder.line(str(number))
    heard: list[str] = []
    while len(heard) < 500:
        said = pair.worker.hear()
        assert isinstance(said, Printed)
        assert said.sequence == 1
        assert len(said.lines) > 100, "many in one message"
        heard += said.lines
    assert heard == [str(number) for number in range(500)]
    end = Ended(1, "done", "", "", "", [], [], False)
    pair.messenger.send(end)
    assert pair.worker.hear() == end
