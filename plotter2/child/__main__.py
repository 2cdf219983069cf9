"""`python -P -s -m plotter2.child DESCRIPTOR`: a fork server on the control socket with that descriptor."""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import os
import socket
import sys
import tempfile
from pathlib import Path

from plotter2.child import limits
from plotter2.child.interpreter import Execute
from plotter2.datter.runs import RunInput
from plotter2.datter.scope import Scope
from plotter2.errors import Plotter2Error

WARM = (
    "numpy",
    "scipy.stats",
    "sklearn.cluster",
    "sklearn.decomposition",
    "sklearn.preprocessing",
    "plotter2.datter.pages.render",
    "plotter2.child.instances",
)
"""Imported once, shared by all children, beside what the engine itself imports."""
FIRST_DRAWING = "def task():\n    plotme([1.0, 2.0, 3.0])\n"


def main(arguments: list[str]) -> None:
    """Warm up, then serve."""
    limits.die_with_parent(os.getppid())
    limits.all_files()
    sys.argv = [""]
    faulthandler.enable()
    for name in WARM:
        importlib.import_module(name)
    importlib.import_module("plotter2.datter.trees.seeding").settle()
    server = importlib.import_module("plotter2.child.server")
    engine = importlib.import_module("plotter2.datter.run")
    draw_once(engine.execute)
    server.ForkServer(socket.socket(fileno=int(arguments[0])), engine.execute).serve()


def draw_once(execute: Execute) -> None:
    """Load what the engine loads when it draws, so that no child's first figure waits for it."""
    # A disk that is full, say, is the business of the runs that need it.
    with contextlib.suppress(Plotter2Error, OSError), tempfile.TemporaryDirectory(prefix="plotter2-") as folder:
        execute(
            RunInput("warm", "warm", "script", FIRST_DRAWING, "warm.py", {}, 0, Scope(), Path(folder)), lambda _: None
        )


if __name__ == "__main__":
    main(sys.argv[1:])
