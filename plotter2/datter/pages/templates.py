"""Render templates: named looks of figures, plots and reports, as an installation's config/templates has them (r009).

A template is TOML: colours, fonts, sizes, axes, legend, columns, and the HTML page around the figures. What a script
says goes first, then its template, then what stands in `datter.figures.figure`. Read and checked as a whole; a fault
names file, line and key (pure).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec
from blake3 import blake3

from plotter2.datter.figures.frame import Look
from plotter2.datter.figures.looks import (
    AXES_MAX,
    FAMILIES,
    FONT_MAX,
    FONT_MIN,
    SIZE_MAX,
    SIZE_MIN,
    STOPS_MAX,
    STOPS_MIN,
)
from plotter2.datter.figures.placing import COLOURS, checked
from plotter2.datter.template import NONE, Coloured, Shades, Template
from plotter2.datter.values.keys import nearest
from plotter2.errors import ConfigError, UsageError
from plotter2.model.additions import TEMPLATES

FOLDER = TEMPLATES
ENDING, PAGE_ENDING = ".toml", ".html"
PALETTE_MAX = 16
EXTENDS_MAX = 8
SLOTS = ("title", "subtitle", "head", "content", "provenance")
REQUIRED = ("head", "content")
"""Slots that a page cannot do without: styles and scripts, and what is drawn."""
_SLOT = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_KEY = re.compile(r"\s*(?:\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9_-]+))\s*=")
_HEAD = re.compile(r"\s*\[\s*([A-Za-z0-9_-]+)\s*\]")
_AT = re.compile(r" - at `\$\.?([^`]*)`$")


RANGES = {
    ("font", "size"): (FONT_MIN, FONT_MAX), ("size", "width"): (SIZE_MIN, SIZE_MAX),
    ("size", "height"): (SIZE_MIN, SIZE_MAX), ("layout", "columns"): (1, 3), ("axes", "count"): (0, AXES_MAX),
}  # fmt: skip
Fault = tuple[tuple[str, ...], str]
"""A key, and why it cannot be."""


def under(template: Template, look: Look) -> Look:
    """What a script said of a frame, and of its template what it did not."""
    return replace(
        look, palette=look.palette or template.colours.palette, stops=look.stops or template.colours.gradient,
        axes=template.axes.count if look.axes is None else look.axes,
        size=look.size if any(look.size) else (template.size.width, template.size.height),
        has_legend=False if look.has_legend is None and template.legend.show is False else look.has_legend,
    )  # fmt: skip


def parse(text: str, filename: str) -> dict[str, Any]:
    """Read one file: what it says, each value checked.

    Args:
        text: TOML.
        filename: what messages call it.

    Raises:
        ConfigError: it is no TOML, or says what no template can; with file, line and key.
    """
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as wrong:
        raise ConfigError(f"{filename} is not TOML: {wrong}.") from None
    for key in ("name", "digest"):
        if key in found:
            raise _wrong(filename, text, (key,), "is given by plotter2, from the file")
    try:
        read = msgspec.convert(found, Template)
    except msgspec.ValidationError as wrong:
        raise _misread(filename, text, str(wrong)) from None
    for path, reason in _faults(read):
        raise _wrong(filename, text, path, reason)
    return found


def resolved(name: str, read: Mapping[str, Mapping[str, Any]], pages: Mapping[str, str]) -> Template:
    """A template with what it extends filled in, and its page.

    Args:
        name: what it is called.
        read: what each file says, by the template's name.
        pages: texts of HTML files, by file name.

    Raises:
        ConfigError: it extends what is not there, or itself; or there is no such page, or the page lacks a slot.
    """
    filename = f"{FOLDER}/{name}{ENDING}"
    line = [name]
    whole: dict[str, Any] = dict(read[name])
    while above := whole.pop("extends", ""):
        if above not in read:
            raise ConfigError(f"{filename}: 'extends' names the template {above!r}; {nearest(above, read)}.")
        if above in line or len(line) > EXTENDS_MAX:
            raise ConfigError(f"{filename}: 'extends' leads back to {above!r}, by way of {' and '.join(line)}.")
        line.append(above)
        whole = _over(read[above], whole)
    page = whole.get("page", "")
    if page:
        if page not in pages:
            raise ConfigError(f"{filename}: 'page' names {page!r}; of the pages in {FOLDER}/ {nearest(page, pages)}.")
        whole["page"] = pages[page]
    digest = blake3(msgspec.json.encode(whole, order="deterministic")).hexdigest()
    made = msgspec.convert({**whole, "name": name, "digest": digest}, Template)
    colours = {key: _checked(made.colours, key) for key in made.colours.__struct_fields__}
    dark = {key: _checked(made.dark, key) for key in made.dark.__struct_fields__}
    return msgspec.structs.replace(made, colours=Coloured(**colours), dark=Shades(**dark))


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """What one says over what another says: tables key by key."""
    made = dict(below)
    for key, value in above.items():
        made[key] = {**made.get(key, {}), **value} if isinstance(value, dict) else value
    return made


def _checked(section: Any, key: str) -> Any:
    value = getattr(section, key)
    return tuple(map(checked, value)) if isinstance(value, tuple) else checked(value) if value else ""


def check_page(text: str, filename: str) -> None:
    """Check an HTML page: every `{{slot}}` is known, and those that it needs are there, once.

    Raises:
        ConfigError: with file and line.
    """
    seen: list[str] = []
    for found in _SLOT.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        if found[1] not in SLOTS:
            raise ConfigError(f"{filename}, line {line}: there is no slot {found[1]!r}; {nearest(found[1], SLOTS)}.")
        if found[1] in REQUIRED and found[1] in seen:
            raise ConfigError(f"{filename}, line {line}: the slot {found[1]!r} stands here a second time.")
        seen.append(found[1])
    for name in REQUIRED:
        if name not in seen:
            raise ConfigError(f"{filename}: the page has no {{{{{name}}}}}, without which nothing is drawn.")


def filled(page: str, parts: Mapping[str, str]) -> str:
    """A page with its slots filled."""
    return _SLOT.sub(lambda found: parts[found[1]], page)


def _faults(read: Template) -> Iterator[Fault]:
    yield from _colours(read)
    if read.font.family not in {"", *FAMILIES}:
        yield ("font", "family"), f"is {read.font.family!r}; {nearest(read.font.family, FAMILIES)}"
    for path, (low, high) in RANGES.items():
        value = getattr(getattr(read, path[0]), path[1])
        if value and not low <= value <= high:
            yield path, f"is {value}; it lies between {low} and {high:,}"
    if read.page and (not read.page.endswith(PAGE_ENDING) or "/" in read.page):
        yield ("page",), f"is {read.page!r}; it names a {PAGE_ENDING} file beside the template"


def _colours(read: Template) -> Iterator[Fault]:
    for table in ("colours", "dark"):
        for key in getattr(read, table).__struct_fields__:
            value = getattr(getattr(read, table), key)
            for one in value if isinstance(value, tuple) else (value,) * bool(value):
                try:
                    checked(one)
                except UsageError:
                    yield (table, key), f"has the colour {one!r}: write #rrggbb, or a name; {nearest(one, COLOURS)}"
    least = {"palette": 1, "gradient": STOPS_MIN}
    for key, most in (("palette", PALETTE_MAX), ("gradient", STOPS_MAX)):
        count = len(getattr(read.colours, key))
        if count and not least[key] <= count <= most:
            yield ("colours", key), f"has {count} colours; between {least[key]} and {most} can be given"


def _misread(filename: str, text: str, said: str) -> ConfigError:
    at = _AT.search(said)
    path = tuple(part for part in re.split(r"[.\[\]]+", at[1]) if part and part != "...") if at else ()
    reason = _AT.sub("", said)
    unknown = re.search(r"unknown field `([^`]*)`", reason)
    if unknown:
        path = (*path, unknown[1])
        section = getattr(NONE, path[0], None) if len(path) > 1 else NONE
        known = [one for one in getattr(section, "__struct_fields__", ()) if one not in {"name", "digest"}]
        reason = f"is no key of a template here; {nearest(unknown[1], known)}"
    else:
        reason = f"cannot be so: {reason[:1].lower()}{reason[1:]}"
    return _wrong(filename, text, path, reason)


def _wrong(filename: str, text: str, path: tuple[str, ...], reason: str) -> ConfigError:
    spelled = ".".join(path)
    return ConfigError(f"{filename}, line {line_of(text, path)}, {spelled!r} {reason}.")


def line_of(text: str, path: tuple[str, ...]) -> int:
    """The line where a key of TOML stands, counted from 1; of its table where that cannot be seen."""
    table: tuple[str, ...] = ()
    fallback = 1
    for number, line in enumerate(text.splitlines(), 1):
        head = _HEAD.match(line)
        if head:
            table = (head[1],)
            fallback = number if table == path[:1] else fallback
        key = _KEY.match(line)
        if key and (*table, next(one for one in key.groups() if one is not None)) == path[: len(table) + 1]:
            return number
    return fallback
