"""What a run prints: whole lines, bounded in all, sent home while it goes on.

Owns the text streams that stand for `sys.stdout` and `sys.stderr` in a child. Refuses nothing: what is too much is
counted and left out. What is written past Python, to the descriptors themselves, goes to the child's log file.
"""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable

from typing_extensions import Buffer, override

LINES_BYTES_MAX = 64 << 10
"""Of what one run prints, its first lines; who carries them on keeps all of them until the run's end is told."""


class Recorder:
    """The lines of the present run."""

    def __init__(self, bytes_max: int = LINES_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self._partial = ""
        self._room = bytes_max
        self._left_out = 0
        self._progress: tuple[float, float] | None = None

    def begin(self) -> None:
        """A new run begins; what was not taken is gone."""
        with self._lock:
            self._lines = []
            self._partial = ""
            self._room = self._bytes_max
            self._left_out = 0
            self._progress = None

    def show(self, done: float, total: float) -> None:
        """How far the run is; what was said before is forgotten."""
        with self._lock:
            self._progress = done, total

    def seen(self) -> tuple[float, float] | None:
        """How far the run is, if it has said so since the last call."""
        with self._lock:
            found, self._progress = self._progress, None
            return found

    def feed(self, text: str) -> None:
        """Text as it is printed; only whole lines count, until the end."""
        with self._lock:
            *whole, rest = (self._partial + text).split("\n")
            for line in whole:
                self._add(line)
            if len(rest) > self._room:  # a line without an end must not grow without one
                rest = rest[: self._room + 1]
            self._partial = rest

    def line(self, text: str) -> None:
        """A line that the engine says for the script."""
        with self._lock:
            for one in text.split("\n"):
                self._add(one)

    def take(self) -> list[str]:
        """The whole lines since the last call."""
        with self._lock:
            lines, self._lines = self._lines, []
            return lines

    def end(self) -> list[str]:
        """All that is left, and a word about what was left out."""
        with self._lock:
            if self._partial:
                self._add(self._partial)
                self._partial = ""
            lines, self._lines = self._lines, []
            if self._left_out:
                lines.append(self._left_out_words())
            return lines

    def _left_out_words(self) -> str:
        kept = f"{self._bytes_max >> 10} KiB" if self._bytes_max >= 1 << 10 else f"{self._bytes_max} B"
        return f"… {self._left_out} lines left out: of what a run prints the first {kept} are kept"

    def _add(self, line: str) -> None:
        if self._left_out or not self._room:
            self._left_out += 1
            return
        raw = line.encode(errors="backslashreplace")  # half a character, as names of files have them, is no text
        line, size = raw.decode(), len(raw) + 1
        if size > self._room:
            line = raw[: self._room].decode(errors="ignore") + " …"
            self._room = 0
        else:
            self._room -= size
        self._lines.append(line)


class _Sink(io.RawIOBase):
    """The bytes below the text stream."""

    def __init__(self, feed: Callable[[str], None], descriptor: int) -> None:
        self._feed = feed
        self._descriptor = descriptor

    @property
    def name(self) -> str:
        """As the real streams call themselves."""
        return "<stdout>" if self._descriptor == 1 else "<stderr>"

    @override
    def writable(self) -> bool:
        return True

    @override
    def fileno(self) -> int:
        """The log file, for those who need a real descriptor (as subprocess does)."""
        return self._descriptor

    @override
    def write(self, data: Buffer, /) -> int:
        raw = bytes(data)
        self._feed(raw.decode(errors="replace"))
        return len(raw)


def stream(feed: Callable[[str], None], descriptor: int) -> io.TextIOWrapper:
    """A text stream that a script may take for a real one."""
    # As `python -u` does it: no buffer between the text and its sink, so lines keep their order.
    return io.TextIOWrapper(_Sink(feed, descriptor), encoding="utf-8", errors="replace", write_through=True)


class Streams:
    """`sys.stdout` and `sys.stderr` of a child, put back in place before each run whatever the last one did to them."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._out = stream(self._feed, 1)
        self._err = stream(self._feed, 2)

    def install(self, recorder: Recorder) -> None:
        """Stand where scripts print to; what they print is this one's."""
        self._recorder = recorder
        if self._out.closed:
            self._out = stream(self._feed, 1)
        if self._err.closed:
            self._err = stream(self._feed, 2)
        sys.stdout = self._out
        sys.stderr = self._err

    def _feed(self, text: str) -> None:
        self._recorder.feed(text)
