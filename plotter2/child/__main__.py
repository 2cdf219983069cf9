"""`python -I -m plotter2.child DESCRIPTOR`: a fork server on the control socket with that descriptor."""

from __future__ import annotations

import faulthandler
import importlib
import os
import socket
import sys

from plotter2.child import limits

WARM = (
    "numpy",
    "scipy.stats",
    "sklearn.cluster",
    "sklearn.decomposition",
    "sklearn.preprocessing",
    "plotter2.datter.render",
)
"""Imported once, shared by all children, beside what the engine itself imports."""


def main(arguments: list[str]) -> None:
    """Warm up, then serve."""
    limits.die_with_parent(os.getppid())
    sys.argv = [""]
    faulthandler.enable()
    for name in WARM:
        importlib.import_module(name)
    server = importlib.import_module("plotter2.child.server")
    engine = importlib.import_module("plotter2.datter.run")
    server.ForkServer(socket.socket(fileno=int(arguments[0])), engine.execute).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
