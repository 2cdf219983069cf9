"""Who waits for an answer."""

from __future__ import annotations

Token = int
"""Names whoever waits for an answer (`manager.desk`); 0 means nobody does."""
