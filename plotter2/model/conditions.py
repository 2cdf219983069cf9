"""Conditions that a manifest sets before it may be taken in: `meta.conditions` (requirement 063; pure).

A small closed language. Each condition is an object that names a bundle and says one thing about it:
`{"bundle": "data/x"}` it is there, `{…, "exists": false}` it is not, `{…, "version": 3}` it has that version,
`{…, "newest": 3}` that version is its newest, `{…, "digest": "5b0f…"}` its newest version has that digest,
`{…, "link": "accuracy"}` a link of that name holds in it. What a manifest depends on is a condition too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from plotter2.errors import ManifestError, PathRefusedError
from plotter2.model import paths
from plotter2.model.bundle import DIGEST_BYTES
from plotter2.model.depends import depends, metas
from plotter2.model.manifest import Manifest

CONDITIONS_MAX = 1_000
VERSION_MAX = 1_000_000_000
LINK_CHARS_MAX = 200


class Wish(StrEnum):
    """What a condition says about its bundle; the words of the language."""

    EXISTS = "exists"
    VERSION = "version"
    NEWEST = "newest"
    DIGEST = "digest"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition.

    Attributes:
        number: of a version.
        word: a digest in hexadecimal digits, or the name of a link.
        wanted: False: that the bundle is not there; only with EXISTS.
    """

    bundle: str
    wish: Wish = Wish.EXISTS
    number: int = 0
    word: str = ""
    wanted: bool = True


def conditions(paper: Manifest) -> tuple[Condition, ...]:
    """All conditions of a manifest and its submanifests, those of its dependencies first.

    Raises:
        ManifestError: something is no condition; the message names the place and the language.
    """
    found = [Condition(one.bundle, Wish.VERSION if one.version else Wish.EXISTS, one.version) for one in depends(paper)]
    for place, meta in metas(paper):
        listed = meta.get("conditions", [])
        if not isinstance(listed, list) or len(listed) > CONDITIONS_MAX:
            raise ManifestError(
                f"manifest.json: '{place}.conditions' must be a list of at most {CONDITIONS_MAX} objects, "
                'as {"bundle": "data/x", "version": 3}.'
            )
        found += [_condition(one, f"{place}.conditions[{index}]") for index, one in enumerate(listed)]
    return tuple(dict.fromkeys(found))


def _condition(one: Any, place: str) -> Condition:
    if not isinstance(one, dict) or not isinstance(one.get("bundle"), str):
        raise ManifestError(f"manifest.json: '{place}' must be an object with 'bundle', as {{\"bundle\": \"data/x\"}}.")
    words = [key for key in one if key != "bundle"]
    unknown = [key for key in words if key not in set(Wish)]
    if unknown or len(words) > 1:
        raise ManifestError(
            f"manifest.json: '{place}' may say one thing beside 'bundle': {', '.join(Wish)}; it says "
            f"{', '.join(repr(key[:LINK_CHARS_MAX]) for key in words[:10])}."
        )
    try:
        bundle = paths.bundle_path(one["bundle"])
    except PathRefusedError as wrong:
        raise ManifestError(f"manifest.json: '{place}.bundle' is no bundle: {wrong.message}") from None
    return _said(bundle, Wish(words[0]), one[words[0]], place) if words else Condition(bundle)


def _said(bundle: str, wish: Wish, value: Any, place: str) -> Condition:
    match wish:
        case Wish.EXISTS if isinstance(value, bool):
            return Condition(bundle, wanted=value)
        case Wish.VERSION | Wish.NEWEST if type(value) is int and 0 < value <= VERSION_MAX:
            return Condition(bundle, wish, value)
        case Wish.DIGEST if isinstance(value, str) and _is_digest(value):
            return Condition(bundle, wish, word=value.lower())
        case Wish.LINK if isinstance(value, str) and 0 < len(value) <= LINK_CHARS_MAX:
            return Condition(bundle, wish, word=value)
    raise ManifestError(f"manifest.json: '{place}.{wish}' must be {_WANTED[wish]}.")


_WANTED = {
    Wish.EXISTS: "true or false",
    Wish.VERSION: "the number of a version, from 1",
    Wish.NEWEST: "the number of a version, from 1",
    Wish.DIGEST: f"{2 * DIGEST_BYTES} hexadecimal digits",
    Wish.LINK: f"the name of a link, at most {LINK_CHARS_MAX} characters",
}


def _is_digest(text: str) -> bool:
    return len(text) == 2 * DIGEST_BYTES and set(text.lower()) <= set("0123456789abcdef")
