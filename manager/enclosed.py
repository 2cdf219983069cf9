"""A delivery that asks as well as gives: the tasks that its manifest describes (requirements 021, 058; pure)."""

from __future__ import annotations

from collections.abc import Iterable

from blake3 import blake3

from manager import asks, autouser
from manager.commands import Answer, Command
from manager.events import RunAsked
from manager.state import State
from plotter2 import ids
from plotter2.clock import Instant
from plotter2.model.bundle import BundleVersion
from plotter2.model.enclosed import Enclosed
from plotter2.model.request import Request


def run(state: State, push: Request, version: BundleVersion, tasks: Iterable[Enclosed], now: Instant) -> list[Command]:
    """Ask for each on the version that the push came to: a request of its own, whose cause is the push."""
    commands: list[Command] = []
    for index, one in enumerate(tasks):
        chance = blake3(f"{push.id}\0task\0{index}".encode()).digest()
        asked = RunAsked(
            0, ids.request_id(int(now * 1000), chance), push.user, one.name, version.path, version.version, one.source,
            one.kind, one.filename, one.parameters_json, cause=push.id, limits=one.limits,
        )  # fmt: skip
        wrong = autouser.objection(state, asked, None, now)
        decided = asks.objected(state, asked, wrong, now) if wrong else asks.run(state, asked, now)
        commands += (one for one in decided if not isinstance(one, Answer))  # nobody waits for it
    return commands
