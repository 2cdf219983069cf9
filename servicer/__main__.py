"""`python -m servicer`: run the servicer until it is told to stop."""

from __future__ import annotations

import sys

from plotter2 import config, lifecycle
from servicer import app
from servicer.config import ServicerConfig

if __name__ == "__main__":
    settings = config.load(ServicerConfig)
    sys.exit(lifecycle.run(settings.name, settings, app.main))
