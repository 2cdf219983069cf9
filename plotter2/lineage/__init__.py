"""Lineage for people: as a tree of text, and as a picture (pure)."""

from __future__ import annotations

from plotter2.lineage.text import tree

__all__ = ["tree"]
