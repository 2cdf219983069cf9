"""Reading JSON that somebody else wrote: what is missing or of another type reads as nothing, or is refused (pure)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeGuard

from plotter2.errors import RefusedError


class PayloadRefusedError(RefusedError):
    """A message from the bus that cannot be read."""


def dump(document: Mapping[str, Any]) -> bytes:
    """A JSON object as bytes."""
    return json.dumps(document, separators=(",", ":")).encode()


def load(payload: bytes, what: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        PayloadRefusedError: it is none.
    """
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        raise PayloadRefusedError(f"The {what} message is not JSON.") from None
    if not isinstance(document, dict):
        raise PayloadRefusedError(f"The {what} message is not a JSON object.")
    return document


def name(document: dict[str, Any], key: str, what: str) -> str:
    """A text that must be there.

    Raises:
        PayloadRefusedError: it is not.
    """
    found = text(document, key)
    if not found:
        raise PayloadRefusedError(f"The {what} message has no {key!r}.")
    return found


def text(document: dict[str, Any], key: str) -> str:
    """The text at a key, "" where there is none."""
    value = document.get(key)
    return value if isinstance(value, str) else ""


def member(document: dict[str, Any], key: str) -> dict[str, Any]:
    """The object at a key, empty where there is none."""
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def number(document: dict[str, Any], key: str) -> float:
    """The finite number at a key, 0 where there is none."""
    value = document.get(key)
    return value if is_number(value) else 0.0


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a JSON value is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf")
