"""What search sees of a bundle, or of a run that shall become one: its state, its values, and the facts in them (pure).

A fact is one value under a name in a space: `param.lr` is 0.1, `metric.loss.min` is 0.03, `tag.model` is "mlp". Numbers
are compared as doubles, everything else as text: true and false are the words, lists and objects their JSON. Null, and
text that is too long to look for, are no facts. A metric that is no number (NaN) is there and lies nowhere in an order.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from plotter2.clock import ZERO, Instant
from plotter2.model.service import ServiceState

WORD_BYTES_MAX = 1_000
"""Longer text is kept and shown, but not looked for: an index holds no more."""
NAME_BYTES_MAX = 255
FACTS_MAX = 2_000
"""Facts of one entry; what is more is not looked for."""


class Space(StrEnum):
    """Where a fact comes from."""

    PARAM = "param"
    METRIC = "metric"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Fact:
    """One value under a name: a number, a word, or (for NaN) a word that says why there is no number."""

    space: Space
    name: str
    number: float | None = None
    word: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A bundle at its newest version, or a service run that has not become one.

    Attributes:
        version: 0 for a run that has left no bundle (yet).
        state: done for a bundle; else that of the run.
        at: when it came into this state, as far as that is known.
        parameters_json, metrics_json, tags_json: JSON objects, "" for an empty one. Metrics have the names that queries
            use: `loss`, `loss.min`, `loss.max`.
    """

    path: str
    version: int
    state: ServiceState
    at: Instant = ZERO
    archived: bool = False
    parameters_json: str = ""
    metrics_json: str = ""
    tags_json: str = ""


def facts(entry: Entry) -> tuple[Fact, ...]:
    """Everything that can be looked for in an entry, beside its own fields."""
    found: list[Fact] = []
    documents = ((Space.PARAM, entry.parameters_json), (Space.TAG, entry.tags_json), (Space.METRIC, entry.metrics_json))
    for space, text in documents:
        found += _of(space, _values(text))
    return tuple(found[:FACTS_MAX])


def _values(text: str) -> Mapping[str, Any]:
    """The values of a document; none where it is no object, as an experiment may have written anything."""
    try:
        values = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _of(space: Space, values: Mapping[str, Any]) -> Iterator[Fact]:
    for name, value in values.items():
        if value is None or not _fits(name, NAME_BYTES_MAX):
            continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            number = _double(value)
            yield Fact(space, name, None, "nan") if math.isnan(number) else Fact(space, name, number)
            continue
        word = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if space is Space.METRIC and word in {"inf", "-inf"}:  # JSON has no spelling for them
            yield Fact(space, name, float(word))
        elif _fits(word, WORD_BYTES_MAX):
            yield Fact(space, name, None, word)


def _fits(text: str, bytes_max: int) -> bool:
    """Whether a database can hold and index it: no NUL, no lone surrogate, not too long."""
    try:
        return "\0" not in text and len(text.encode()) <= bytes_max
    except UnicodeEncodeError:
        return False


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond all doubles
        return math.inf if value > 0 else -math.inf
