"""How a decision is written into the event log (pure)."""

from __future__ import annotations

import json
from typing import Any

from manager.commands import Append
from plotter2.clock import Instant
from plotter2.model.record import NewRecord


def note(kind: str, key: str, now: Instant, /, **payload: Any) -> Append:
    """A record of what was decided about the thing `key`; payload values must be JSON."""
    return Append(NewRecord(kind, key, json.dumps(payload, ensure_ascii=False) if payload else "{}", now))
