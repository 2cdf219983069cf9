"""Settings of the watchdogs: PLOTTER2_WATCHDOG_… or <home>/config/watchdog.toml."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from plotter2.config import DaemonConfig

STOP_S_MARGIN = 0.5
"""The stager and the servicer must have ended before the watchdogs that end them are given up themselves."""


class Rank(StrEnum):
    """Which watchdog this is."""

    MAIN = "main"
    SERVICES = "services"
    BUFFER = "buffer"


class HandsKind(StrEnum):
    """How wards are started and ended."""

    PROCESSES = "processes"
    SYSTEMD = "systemd"


class WatchdogConfig(DaemonConfig):
    """What a watchdog can be told.

    Attributes:
        rank: main, services or buffer.
        workers: how many workers main keeps.
        ports: `default`, or `auto`: any free ones, the same again after a restart while they are free.
        dsn: a PostgreSQL to use instead of one of our own.
        broker_url: a broker to use instead of one of our own.
        postgres_bin: the folder of PostgreSQL's programs; empty: the wheel's, then what `pg_config` says.
        probe_port: /health, /ready and /metrics of this watchdog; 0 for any free one.
        hands: `processes` of our own, or `systemd` units named plotter2-<ward>.service.
        stop_s: how long the daemons may take to end before they are killed.
        memory_max_bytes: a daemon whose own memory stays above this is started anew; 0 for never.
        guardian: pid of who starts us again when we are killed; 0 where the operating system does.
    """

    model_config = SettingsConfigDict(env_prefix="PLOTTER2_WATCHDOG_", extra="ignore")

    name: str = "watchdog-main"
    rank: Rank = Rank.MAIN
    workers: int = Field(default=2, ge=0, le=256)
    ports: Literal["default", "auto"] = "default"
    dsn: str = ""
    broker_url: str = ""
    postgres_bin: str = ""
    probe_port: int = Field(default=0, ge=0, le=65535)
    hands: HandsKind = HandsKind.PROCESSES
    stop_s: float = Field(default=6.5, gt=STOP_S_MARGIN)
    memory_max_bytes: int = Field(default=4 << 30, ge=0)
    guardian: int = Field(default=0, ge=0)

    @property
    def postgres_folder(self) -> Path | None:
        """The folder that was set, if any."""
        return Path(self.postgres_bin) if self.postgres_bin else None
