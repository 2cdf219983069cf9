"""`python -m plotter2.launch worker`."""

from __future__ import annotations

import sys

from plotter2 import lifecycle
from plotter2.config import load
from worker import app
from worker.config import WorkerConfig

if __name__ == "__main__":
    worker = load(WorkerConfig)
    sys.exit(lifecycle.run(worker.name, worker, app.main))
