"""What the installation adds has changed: runs are pinned to what is there when they are asked for (pure)."""

from __future__ import annotations

from manager.commands import Command
from manager.events import ConfigRead
from manager.journal import note
from manager.state import State
from plotter2.clock import Instant


def read(state: State, event: ConfigRead, now: Instant) -> list[Command]:
    """Pin runs to it from now on."""
    if event.digest == state.config:
        return []
    state.config = event.digest
    return [note("config.read", event.digest.hex(), now, files=event.files, left_out=len(event.faults))]
