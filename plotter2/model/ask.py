"""Asks as requests remember them: everything needed to ask the same again (requirement 016; pure).

An ask is kept as JSON, for people too: `{"bundle": "a/digits", "set": {"lr": [0.10, 0.2]}, "runs_version": 3}`.
Values are raw JSON, in the spelling that the user gave them. What stands at its default is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from blake3 import blake3

from plotter2.errors import UsageError
from plotter2.model.request import Over, RequestKind
from plotter2.model.task import Limits, TaskKind
from plotter2.model.types import Mode

KEY_CHARS_MAX = 200
DELIVERY_KEY = "dlv-"
"""Pushes are known by their delivery ids; nobody else's key may begin so."""
OWN_KEY = "own-"
"""What plotter2 asks for by itself is known by what led to it; nobody else's key may begin so."""


class RunAsk(msgspec.Struct, frozen=True, omit_defaults=True):
    """Run a task.

    Attributes:
        version: 0 is the newest, whichever that is when it is asked.
        source: the digest, in hexadecimal, of a definition that came along; the store has its text.
        replay_of: the request that this one repeats.
        over: whether it goes over what lies below too.
        with_forced: forced links count for "all".
        force: everything is run, whatever is known from before.
        config: the digest, in hexadecimal, of the additions that it shall have; "" for those of the installation now.
        round: found out: how many runs that repeated themselves led to this one.
        on: found out: what it waited for before it ran, see `plotter2.model.rounds`; `of` is the bundle that was about.
        wall_s: what a definition that came along may use, as `cpu_s` and `memory_bytes`; 0 is the worker's own limit.
    """

    task: str = ""
    bundle: str = ""
    version: int = 0
    parameters: msgspec.Raw = msgspec.Raw(b"{}")
    kind: TaskKind = TaskKind.SCRIPT
    filename: str = ""
    source: str = ""
    replay_of: str = ""
    over: Over = Over.SELF
    with_forced: bool = False
    wall_s: float = 0.0
    cpu_s: float = 0.0
    memory_bytes: int = 0
    force: bool = False
    round: int = 0
    config: str = ""
    on: str = ""
    of: str = ""

    @property
    def limits(self) -> Limits:
        """What it may use, as a definition carries it."""
        return Limits(self.wall_s, self.cpu_s, self.memory_bytes)


class RedoAsk(msgspec.Struct, frozen=True, omit_defaults=True):
    """Run an experiment again.

    Attributes:
        bundle: an experiment, or a child whose run shall be made again.
        version: the version that was named; 0 is the newest, whichever that is when it is asked.
        set: values of each parameter, in order; several make a grid.
        failed_of: the request whose failed points alone are run.
        runs_version: found out: the experiment's version that runs; 0 for what was refused before that was known.
        again_of: found out: the child, as bundle@version, whose run is made again; "" for an experiment.
    """

    bundle: str = ""
    version: int = 0
    set: dict[str, list[msgspec.Raw]] = {}
    parallel: int = 1
    force: bool = False
    failed_of: str = ""
    replay_of: str = ""
    runs_version: int = 0
    again_of: str = ""


FOUND_OUT = ("runs_version", "again_of", "made_version")


class ArchiveAsk(msgspec.Struct, frozen=True, omit_defaults=True):
    """Hide a bundle, or show it again."""

    bundle: str
    archived: bool
    replay_of: str = ""


class TagAsk(msgspec.Struct, frozen=True, omit_defaults=True):
    """Set tags on a bundle; null takes one away."""

    bundle: str
    tags: dict[str, msgspec.Raw]
    replay_of: str = ""


class LinkAsk(msgspec.Struct, frozen=True, omit_defaults=True):
    """Link an operation of one bundle to a head of another; see `plotter2.model.link.SaidLink`."""

    src: str
    dst: str
    operation: str
    out_head: str = ""
    mode: Mode = Mode.CONSTANT
    forward: str = ""
    backward: str = ""
    force: bool = False
    replay_of: str = ""


class UnlinkAsk(msgspec.Struct, frozen=True, omit_defaults=True):
    """Have an operation of one bundle linked to another no more; "" stands for all that are."""

    src: str
    dst: str
    operation: str = ""
    replay_of: str = ""


class InheritAsk(msgspec.Struct, frozen=True, omit_defaults=True):
    """Take anew what a bundle has from its parents.

    Attributes:
        made_version: found out: the version that this made; 0 where nothing differed.
    """

    bundle: str
    replay_of: str = ""
    made_version: int = 0


