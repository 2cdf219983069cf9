"""What commands print: results to stdout (tables for people, JSON for programs), everything else to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from plotter2.cli.wording import progress

if TYPE_CHECKING:
    from plotter2.client.views import Request

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
STEP = 1024
TENTHS = 10


class Amount(Protocol):
    """What has files and bytes."""

    @property
    def files(self) -> int:
        """How many files."""

    @property
    def size_bytes(self) -> int:
        """How many bytes in all."""


def _drawing() -> Any:
    # rich takes 0.1 s to load, and most command lines draw nothing
    return import_module("plotter2.cli.drawing")


def document(value: Any) -> None:
    """Print one JSON document."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def raw(text: str, default: str = "null") -> msgspec.Raw:
    """A JSON text that shall be printed in its own spelling."""
    return msgspec.Raw((text or default).encode())


def note(text: str) -> None:
    """A line for people that is not the result."""
    print(text, file=sys.stderr, flush=True)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print a table; what says that it is empty goes to stderr."""
    found = [[str(cell) for cell in row] for row in rows]
    if found:
        _drawing().table(headings, found)
    else:
        note(empty)


def plain(value: Mapping[str, Any]) -> None:
    """Print names and values, one a line, aligned."""
    width = max((len(name) for name in value), default=0)
    for name, what in value.items():
        print(f"{name:<{width}}  {what}")


def amount(of: Amount) -> str:
    """How much it is, as `1 file, 28 B`."""
    return f"{of.files} file{'' if of.files == 1 else 's'}, {size(of.size_bytes)}"


def size(count: float) -> str:
    """Bytes for people."""
    for unit in UNITS[:-1]:
        if count < STEP:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= STEP
    return f"{count:.1f} {UNITS[-1]}"


def settings(parameters_json: str) -> str:
    """Parameters for people, each number in the spelling it was given: `lr=0.10 epochs=30`."""
    if not parameters_json:
        return ""
    raws = msgspec.json.decode(parameters_json, type=dict[str, msgspec.Raw])
    return " ".join(f"{name}={unquoted(bytes(value).decode())}" for name, value in raws.items())


def unquoted(text: str) -> str:
    """A JSON text for people: a string without its quotes, anything else as it is spelled."""
    return str(json.loads(text)) if text.startswith('"') else text


@contextmanager
def byte_bar(title: str, *, is_shown: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A bar that counts bytes, on a terminal; gives what shall be called with bytes done and bytes in all."""
    if not (is_shown and sys.stderr.isatty()):
        yield None
        return
    with _drawing().byte_bar(title) as bar:
        yield bar


@contextmanager
def step_line(title: str, *, is_shown: bool) -> Iterator[Callable[[str], None]]:
    """A line, on a terminal, that says how far something of unknown length has come; gives what takes the text."""
    if not (is_shown and sys.stderr.isatty()):
        yield lambda _text: None
        return
    with _drawing().step_line(title) as show:
        yield show


@contextmanager
def request_bar(title: str, *, is_shown: bool) -> Iterator[Callable[[Request, list[str]], None] | None]:
    """A bar that counts what a request has finished, on a terminal; lines that its tasks print go to stderr."""
    if not is_shown:
        yield None
    elif not sys.stderr.isatty():
        yield _printing()
    else:
        with _drawing().request_bar(title) as bar:
            yield bar


def _printing() -> Callable[[Request, list[str]], None]:
    """What prints lines as they come, and how far a run is at each tenth of its way."""
    seen: dict[str, int] = {}

    def show(request: Request, lines: list[str]) -> None:
        for line in lines:
            note(line)
        for run, (done, total) in request.progress.items():
            tenth = int(TENTHS * done / total) if total else int(done)
            if seen.get(run) != tenth:
                seen[run] = tenth
                note(progress(run, done, total))

    return show
