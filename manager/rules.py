"""The planner that comes with plotter2: rules that know a few wishes, and one thing that follows from a success (pure).

No learning, no chance: the same wish about the same bundle gives the same proposals. It reads words and nothing
between them; what it does not know it says, with what it does know. See `Proposer` for who could take its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from manager import drawing
from plotter2.errors import RefusedError
from plotter2.model import names, spread
from plotter2.model.automatic import RULES, Proposal, RedoDraft, RunDraft, Sight, Wish

RUNS_MIN = 2
"""Runs that are worth comparing."""
DRAWN_MAX = 8
"""Keys of data on one report."""
_ASSIGNED = re.compile(r"(?:^|(?<=[\s,(]))([A-Za-z_]\w*)\s*=\s*")
_BETWEEN = re.compile(r"\s*,\s*(?:and\s+)?|\s+and\s+|\s+")
_WORD = re.compile(r"[\w-]+")
KNOWN = (
    '"redo with lr=0.1, 0.2 and 0.05"; "plot KEY" or "report on KEY, KEY"; "plot KEY where clusters are circled and '
    'labelled and noise is removed"; "run TASK"'
)


@dataclass(frozen=True, slots=True)
class _Words:
    """What a wish says, in small letters."""

    text: str

    def has(self, *beginnings: str) -> bool:
        """Whether a word begins with one of these."""
        return any(word.startswith(beginnings) for word in _WORD.findall(self.text.lower()))


class Rules:
    """Proposes by rule."""

    identity = RULES

    async def propose(self, wish: Wish, sight: Sight) -> Sequence[Proposal]:
        """See `Proposer`."""
        return _following(wish, sight) if wish.of else _wished(wish, sight)


def _following(wish: Wish, sight: Sight) -> list[Proposal]:
    """Runs that are in and that nobody has said how to look at: a report that compares them."""
    expects = [order.name for order in sight.declared.standing if order.on in {"settled", "child", "arrivals"}]
    awaits = [order.name for order in sight.declared.standing if str(order.request or "") == "redo"]
    if expects or awaits or sight.runs < RUNS_MIN or not sight.data:
        return []
    because = (
        f"Request {wish.of} is done: {sight.runs} runs of {sight.bundle!r} can be compared, and no standing order does."
    )
    return [Proposal(_report(sight.data[:DRAWN_MAX], "Runs compared"), because)]


def _wished(wish: Wish, sight: Sight) -> list[Proposal]:
    words = _Words(wish.text)
    because = f"Somebody wished: {wish.text}"
    given = _assigned(wish.text)
    if given and words.has("redo", "again", "rerun", "repeat", "run", "try", "sweep"):
        return [Proposal(RedoDraft(_checked(given, sight)), because)]
    named = [key for key in sight.data if _names(wish.text, key)]
    if words.has("cluster"):
        data = named[0] if named else _only(sight)
        return [Proposal(_clusters(data, words), because)]
    tasks = [task for task in sight.tasks if _names(wish.text, task)]
    if tasks and words.has("run", "do", "make", "draw", "plot", "show"):
        return [Proposal(RunDraft(task), because) for task in tasks]
    if words.has("plot", "draw", "show", "report", "compare", "chart"):
        return [Proposal(_report(named or sight.data[:DRAWN_MAX], "As wished"), because)]
    raise RefusedError(f"The rules do not understand {wish.text!r}. They know {KNOWN}.")


def _assigned(text: str) -> dict[str, list[str]]:
    """Values behind `name=`, up to the next word that is no value: `lr=0.1, 0.2 and 0.05 please`."""
    found: dict[str, list[str]] = {}
    places = list(_ASSIGNED.finditer(text))
    for number, place in enumerate(places):
        end = places[number + 1].start() if number + 1 < len(places) else len(text)
        part = text[place.end() : end]
        values = [one for one in (word.rstrip(".;!?)") for word in _BETWEEN.split(part.strip())) if one]
        found[place[1]] = _leading(values)
    return found


def _leading(values: Sequence[str]) -> list[str]:
    """The first value whatever it is, and those after it that are numbers or ranges as well."""
    taken = [text for one in values[:1] for text in _spelled(one)]
    for one in values[1:]:
        if not _is_number(one) and spread.values(one) is None:
            break
        taken += _spelled(one)
    return taken


def _spelled(value: str) -> list[str]:
    several = spread.values(value)
    if several is not None:
        return several
    return [value if _is_number(value) or value in {"true", "false", "null"} else json.dumps(value.strip("'\""))]


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", text) is not None


def _checked(given: Mapping[str, Sequence[str]], sight: Sight) -> dict[str, Sequence[str]]:
    for name, values in given.items():
        if name not in sight.parameters:
            raise RefusedError(
                f"{sight.bundle!r} has no parameter {name!r}; its parameters are {names.listed(sight.parameters)}"
                f"{names.did_you_mean(name, sight.parameters)}"
            )
        if not values:
            raise RefusedError(f"The wish gives {name!r} no value; write {name}=VALUE, or {name}=VALUE, VALUE.")
    return dict(given)


def _names(text: str, name: str) -> bool:
    """Whether the text names this, as a word of its own."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE) is not None


def _only(sight: Sight) -> str:
    """The data that is meant where none is named: the one key, or the main data."""
    if len(sight.data) > 1:
        raise RefusedError(f"Which data of {sight.bundle!r} is meant? Its keys are {names.listed(sight.data)}.")
    return sight.data[0] if sight.data else ""


def _report(data: Sequence[str], title: str) -> RunDraft:
    return RunDraft("report", drawing.REPORT, drawing.given(data, title))


def _clusters(data: str, words: _Words) -> RunDraft:
    given = {
        "data": data,
        "circled": words.has("circle", "ring", "outline", "ellipse"),
        "labelled": words.has("label", "labl", "name", "number"),
        "cleaned": words.has("noise", "outlier", "non", "unclustered")
        and words.has("remov", "drop", "without", "hide"),
    }
    return RunDraft("clusters", drawing.CLUSTERS, json.dumps(given))
