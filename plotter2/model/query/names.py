"""Names that nobody has, with the nearest that somebody has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from plotter2.errors import NotFoundError
from plotter2.model.entry import Space
from plotter2.model.query.tree import Field

SHOWN_MAX = 8
SIMILARITY_MIN = 0.5
KINDS = {Space.PARAM: "parameter", Space.METRIC: "metric", Space.TAG: "tag"}


def check_names(what: str, fields: Iterable[Field], known: Mapping[Space, Collection[str]]) -> None:
    """Look at each name that a query uses; `what` is where they stand, "where" or "sort".

    Raises:
        NotFoundError: no run has a value under it; names the column and the nearest, or some, that runs have.
    """
    for field in fields:
        if isinstance(field.of, Space) and field.name not in known.get(field.of, ()):
            raise NotFoundError(f"In {what!r}, {_sentence(field, field.of, known.get(field.of, ()))}")


def _sentence(field: Field, space: Space, known: Collection[str]) -> str:
    said = f"column {field.column}: no run has a {KINDS[space]} {field.name!r}"
    if not known:
        return f"{said}; no run has any {KINDS[space]} yet."
    near = nearest(field.name, known)
    if near:
        return f"{said}; did you mean {space}.{spelled(near)}?"
    some = ", ".join(spelled(name) for name in sorted(known)[:SHOWN_MAX])
    return f"{said}; there are {some}{', …' if len(known) > SHOWN_MAX else ''}."


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like this one, "" for none."""
    return next(iter(get_close_matches(word, list(known), 1, SIMILARITY_MIN)), "")


def spelled(name: str) -> str:
    """A name as a query takes it: in quotes where it must be."""
    if all(part and all(one.isalnum() or one in "_-" for one in part) for part in name.split(".")):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
