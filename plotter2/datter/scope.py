"""What one run sees of bundles: plain data that crosses process borders (pure).

Knows nothing of scripts, files' contents or figures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plotter2.model.package import Package


@dataclass(frozen=True, slots=True)
class Scope:
    """One bundle version as a run sees it: its files, its declaration, and the bundles below it.

    Attributes:
        files: path inside the bundle to a readable local file.
        parameters: what the service run that made the bundle was given; {} for a bundle that was pushed.
    """

    bundle: str = ""
    version: int = 0
    files: dict[str, Path] = field(default_factory=dict)
    package: Package | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    descendants: list[Scope] = field(default_factory=list)

    @property
    def config(self) -> dict[str, Any]:
        """Settings that its package.json declares, or that it inherits: parameters of every task on it."""
        return self.package.config if self.package is not None else {}

    @property
    def label(self) -> str:
        """What stands before the names of its files in tracebacks of other bundles' runs."""
        return f"{self.bundle}@{self.version}/"
