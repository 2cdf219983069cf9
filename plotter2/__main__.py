"""`python -m plotter2` is the command line."""

from __future__ import annotations

from plotter2.cli.main import main

main()