class StandingAsk(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a standing order fired on.

    Attributes:
        order: its name.
        of: the bundle that declares it.
        on: its trigger.
        due: the time of its schedule that it fired for, which may be long past after a downtime; Unix seconds.
        redo: the redo that it asks for, as a request of its own.
    """

    order: str
    of: str
    on: str
    due: float = 0.0
    redo: RedoAsk | None = None


class QuarantineAsk(msgspec.Struct, frozen=True, omit_defaults=True):
    """Decide about something in quarantine; the kind of the request says how."""

    item: str
    replay_of: str = ""


class OrderAsk(msgspec.Struct, frozen=True, omit_defaults=True):
    """Have a standing order wait, or fire again; the kind of the request says which."""

    bundle: str
    order: str
    replay_of: str = ""


class WishAsk(msgspec.Struct, frozen=True, omit_defaults=True):
    """Have a planner think about a bundle; see `plotter2.model.automatic.Wish`."""

    bundle: str
    text: str = ""
    of: str = ""
    replay_of: str = ""


class PlannerAsk(msgspec.Struct, frozen=True, omit_defaults=True):
    """Let automatic users ask, or not."""

    on: bool
    replay_of: str = ""


Ask = (
    RunAsk
    | RedoAsk
    | ArchiveAsk
    | TagAsk
    | LinkAsk
    | UnlinkAsk
    | InheritAsk
    | StandingAsk
    | QuarantineAsk
    | OrderAsk
    | WishAsk
    | PlannerAsk
)


def encode(ask: Ask) -> str:
    """The text that a request keeps."""
    return msgspec.json.encode(ask).decode()


def run_ask(text: str) -> RunAsk:
    """The ask of a run."""
    return msgspec.json.decode(text, type=RunAsk)


def redo_ask(text: str) -> RedoAsk:
    """The ask of a redo."""
    return msgspec.json.decode(text, type=RedoAsk)


def archive_ask(text: str) -> ArchiveAsk:
    """The ask of an archive."""
    return msgspec.json.decode(text, type=ArchiveAsk)


def inherit_ask(text: str) -> InheritAsk:
    """The ask of an inheriting."""
    return msgspec.json.decode(text, type=InheritAsk)


def tag_ask(text: str) -> TagAsk:
    """The ask of a tagging."""
    return msgspec.json.decode(text, type=TagAsk)


def link_ask(text: str) -> LinkAsk:
    """The ask of a link."""
    return msgspec.json.decode(text, type=LinkAsk)


def unlink_ask(text: str) -> UnlinkAsk:
    """The ask of an unlink."""
    return msgspec.json.decode(text, type=UnlinkAsk)


def filled(parameters_json: str, declared: Mapping[str, Any]) -> str:
    """Parameters with declared ones where they give none; each given one keeps its spelling."""
    given = msgspec.json.decode(parameters_json or "{}", type=dict[str, msgspec.Raw])
    return msgspec.json.encode({**declared, **given}).decode()


def replaced(parameters_json: str, others_json: str) -> str:
    """Parameters with others in their place; each keeps its spelling."""
    return filled(others_json, msgspec.json.decode(parameters_json or "{}", type=dict[str, msgspec.Raw]))


def quarantine_ask(text: str) -> QuarantineAsk:
    """The ask of a decision."""
    return msgspec.json.decode(text, type=QuarantineAsk)


def order_ask(text: str) -> OrderAsk:
    """The ask of a pause or a resume."""
    return msgspec.json.decode(text, type=OrderAsk)


def wish_ask(text: str) -> WishAsk:
    """The ask of a wish."""
    return msgspec.json.decode(text, type=WishAsk)


def planner_ask(text: str) -> PlannerAsk:
    """The ask of a switch."""
    return msgspec.json.decode(text, type=PlannerAsk)


def standing_ask(text: str) -> StandingAsk:
    """What a standing order fired on."""
    return msgspec.json.decode(text, type=StandingAsk)


def raw(text: str) -> msgspec.Raw:
    """A JSON value as it is spelled; what is no JSON becomes a text, so that a refused ask can be shown."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        text = json.dumps(text)
    return msgspec.Raw(text.encode())


def identity(kind: RequestKind, text: str) -> bytes:
    """Two asks are the same where this is: what was asked, without what was only found out (the newest version)."""
    ask: dict[str, Any] = json.loads(text)
    if kind is RequestKind.REDO:
        ask = {name: value for name, value in ask.items() if name not in FOUND_OUT}
    return blake3(f"{kind}\0{json.dumps(ask, sort_keys=True)}".encode()).digest()


def check_key(key: str) -> str:
    """A client key, if it may be one.

    Raises:
        UsageError: too long, not printable, or like the id of a delivery or a key of our own.
    """
    if len(key) > KEY_CHARS_MAX or not key.isprintable():
        raise UsageError(f"A client key has at most {KEY_CHARS_MAX} printable characters.")
    if key.startswith(DELIVERY_KEY):
        raise UsageError(f"A client key may not begin with {DELIVERY_KEY!r}: so pushes are known.")
    if key.startswith(OWN_KEY):
        raise UsageError(f"A client key may not begin with {OWN_KEY!r}: so the asks of plotter2 itself are known.")
    return key
