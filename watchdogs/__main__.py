"""`python -m watchdogs main|services|buffer`: run a watchdog until it is told to stop."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from plotter2 import config, lifecycle
from plotter2.errors import ConfigError
from watchdogs import app, guardian
from watchdogs.config import Rank, WatchdogConfig

DRAIN_S = 14.0
SETTINGS = ("home", "workers", "ports", "guardian")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="watchdogs", description=__doc__)
    parser.add_argument("rank", choices=[rank.value for rank in Rank])
    parser.add_argument("--home", type=Path, help="root of the seven directories")
    parser.add_argument("--workers", type=int, help="how many workers main keeps")
    parser.add_argument("--ports", choices=["default", "auto"], help="auto: bind every port freely")
    parser.add_argument("--alone", action="store_true", help="without a guardian: the operating system is one")
    parser.add_argument("--guardian", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Run as a command; returns the exit code."""
    given = _arguments()
    chosen = {key: value for key in SETTINGS if (value := getattr(given, key)) is not None}
    if given.rank == Rank.MAIN and not given.alone:
        return guardian.guard([word for key, value in chosen.items() for word in (f"--{key}", str(value))])
    try:
        settings = config.load(WatchdogConfig, rank=Rank(given.rank), name=f"watchdog-{given.rank}", **chosen)
    except ConfigError as wrong:
        print(f"plotter2: {wrong.message}", file=sys.stderr)  # noqa: T201 -- its reader is a person
        return 1
    return lifecycle.run(settings.name, settings, app.main, drain_limit_s=DRAIN_S)


if __name__ == "__main__":
    sys.exit(main())
