"""Starts a daemon in a process of its own: `python -m plotter2.launch manager`.

The folder that holds the daemons (a checkout's root, or `plotter2/services` in a wheel) is put on the path of this
process only: nothing called `manager` or `worker` is ever importable by a user's program.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from plotter2.errors import UsageError

DAEMONS = ("manager", "stager", "servicer", "worker", "watchdogs")


def folder() -> Path:
    """Where the daemons lie."""
    package = Path(__file__).resolve().parent
    inside = package / "services"
    return inside if (inside / "manager").is_dir() else package.parent


def command(daemon: str, *arguments: str) -> list[str]:
    """The command line that starts a daemon.

    Raises:
        UsageError: there is no such daemon.
    """
    if daemon not in DAEMONS:
        raise UsageError(f"{daemon!r} is not a daemon; there are {', '.join(DAEMONS)}.")
    return [sys.executable, "-m", "plotter2.launch", daemon, *arguments]


def main() -> None:
    """Become the daemon that the first argument names."""
    if len(sys.argv) < 2 or sys.argv[1] not in DAEMONS:  # noqa: PLR2004 -- program and daemon
        raise SystemExit(f"usage: python -m plotter2.launch {{{','.join(DAEMONS)}}} [arguments]")
    daemon = sys.argv[1]
    del sys.argv[1]
    # `python -m` puts the working directory first; what lies there is not ours to import.
    sys.path[0] = str(folder())
    runpy.run_module(daemon, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
