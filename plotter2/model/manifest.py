"""Manifests: the paperwork of one transport (requirements 056 to 067). Parsed, checked, never acted upon (pure).

The six keys are required and named when they are missing. `contains` may have four kinds of parts, each optional:
`packages` (documents like package.json), `tasks` (as in package.json), `submanifests` (objects with `contains` of their
own) and `files` (path, sha256, size). Keys beyond these are warnings. A manifest only describes: whether what it claims
is true is for others to check, see `claims`.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from plotter2.clock import Instant, from_rfc3339, rfc3339
from plotter2.errors import ManifestError, PackageError
from plotter2.model import document, package

MANIFEST_VERSION = 1
BYTES_MAX = 12 << 20
"""It travels in one message with the names of all files."""
VALUES_MAX = 600_000
"""Members and elements, whatever they are: what bounds the time and the memory of reading it."""
PARTS_MAX = 1_000
"""Packages, tasks, and submanifests: of each so many in one `contains`. Files have the limit of a delivery."""
SUBMANIFEST_DEPTH_MAX = 8
USER_CHARS_MAX = 200
NUMBER_DIGITS_MAX = 309
"""More digits are beyond every float64."""
TIME_S_MAX = 253_402_300_799
"""The last second of the year 9999."""
DRIFT_S_MAX = 86_400
"""`date` and `time` may differ by so much before the sender is told."""
WARNINGS_MAX = 20
KEYS: dict[str, tuple[type, str]] = {
    "date": (str, "a string, as 2026-11-21T12:00:00Z"),
    "time": (int, "an integer, Unix seconds"),
    "user": (str, "a string"),
    "manifest_version": (int, "an integer"),
    "meta": (dict, "an object"),
    "contains": (dict, "an object"),
}
_PARTS = ("packages", "tasks", "submanifests", "files")
_SUBMANIFEST_KEYS = frozenset({"name", "meta", "contains"})
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_HALF_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Listed:
    """What a manifest claims about one file: size in bytes, SHA-256 in small hexadecimal digits."""

    path: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as its sender wrote it.

    Attributes:
        files: what it and its submanifests claim about files, by path; None when they list none at all.
        warnings: for the sender's eyes, one sentence each.
    """

    date: str
    time: int
    user: str
    manifest_version: int
    meta: dict[str, Any]
    contains: dict[str, Any]
    files: dict[str, Listed] | None = None
    warnings: tuple[str, ...] = field(default=())


def parse(text: str) -> Manifest:
    """Read a manifest that comes from outside.

    Raises:
        ManifestError: too long, not JSON or not strictly so, not an object, a key missing or of the wrong type, a part
            of `contains` that is not one; the message names it.
    """
    if len(text) > BYTES_MAX:
        raise ManifestError(f"manifest.json has more than {BYTES_MAX} bytes; data belongs into files beside it.")
    raw = _decoded(text)
    if not isinstance(raw, dict):
        raise ManifestError(f"manifest.json must be a JSON object, not {_name(raw)}.")
    for key, (kind, wanted) in KEYS.items():
        if key not in raw:
            raise ManifestError(f"manifest.json misses the key {key!r}: it must be {wanted}.")
        if not isinstance(raw[key], kind) or isinstance(raw[key], bool):
            raise ManifestError(f"manifest.json: {key!r} must be {wanted}, not {_name(raw[key])}.")
    _check_user(raw["user"])
    _check_version(raw["manifest_version"])
    warnings = [_unknown(key, "manifest.json") for key in raw if key not in KEYS]
    warnings += _drift(raw["date"], raw["time"])
    reader = _Contents(warnings)
    reader.read(raw["contains"], "contains")
    return Manifest(**{key: raw[key] for key in KEYS}, files=reader.files, warnings=tuple(warnings[:WARNINGS_MAX]))


def _check_user(user: str) -> None:
    if len(user) > USER_CHARS_MAX or any(unicodedata.category(char) == "Cc" for char in user):
        raise ManifestError(
            f"manifest.json: 'user' must be a name of at most {USER_CHARS_MAX} characters without control characters."
        )


def _check_version(number: int) -> None:
    if number != MANIFEST_VERSION:
        raise ManifestError(
            f"manifest.json: 'manifest_version' is {_short(str(number))}; this plotter2 reads {MANIFEST_VERSION}."
        )


def _drift(date: str, time_s: int) -> list[str]:
    """Check both; say it when they do not mean the same day."""
    try:
        stamp_s = from_rfc3339(date)
    except (ValueError, OverflowError):
        raise ManifestError(
            f"manifest.json: 'date' must be an ISO 8601 date, as 2026-11-21T12:00:00Z, not {_short(date)!r}."
        ) from None
    if not 0 <= time_s <= TIME_S_MAX:
        raise ManifestError(f"manifest.json: 'time' must be Unix seconds, from 0 to {TIME_S_MAX}.")
    if abs(stamp_s - time_s) <= DRIFT_S_MAX:
        return []
    return [f"manifest.json: 'date' {date} and 'time' {time_s} ({rfc3339(time_s)}) are more than a day apart"]


