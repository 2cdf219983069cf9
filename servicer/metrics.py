"""Metrics of a run as one CSV table, whatever the program wrote: CSV, JSON, JSON lines, or printed lines by a pattern.

Numbers stay as they were printed. Rows of several sources follow one another; columns are the union, in order of
appearance.
"""

from __future__ import annotations

import csv
import json
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import msgspec

from plotter2 import telemetry
from plotter2.model.package import Metrics
from servicer import printed

ROWS_MAX = 5_000_000
FIELD_BYTES_MAX = 1 << 20
JSON_BYTES_MAX = 16 << 20
JSON_DEPTH_MAX = 8
SEARCH_S_MAX = 60.0
"""For one pattern over all that a run printed."""
Row = dict[str, str]
Find = Callable[[str], list[Path]]

_log = telemetry.logger("metrics")


def write(sources: Iterable[Metrics], find: Find, log: Path, target: Path) -> bool:
    """Write the table; False when there is nothing to write. `find` gives the files of a declared path. Blocks."""
    rows = list(islice((row for source in sources for row in _rows(source, find, log)), ROWS_MAX))
    if not rows:
        return False
    columns: dict[str, None] = {}
    for row in rows:
        columns |= dict.fromkeys(row)
    with target.open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.DictWriter(file, list(columns), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return True


def _rows(source: Metrics, find: Find, log: Path) -> Iterator[Row]:
    if source.kind == "pattern":
        yield from _by_pattern(source.pattern, log / f"{source.source}.txt")
        return
    readers = {"csv": _of_csv, "json": _of_json, "jsonl": _of_json_lines}
    for path in find(source.path):
        yield from readers[source.kind](path)


def _of_csv(path: Path) -> Iterator[Row]:
    csv.field_size_limit(FIELD_BYTES_MAX)
    with path.open(newline="", encoding="utf-8", errors="replace") as file, suppress(csv.Error):  # rows before it stay
        for row in csv.DictReader(file):
            yield {
                str(key): value or "" for key, value in row.items() if key is not None and not isinstance(value, list)
            }


def _of_json(path: Path) -> Iterator[Row]:
    """An object is a row, a list of objects one a line; lists inside are left out."""
    if path.stat().st_size > JSON_BYTES_MAX:
        return
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        found = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return  # half a file, or no JSON
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, dict) and one:
            yield dict(_flat(one, "", JSON_DEPTH_MAX))


def _flat(values: Mapping[str, object], above: str, depth: int) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict) and depth:
            yield from _flat(value, f"{above}{name}.", depth - 1)
        elif isinstance(value, str | bool):
            yield above + name, value if isinstance(value, str) else json.dumps(value)


def _of_json_lines(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                found = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
            except ValueError:
                continue  # half a line, words between, or no object
            yield {key: _spelled(bytes(value)) for key, value in found.items()}


def _spelled(value: bytes) -> str:
    """The text of a string, and of anything else what was printed."""
    return str(msgspec.json.decode(value)) if value.startswith(b'"') else value.decode()


def _by_pattern(pattern: str, path: Path) -> Iterator[Row]:
    """Rows of printed lines; a pattern that takes too long gives those that it found until then."""
    if not path.exists():
        return
    line = [sys.executable, "-I", "-S", printed.__file__, pattern, str(path)]
    with Popen(line, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL) as finder:
        limit = threading.Timer(SEARCH_S_MAX, _give_up, (finder, pattern))
        limit.start()
        try:
            for found in finder.stdout or ():
                if found.endswith(b"\n"):  # else it was ended in the middle of this
                    yield msgspec.json.decode(found, type=Row)
        finally:
            limit.cancel()
            finder.kill()


def _give_up(finder: Popen[bytes], pattern: str) -> None:
    _log.warning("metrics.slow", pattern=pattern, seconds=SEARCH_S_MAX)
    finder.kill()
