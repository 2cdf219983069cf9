"""What `ls --where` finds, as a table whose columns tell the rows apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from plotter2.cli import output, shapes

if TYPE_CHECKING:
    from plotter2.cli.verbs import Session
    from plotter2.client.views import Found

COLUMNS_MAX = 8
"""Columns of values; the document of --json has all of them."""
EXTREMES = (".min", ".max")

Values = dict[str, str]


def listed(session: Session, under: str, where: str, sort: str, limit: int, *, archived: bool) -> None:
    """Ask, and print what is found."""
    with session.connect() as p2:
        found = p2.search(where, sort=sort, limit=limit, under=under, archived=archived)
    if session.as_json:
        output.document(shapes.page(found, shapes.found))
        return
    headings, rows = table(found, f"{where} {sort}")
    output.table(headings, rows, "Nothing is like that." if where else "There is no bundle yet; see `plotter2 push`.")
    if len(found) < found.total:
        output.note(f"{len(found)} of {found.total}; --limit 0 lists all.")


def table(found: Sequence[Found], asked: str) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: what was asked for, then the parameters that differ, the metrics, and the tags."""
    rows = [_values(one) for one in found]
    columns = _columns(rows, asked)
    short = [name.partition(".")[2] for name in columns]
    heads = [full if short.count(name) > 1 else name for name, full in zip(short, columns, strict=True)]
    headings = ["bundle", "version", "state", *heads, "time"]
    cells = [
        [one.bundle, str(one.version or ""), one.state, *(row.get(name, "") for name in columns), one.time]
        for one, row in zip(found, rows, strict=True)
    ]
    return headings, cells


def _values(one: Found) -> Values:
    """Everything that was found, by the names that queries use, in its own spelling."""
    return {
        f"{space}.{name}": value
        for space, text in (("param", one.parameters_json), ("metric", one.metrics_json), ("tag", one.tags_json))
        for name, value in _spelled(text).items()
    }


def _spelled(text: str) -> Values:
    raws = msgspec.json.decode(text or "{}", type=dict[str, msgspec.Raw])
    return {name: output.unquoted(bytes(value).decode()) for name, value in raws.items()}


def _columns(rows: Sequence[Values], asked: str) -> list[str]:
    names = {name: None for row in rows for name in row}

    def differs(name: str) -> bool:
        return len({row.get(name) for row in rows}) > 1

    chosen: list[Callable[[str], bool]] = [
        lambda name: name in asked or name.replace(".", '."', 1) + '"' in asked,
        lambda name: name.startswith("param.") and differs(name),
        lambda name: name.startswith("metric.") and not name.endswith(EXTREMES),
        lambda name: name.startswith("tag."),
    ]
    picked = {name: None for is_wanted in chosen for name in names if is_wanted(name)}
    return list(picked)[:COLUMNS_MAX]
