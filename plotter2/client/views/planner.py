"""Automatic users: whether they may ask, and how often they did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Planner:
    """The switch of automatic users.

    Attributes:
        is_on: whether they may ask.
        by: who asked for that; "" while nobody has: then it is off.
        since: when.
        identity: who thinks about wishes.
        asked: how often automatic users have asked within the last hour.
        hourly_max: how often they may.
    """

    is_on: bool
    by: str = ""
    since: str = ""
    identity: str = ""
    asked: int = 0
    hourly_max: int = 0
