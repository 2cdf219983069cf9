"""A folder before it is pushed: what plotter2 would understand of it, and a package.json to start from.

Reads files as text and runs none of them; asks no manager. `check` says the same as an install would, by the same code.
"""

from __future__ import annotations

from plotter2.project.draft import Draft, draft
from plotter2.project.understanding import Understood, understand

__all__ = ["Draft", "Understood", "draft", "understand"]
