"""The test kit, public: time that stands still, names from a seed, a bus without a broker, stories of pure machines.

Everything here keeps the same protocol as the real thing and passes the same contract suite. No daemon imports it.
"""

from __future__ import annotations

from plotter2.testing.bus import Faults, MemoryBroker
from plotter2.testing.clock import ManualClock
from plotter2.testing.ids import SeededIds
from plotter2.testing.story import check, replay

__all__ = ["Faults", "ManualClock", "MemoryBroker", "SeededIds", "check", "replay"]
