"""A template's colours and letters in what is written: the page's style, Bokeh's document, the small picture (pure).

Everything is drawn in our own colours of words and lines, which stand for roles; here they become the template's, by
day and by night.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from plotter2.datter.figures.figure import GRID, INK, MUTED, NIGHT_PALETTE, PALETTE, Family
from plotter2.datter.template import Shades, Template

FONT = "system-ui, sans-serif"
FAMILIES: dict[Family, str] = {
    "sans": FONT, "serif": "Georgia, 'Times New Roman', serif", "mono": "ui-monospace, Menlo, Consolas, monospace",
}  # fmt: skip
TICKS_SMALLER = 2
"""Numbers at an axis are so many pixels smaller than its label."""
DAY = Shades(INK, MUTED, GRID, "#ffffff", "#f4f6f8", "#0072b2")
NIGHT = Shades("#e6eaf0", "#9aa7b5", "#2c343d", "#161b22", "#0d1117", "#56b4e9")
_DRAWN = ("ink", "muted", "grid")
"""Roles of colours that figures are drawn in; the others are the page's."""


def _day(template: Template) -> dict[str, str]:
    return {role: getattr(template.colours, role) or getattr(DAY, role) for role in DAY.__struct_fields__}


def _night(template: Template) -> dict[str, str]:
    return {role: getattr(template.dark, role) or getattr(NIGHT, role) for role in NIGHT.__struct_fields__}


def css(template: Template) -> str:
    """What the template says of the page, as CSS that follows our own; "" where it says nothing of it."""
    found = ""
    if any(getattr(template.colours, role) or getattr(template.dark, role) for role in DAY.__struct_fields__):
        night = _variables(_night(template))
        found = f":root{{{_variables(_day(template))}}}@media (prefers-color-scheme:dark){{:root{{{night}}}}}"
    if template.font.family or template.font.size:
        family = _family(template)
        found += f"body{{font-family:{family};font-size:{template.font.size or 15}px}}"
    return found


def _variables(shades: dict[str, str]) -> str:
    return "".join(f"--{'line' if role == 'grid' else role}:{colour};" for role, colour in shades.items())


def _family(template: Template) -> str:
    return next((words for name, words in FAMILIES.items() if name == template.font.family), FONT)


def shades(template: Template) -> str:
    """For the page's script: by day and by night, the colour in place of each that the document has."""
    by = {"day": _day(template), "night": _night(template)}
    found = {
        when: {getattr(DAY, role): colours[role] for role in _DRAWN if colours[role] != getattr(DAY, role)}
        for when, colours in by.items()
    }
    found["night"] |= dict(zip(PALETTE, NIGHT_PALETTE, strict=True))
    return msgspec.json.encode(found).decode()


def of_axis(template: Template) -> dict[str, Any]:
    """Sizes of an axis's words."""
    size = template.font.size
    if not size:
        return {}
    return {
        "axis_label_text_font_size": f"{size}px",
        "major_label_text_font_size": f"{max(size - TICKS_SMALLER, 1)}px",
    }


def of_document(written: bytes, template: Template) -> bytes:
    """Bokeh's document in the template's letters; its colours are the page's script's business."""
    if template.font.family in {"", "sans"}:
        return written
    return written.replace(f'"{FONT}"'.encode(), f'"{_family(template)}"'.encode())


def of_picture(written: bytes, template: Template) -> bytes:
    """The small picture in the template's colours and letters."""
    day, night = _day(template), _night(template)
    changed = {
        getattr(ours, role).encode(): theirs[role].encode()
        for ours, theirs in ((DAY, day), (NIGHT, night))
        for role in (*_DRAWN, "paper")
        if theirs[role] != getattr(ours, role)
    }
    if changed:
        written = re.sub(b"|".join(changed), lambda found: changed[found[0]], written)
    if template.font.family in {"", "sans"}:
        return written
    return written.replace(FONT.replace(", ", ",").encode(), _family(template).replace("'", "").encode())
