"""One measure, and the line it is printed as."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import machine


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of ours beside the machine's own."""

    name: str
    value: float
    unit: str
    limit_name: str
    limit_value: float


def show(measure: Measure, directory: Path) -> None:
    """Print it as one JSON line. `ratio` is ours over the limit's."""
    line = {
        "name": measure.name,
        "value": rounded(measure.value),
        "unit": measure.unit,
        "limit": {"name": measure.limit_name, "value": rounded(measure.limit_value)},
        "ratio": rounded(measure.value / measure.limit_value) if measure.limit_value else None,
        "machine": machine.describe(directory),
    }
    print(json.dumps(line), flush=True)


def note(text: str) -> None:
    """Say what is under way, on stderr."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def rounded(value: float) -> float:
    """Four digits that mean something."""
    return float(f"{value:.4g}")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of all values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
