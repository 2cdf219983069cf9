"""The child's listening thread: takes frames as they come, keeps the queue, and sends what a long run prints meanwhile.

A run is claimed by exactly one of two: the interpreter that begins it, or a `Skip` that takes it back.
"""

from __future__ import annotations

import os
import select
import threading
from contextlib import suppress
from queue import SimpleQueue
from socket import socket
from typing import NoReturn

from plotter2.child import frames
from plotter2.child.capture import Recorder
from plotter2.child.frames import Forget, Printed, Program, Run, Skip, Skipped, Told
from plotter2.errors import UsageError

FLUSH_INTERVAL_MS = 250

Work = Program | Run | Forget | Told


class Messenger:
    """One end of the socket to the worker."""

    def __init__(self, connection: socket, recorder: Recorder) -> None:
        self._connection = connection
        self._recorder = recorder
        self._reader = frames.to_child_reader()
        self._queue: SimpleQueue[Work] = SimpleQueue()
        self._unclaimed: set[int] = set()
        self._answers: SimpleQueue[Told] = SimpleQueue()
        self._under_way = 0, recorder
        self._sending = threading.Lock()
        self._pid = os.getpid()

    def start(self) -> None:
        """Begin to listen, in a thread that lives as long as the process."""
        threading.Thread(target=self._listen, name="messenger", daemon=True).start()

    def next(self) -> Work:
        """What the interpreter shall do now; waits for it."""
        while True:
            work = self._queue.get()
            if not isinstance(work, Run):
                return work
            with suppress(KeyError):  # it was skipped
                self._unclaimed.remove(work.sequence)
                self._under_way = work.sequence, self._recorder
                return work

    def attend(self, sequence: int, recorder: Recorder) -> None:
        """An instance goes on, and what is printed is its own; 0: nothing does."""
        self._under_way = sequence, recorder

    def answer(self, sequence: int, ask: int) -> Told:
        """The answer of what the instance under way only reads; waits for it."""
        while True:
            told = self._answers.get()
            if (told.sequence, told.ask) == (sequence, ask):
                return told

    def send(self, message: frames.FromChild) -> None:
        """Say something to the worker; from either thread.

        Raises:
            UsageError: this is a process that a script has forked, which the worker knows nothing of.
        """
        if os.getpid() != self._pid:
            raise UsageError("A process that a script has forked cannot ask or tell others anything; the script can.")
        if isinstance(message, frames.Ended):
            self._under_way = 0, self._recorder
        data = frames.pack(message)
        with self._sending:
            self._connection.sendall(data)

    def _listen(self) -> NoReturn:
        """Until the worker is gone; then this process has no reason to be."""
        try:
            poll = select.poll()
            poll.register(self._connection, select.POLLIN)
            while True:
                is_busy = self._under_way[0] or not self._queue.empty()
                if not poll.poll(FLUSH_INTERVAL_MS if is_busy else None):
                    self._flush()
                    continue
                data = self._connection.recv(frames.READ_BYTES)
                if not data:
                    break
                for message in self._reader.feed(data):
                    self._take(message)
        except OSError:  # the worker has vanished in the middle of a word
            pass
        finally:
            os._exit(0)

    def _take(self, message: frames.ToChild) -> None:
        match message:
            case Run():
                self._unclaimed.add(message.sequence)
                self._queue.put(message)
            case Skip():
                self._skip(message.sequences)
            case Told() if message.is_read:
                self._answers.put(message)
            case Program() | Forget() | Told():
                self._queue.put(message)

    def _skip(self, sequences: list[int]) -> None:
        taken_back: list[int] = []
        for sequence in sequences:
            with suppress(KeyError):  # it has begun
                self._unclaimed.remove(sequence)
                taken_back.append(sequence)
        if taken_back:
            self.send(Skipped(taken_back))

    def _flush(self) -> None:
        present, recorder = self._under_way
        if present:
            lines, seen = recorder.take(), recorder.seen()
            if lines or seen is not None:
                self.send(Printed(present, lines, seen))
