"""Tags: marks to find bundles by (pure). package.json declares some; people set others, which win and stay.

What was set by hand is a JSON object of names and plain values, each in its own spelling. null takes a tag away, also
one that package.json declares.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from plotter2.errors import LimitError, UsageError
from plotter2.model.entry import NAME_BYTES_MAX, WORD_BYTES_MAX

TAGS_MAX = 200
"""Tags that can be set on one bundle by hand."""
Values = dict[str, msgspec.Raw]
NULL = b"null"


class _Package(msgspec.Struct):
    """The one section of package.json that is wanted here; the whole was checked when it came."""

    tags: dict[str, str | bool | int | float] = {}


def read(text: str) -> Values:
    """Tags that somebody wants to set; null takes one away.

    Raises:
        UsageError: not an object of names and plain values, none at all, or a name or value that cannot be found.
    """
    try:
        plain = msgspec.json.decode(text, type=dict[str, str | bool | int | float | None])
        given = _values(text)
    except (msgspec.DecodeError, RecursionError):
        raise UsageError("Tags are names and plain values: text, numbers, true, false; null takes one away.") from None
    if not given:
        raise UsageError("No tag was given; a tag is a name and a value, as model=mlp.")
    for name, value in plain.items():
        if not name.strip() or not name.isprintable() or len(name.encode()) > NAME_BYTES_MAX:
            raise UsageError(f"{name!r} is no name for a tag: it has 1 to {NAME_BYTES_MAX} bytes that can be shown.")
        if isinstance(value, str) and ("\0" in value or len(value.encode()) > WORD_BYTES_MAX):
            raise UsageError(f"The tag {name!r} has at most {WORD_BYTES_MAX:,} bytes of text; more cannot be found.")
    return given


def merged(before: str, given: Mapping[str, msgspec.Raw]) -> str:
    """What is set by hand after this was given; "" for nothing.

    Raises:
        LimitError: that would be too many.
    """
    after = {**_values(before), **given}
    if len(after) > TAGS_MAX:
        raise LimitError(f"A bundle has at most {TAGS_MAX} tags that were set by hand; this would make {len(after)}.")
    return msgspec.json.encode(after).decode() if after else ""


def shown(package_json: str, by_hand: str) -> str:
    """The tags that a bundle has: those of its package, and over them those set by hand. "" for none."""
    try:
        declared = msgspec.json.decode(package_json or "{}", type=_Package).tags
    except (msgspec.DecodeError, RecursionError):  # written by a version with other rules
        declared = {}
    values: Values = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in declared.items()}
    left = {name: value for name, value in (values | _values(by_hand)).items() if bytes(value) != NULL}
    return msgspec.json.encode(left).decode() if left else ""


def _values(text: str) -> Values:
    return msgspec.json.decode(text or "{}", type=Values)
