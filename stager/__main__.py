"""`python -m stager`: the process."""

from __future__ import annotations

import sys

from plotter2 import lifecycle
from plotter2.config import load
from plotter2.errors import ConfigError
from stager import app
from stager.config import StagerConfig


def main() -> int:
    """Live, and give the exit code."""
    try:
        config = load(StagerConfig)
    except ConfigError as wrong:
        print(f"stager: {wrong.message}", file=sys.stderr)  # noqa: T201 -- its reader is a person
        return wrong.exit_code
    return lifecycle.run(config.name, config, app.main)


sys.exit(main())
