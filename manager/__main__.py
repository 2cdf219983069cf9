"""`python -m manager`: run the manager until it is told to stop."""

from __future__ import annotations

import sys

from manager import app
from manager.config import ManagerConfig
from plotter2 import config, lifecycle

if __name__ == "__main__":
    settings = config.load(ManagerConfig)
    sys.exit(lifecycle.run(settings.name, settings, app.main))