class _Contents:
    """Reads `contains`, and those of submanifests; collects what is claimed about files."""

    def __init__(self, warnings: list[str]) -> None:
        self.files: dict[str, Listed] | None = None
        self._warnings = warnings

    def read(self, contains: dict[str, Any], where: str, depth: int = 0) -> None:
        """One `contains`; `where` is its place in the document."""
        self._warnings += [_unknown(f"{where}.{key}", "manifest.json") for key in contains if key not in _PARTS]
        for kind in _PARTS:
            part = contains.get(kind, [])
            if not isinstance(part, list):
                raise ManifestError(f"manifest.json: '{where}.{kind}' must be a list, not {_name(part)}.")
            if kind != "files" and len(part) > PARTS_MAX:
                raise ManifestError(f"manifest.json: '{where}.{kind}' has more than {PARTS_MAX} items.")
        for index, one in enumerate(contains.get("packages", [])):
            _check_package(one, f"{where}.packages[{index}]")
        if contains.get("tasks"):
            _check_package({"tasks": contains["tasks"]}, f"{where}.tasks")
        for index, one in enumerate(contains.get("submanifests", [])):
            self._submanifest(one, f"{where}.submanifests[{index}]", depth + 1)
        if "files" in contains:
            self._list(contains["files"], f"{where}.files")

    def _submanifest(self, one: Any, where: str, depth: int) -> None:
        if depth > SUBMANIFEST_DEPTH_MAX:
            raise ManifestError(f"manifest.json: submanifests are nested deeper than {SUBMANIFEST_DEPTH_MAX} levels.")
        if not isinstance(one, dict):
            raise ManifestError(f"manifest.json: '{where}' must be an object, not {_name(one)}.")
        for key, kind in (("name", str), ("meta", dict), ("contains", dict)):
            if key in one and not isinstance(one[key], kind):
                wanted = "a string" if kind is str else "an object"
                raise ManifestError(f"manifest.json: '{where}.{key}' must be {wanted}, not {_name(one[key])}.")
        self._warnings += [_unknown(f"{where}.{key}", "manifest.json") for key in one if key not in _SUBMANIFEST_KEYS]
        self.read(one.get("contains", {}), f"{where}.contains", depth)

    def _list(self, lines: list[Any], where: str) -> None:
        found = self.files = self.files or {}
        for index, line in enumerate(lines):
            listed = _line(line)
            if listed is None:
                raise ManifestError(
                    f"manifest.json: '{where}[{index}]' must be an object with 'path' (a string), 'sha256' (64"
                    " hexadecimal digits) and 'size' (bytes)."
                )
            if found.setdefault(listed.path, listed) != listed:
                raise ManifestError(f"manifest.json lists {listed.path!r} twice, with different claims.")


def _line(line: Any) -> Listed | None:
    if not isinstance(line, dict):
        return None
    path, sha256, size = line.get("path"), line.get("sha256"), line.get("size")
    if not isinstance(path, str) or not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        return None
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        return None
    return Listed(path, sha256.lower(), size)


def _check_package(one: Any, where: str) -> None:
    try:
        package.parse(json.dumps(one))
    except PackageError as wrong:
        reason = wrong.message.removeprefix("package.json, line 1: ")
        raise ManifestError(f"manifest.json: '{where}' cannot be understood: {reason}") from None


# --- strict JSON --------------------------------------------------------------------------------------------------


def _decoded(text: str) -> Any:
    """The document, or what is wrong with it. Fast, because a manifest may list a hundred thousand files."""
    try:
        _check_amount(text)
        raw = json.loads(
            text, object_pairs_hook=_no_twins, parse_constant=_constant, parse_float=_float, parse_int=_int
        )
        text.encode()
        if _HALF_ESCAPE.search(text):
            json.dumps(raw, ensure_ascii=False).encode()
    except json.JSONDecodeError as wrong:
        raise ManifestError(
            f"manifest.json is not JSON: {wrong.msg} at line {wrong.lineno}, column {wrong.colno}."
        ) from None
    except UnicodeEncodeError:
        raise ManifestError("manifest.json contains half of a surrogate pair, which is no text.") from None
    except ManifestError as wrong:
        # Most are short: then a slower reader says where it is.
        found = document.flaw(text) if len(text) <= document.TOKENS_MAX else None
        if found is None or not found.path:
            raise
        place = document.spell(found.path)
        raise ManifestError(f"manifest.json, line {found.line}: {place!r} {found.reason}.") from wrong
    return raw


def _check_amount(text: str) -> None:
    # Strings cost the time, so they are counted first.
    signs = _STRING.sub("", text) if text.count('"') <= 4 * VALUES_MAX else "," * (VALUES_MAX + 1)
    if signs.count(",") + signs.count("[") + signs.count("{") > VALUES_MAX:
        raise ManifestError(f"manifest.json has more than {VALUES_MAX} values; data belongs into files beside it.")
    depth = 0
    for found in _BRACKET.finditer(signs):
        depth += 1 if found[0] in "[{" else -1
        if depth > document.DEPTH_MAX:
            raise ManifestError(f"manifest.json is nested deeper than {document.DEPTH_MAX} levels.")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twin = next(key for key in keys if keys.count(key) > 1)
        raise ManifestError(f"manifest.json has the key {_short(twin)!r} twice; each key may stand once.")
    return found


def _constant(text: str) -> Any:
    raise ManifestError(f"manifest.json contains {text}, which is not a JSON number.")


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ManifestError(f"manifest.json contains {_short(text)}, which is no finite number.")
    return number


def _int(text: str) -> int:
    if len(text) > NUMBER_DIGITS_MAX:
        raise ManifestError(f"manifest.json contains {_short(text)}, which is no finite number.")
    return int(text)


def _short(text: str) -> str:
    limit = 40
    return text if len(text) <= limit else f"{text[:limit]}…"


def _unknown(key: str, where: str) -> str:
    return f"{where}: unknown key {_short(key)!r} is ignored"


def _name(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def write(user: str, now: Instant, contains: dict[str, Any], meta: dict[str, Any] | None = None) -> str:
    """The text of a manifest for a transport that begins now."""
    document_ = {
        "date": rfc3339(now),
        "time": int(now),
        "user": user,
        "manifest_version": MANIFEST_VERSION,
        "meta": meta or {},
        "contains": contains,
    }
    return json.dumps(document_, indent=2, ensure_ascii=False)
