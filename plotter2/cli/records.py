"""The log files of a home, read as one: lines of all processes in the order of time, and those that still come.

Reads <home>/log/*.jsonl. A line that is not JSON (a crash's last words) is shown as it stands.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plotter2.errors import NotFoundError, UnreachableError
from plotter2.layout import Layout

PAUSE_S = 0.2
TAIL_BYTES_MAX = 8 << 20
TIME_KEYS = ("timestamp", "time", "at", "ts")
EVENT_KEYS = ("event", "message", "msg")


@dataclass(frozen=True, slots=True)
class Line:
    """One record: when (as written), from whom, its values, and the text as it stands in the file."""

    at: str
    name: str
    values: dict[str, Any]
    text: str


class Tail:
    """The last lines of one process's log, or of all."""

    def __init__(self, home: Path, name: str, lines: int) -> None:
        self._folder = Layout.at(home).log
        self._name = name
        self._lines = lines
        self._read: dict[Path, int] = {}
        if not self._folder.is_dir():
            raise UnreachableError(f"plotter2 has never run for {home}; start it with `plotter2 up`.")
        if name and not self._files():
            known = ", ".join(sorted(path.stem for path in self._folder.glob("*.jsonl"))) or "none"
            raise NotFoundError(f"There is no log of {name!r} in {self._folder}; there are {known}.")

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"{self._name or '*'}.jsonl"))

    def old(self) -> list[Line]:
        """The last lines that are there now, in the order of time."""
        found: list[Line] = []
        for path in self._files():
            start = max(0, path.stat().st_size - TAIL_BYTES_MAX)
            found += self._new_of(path, start)
        found.sort(key=lambda line: line.at)
        return found[len(found) - self._lines :] if len(found) > self._lines else found

    def new(self) -> list[Line]:
        """The lines that have come since."""
        found: list[Line] = []
        for path in self._files():
            start = self._read.get(path, 0)
            if path.stat().st_size < start:  # rotated: a new file under the old name
                start = 0
            found += self._new_of(path, start)
        return sorted(found, key=lambda line: line.at)

    def _new_of(self, path: Path, start: int) -> list[Line]:
        with path.open("rb") as file:
            file.seek(start)
            data = file.read()
        whole, _, _rest = data.rpartition(b"\n")
        self._read[path] = start + len(whole) + 1 if whole else start
        return [parse(path.stem, text) for text in whole.decode(errors="replace").splitlines() if text.strip()]


def parse(name: str, text: str) -> Line:
    """Read one line; what is not a JSON object is an event of its own."""
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        return Line("", name, {"event": text}, json.dumps({"name": name, "event": text}))
    at = next((str(values[key]) for key in TIME_KEYS if key in values), "")
    return Line(at, name, values, text)


def pretty(line: Line) -> str:
    """A record for people: time, name, level, event, then the rest as name=value."""
    event = next((line.values[key] for key in EVENT_KEYS if key in line.values), "")
    hidden = {*TIME_KEYS, *EVENT_KEYS, "level"}
    rest = " ".join(f"{key}={_short(value)}" for key, value in line.values.items() if key not in hidden)
    level = str(line.values.get("level", ""))
    return f"{line.at:<27} {line.name:<12} {level:<7} {event} {rest}".rstrip()


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def show(tail: Tail, *, as_json: bool, follow: bool) -> None:
    """Print what is there, and with `follow` what comes, for ever."""
    for line in _lines(tail, follow=follow):
        print(line.text if as_json else pretty(line), flush=follow)


def _lines(tail: Tail, *, follow: bool) -> Iterator[Line]:
    yield from tail.old()
    while follow:
        time.sleep(PAUSE_S)
        yield from tail.new()
