"""A slice of a longer list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from manager.store import (
    Page,
)

T = TypeVar("T")


def page(items: Iterable[T], offset: int, limit: int) -> Page[T]:
    """The items from `offset` on, at most `limit`, and how many there are in all."""
    found = tuple(items)
    return Page(found[offset : offset + limit], len(found))
