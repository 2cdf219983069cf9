"""What plotter2 keeps and does not use (requirements 003, 063; pure)."""

from __future__ import annotations

from dataclasses import asdict, replace

from manager.commands import Answer, Command, SaveItem
from manager.events import StraysFound, Verified
from manager.journal import note
from plotter2.clock import Instant


def strays_found(event: StraysFound, now: Instant) -> list[Command]:
    """Write down what was moved into quarantine, and why."""
    commands: list[Command] = []
    for found in event.items:
        commands.append(SaveItem(replace(found, at=now)))
        commands.append(note("stray.quarantined", found.id, now, place=found.place, reason=found.reason))
    return [*commands, *_answered(event.token)]


def verified(event: Verified, now: Instant) -> list[Command]:
    """Write down that everything was looked at."""
    record = note("verify.ended", "verify", now, whole=event.is_whole, **asdict(event.counts))
    return [record, *_answered(event.token)]


def _answered(token: int) -> list[Command]:
    return [Answer(token)] if token else []
