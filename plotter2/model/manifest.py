"""Manifests: the paperwork of one transport (requirements 056 to 067). Parsed, checked, never acted upon (pure).

The six keys are required and named when they are missing; what else stands at the top level is a warning.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from plotter2.clock import Instant, rfc3339
from plotter2.errors import ManifestError

MANIFEST_VERSION = 1
BYTES_MAX = 64 << 20
KEYS: dict[str, tuple[type, str]] = {
    "date": (str, "a string, as 2026-11-21T12:00:00Z"),
    "time": (int, "an integer, Unix seconds"),
    "user": (str, "a string"),
    "manifest_version": (int, "an integer"),
    "meta": (dict, "an object"),
    "contains": (dict, "an object"),
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as its sender wrote it. `warnings` are for the sender's eyes."""

    date: str
    time: int
    user: str
    manifest_version: int
    meta: dict[str, Any]
    contains: dict[str, Any]
    warnings: tuple[str, ...] = field(default=())


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ManifestError(f"manifest.json has the key {key!r} twice; each key may stand once.")
        found[key] = value
    return found


def _constant(text: str) -> Any:
    raise ManifestError(f"manifest.json contains {text}, which is not a JSON number.")


def parse(text: str) -> Manifest:
    """Read a manifest.

    Raises:
        ManifestError: not JSON, not an object, a key missing or of the wrong type; the message names it.
    """
    try:
        raw = json.loads(text, object_pairs_hook=_no_twins, parse_constant=_constant)
    except json.JSONDecodeError as wrong:
        raise ManifestError(
            f"manifest.json is not JSON: {wrong.msg} at line {wrong.lineno}, column {wrong.colno}."
        ) from None
    except (RecursionError, ValueError) as wrong:
        raise ManifestError(f"manifest.json cannot be read: {wrong}.") from None
    if not isinstance(raw, dict):
        raise ManifestError(f"manifest.json must be a JSON object, not {_name(raw)}.")
    for key, (kind, wanted) in KEYS.items():
        if key not in raw:
            raise ManifestError(f"manifest.json misses the key {key!r}: it must be {wanted}.")
        if not isinstance(raw[key], kind) or isinstance(raw[key], bool):
            raise ManifestError(f"manifest.json: {key!r} must be {wanted}, not {_name(raw[key])}.")
    extra = tuple(f"unknown key {key!r} is ignored" for key in raw if key not in KEYS)
    return Manifest(**{key: raw[key] for key in KEYS}, warnings=extra)


def _name(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def write(user: str, now: Instant, contains: dict[str, Any], meta: dict[str, Any] | None = None) -> str:
    """The text of a manifest for a transport that begins now."""
    document = {
        "date": rfc3339(now),
        "time": int(now),
        "user": user,
        "manifest_version": MANIFEST_VERSION,
        "meta": meta or {},
        "contains": contains,
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
