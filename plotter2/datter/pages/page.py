"""The page around the figures: heading, contents, panels, notes, controls of animations, tables, where it came from.

Everything that came from outside is escaped. The page needs nothing but Bokeh's script, beside it or (of an animation)
in it, and works from disk.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from plotter2.datter.figures.figure import Document, Figure, Font, Motion, Panel
from plotter2.datter.pages import assets, ramp, render, styling, templates, turning
from plotter2.datter.pages.sheet import Sheet
from plotter2.datter.template import NONE
from plotter2.errors import UsageError

SPEEDS, PLAYED_S = (1, 2, 5, 10, 25, 60, 250), 60
"""Frames a second to choose from; what plays within a minute is chosen first, from 10 on."""
HERE = Path(__file__).parent / "assets"
LONG_CONTENTS = 10


@lru_cache(maxsize=4)
def _asset(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def page(document: Document, script: str) -> str:
    """The whole page as text; `script` is where Bokeh's script lies, seen from the page, "" to have it in the page."""
    template = document.template or NONE
    sheet = Sheet([], template)
    sections = "".join(_section(figure, place, sheet, document) for place, figure in enumerate(document.sections, 1))
    title = escape(document.title)
    head = (
        f'<meta charset="utf-8"><title>{title}</title><meta name="viewport" content="width=device-width, '
        f'initial-scale=1"><style>{_asset("page.css")}{styling.css(template)}</style>{_loaded(script)}'
    )
    scripts = (
        f'<script type="application/json" id="doc">{_inert(sheet.to_json(document.title).decode())}</script>'
        f'<script type="application/json" id="shades">{styling.shades(template)}</script>'
        f"{_turned(document)}<script>{_asset('page.js')}</script>"
    )
    content = f"{_contents(document)}<main>{sections}</main>"
    footer = _footer(document)
    if template.page:
        parts = {"title": title, "subtitle": escape(document.subtitle), "head": head, "content": content + scripts}
        return templates.filled(template.page, {**parts, "provenance": footer})
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body class="{document.kind}"><header><h1>{title}</h1>'
        f"{_paragraph(document.subtitle, 'sub')}</header>{content}{footer}{scripts}</body></html>\n"
    )


def _turned(document: Document) -> str:
    """The script that turns what is in three dimensions, where something is."""
    has_space = any(panel.space is not None for figure in document.sections for panel in figure.panels)
    return f"<script>{_asset('space.js')}</script>" if has_space else ""


def _loaded(script: str) -> str:
    """Bokeh's script: where it lies, or itself, packed."""
    packed = f'<script type="text/plain" id="bokeh">{assets.packed_script()}</script>'
    return f'<script src="{script}"></script>' if script else packed


def _inert(text: str) -> str:
    return text.replace("<", "\\u003c")


def _paragraph(text: str, kind: str) -> str:
    return f'<p class="{kind}">{escape(text)}</p>' if text else ""


def _contents(document: Document) -> str:
    titled = [(place, figure.title) for place, figure in enumerate(document.sections, 1) if figure.title]
    if document.kind != "report" or len(titled) <= 1:
        return ""
    entries = "".join(f'<li><a href="#s{place}">{escape(title)}</a></li>' for place, title in titled)
    long = ' class="long"' * (len(titled) > LONG_CONTENTS)
    return f'<nav aria-label="Contents"><h2>Contents</h2><ol{long}>{entries}</ol></nav>'


def _section(figure: Figure, place: int, sheet: Sheet, document: Document) -> str:
    roots = render.drawn(figure, sheet)
    panels = ""
    for at, (panel, root) in enumerate(zip(figure.panels, roots, strict=True)):
        colours = ramp.after(figure.panels, at)
        panels += _panel(panel, root, figure.columns) + (ramp.bar(colours) if colours is not None else "")
    is_headed = document.kind == "report" and figure.title
    head = f"<h2>{escape(figure.title)}</h2>{_paragraph(figure.subtitle, 'sub')}" if is_headed else ""
    return f'<section id="s{place}">{head}<div class="panels cols{figure.columns}">{panels}</div></section>'


def _panel(panel: Panel, root: str | None, columns: int) -> str:
    if panel.visual == "break":
        return '<div class="break"></div>'
    head = f"<h3>{escape(panel.title)}</h3>" if panel.title else ""
    notes = "".join(_paragraph(note, "note") for note in dict.fromkeys(panel.notes))
    return f'<div class="panel {panel.visual}">{head}{_body(panel, root, columns)}{notes}</div>'


def _body(panel: Panel, root: str | None, columns: int) -> str:
    if panel.visual == "text":
        look = _looking(panel.font)
        return "".join(f'<p class="text"{look}>{escape(part.strip())}</p>' for part in panel.text.split("\n\n"))
    if panel.visual == "table":
        return _table(panel)
    name, plot = render.motion_name(str(root)), f'<div id="p-{root}" class="plot"></div>'
    if panel.space is not None:
        plot = turning.drawn(panel, name, columns)
    return plot + (_controls(panel.motion, name) if panel.motion is not None else "")


def _looking(font: Font) -> str:
    """A paragraph's own look; nothing for that of the page."""
    if font == Font():
        return ""
    ink = f";color:{font.colour}" * bool(font.colour)
    heavy = ";font-weight:600" * font.is_bold
    return f' style="font:{font.size}px/1.5 {styling.FAMILIES[font.family]}{ink}{heavy}"'


def _table(panel: Panel) -> str:
    is_number = [
        all(isinstance(row[place], int | float) or row[place] is None for row in panel.rows)
        for place in range(len(panel.heads))
    ]
    kinds = [' class="n"' if found else "" for found in is_number]
    heads = "".join(f"<th{kind}>{escape(head)}</th>" for head, kind in zip(panel.heads, kinds, strict=True))
    rows = "".join(f"<tr>{''.join(_cells(row, kinds))}</tr>" for row in panel.rows)
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cells(row: tuple[Any, ...], kinds: list[str]) -> Iterator[str]:
    for value, kind in zip(row, kinds, strict=True):
        yield f"<td{kind}>{escape(written(value))}</td>"


def written(value: Any) -> str:
    """A value for people: six digits that mean something, nothing for what is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "\N{EN DASH}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def _controls(motion: Motion, name: str) -> str:
    """Button, slider, speed, and the frames: a line a chunk, which the page unpacks when it comes to be shown."""
    reel = motion.reel
    if reel is None:
        raise UsageError("An animation is written with its frames on a reel; see reel.on_reel.")
    count = len(motion.frames)
    about = {
        "name": name, "count": count, "size": motion.frames[0].size, "column": motion.column, "labels": motion.labels,
        "axis": motion.axis, "bits": reel.bits, "each": reel.each, "ends": reel.ends,
    }  # fmt: skip
    data = "\n".join(base64.b64encode(one).decode() for one in reel.chunks)
    usual = next((one for one in SPEEDS if one >= SPEEDS[3] and count <= one * PLAYED_S), SPEEDS[-1])
    speeds = "".join(f'<option value="{one}"{" selected" * (one == usual)}>{one}/s</option>' for one in SPEEDS)
    return (
        '<div class="controls" data-motion><button type="button" aria-label="Play or pause">▶</button>'
        f'<input type="range" min="0" max="{count - 1}" value="0" aria-label="Frame">'
        f"<output></output><label>speed <select>{speeds}</select></label>"
        f'<script type="application/json" class="about">{_inert(msgspec.json.encode(about).decode())}</script>'
        f'<script type="text/plain" class="frames">{data}</script></div>'
    )


def _footer(document: Document) -> str:
    parts = [
        f"<dt>{escape(name)}</dt><dd>{escape(written(value))}</dd>"
        for name, value in document.provenance.items()
        if value not in ("", None)
    ]
    for what, names in (("tables", document.files), ("films", document.films)):
        links = ", ".join(f'<a href="{escape(quote(name))}">{escape(name)}</a>' for name in names)
        parts += [f"<dt>{what}</dt><dd>{links}</dd>"] * bool(names)
    parts += [f"<dt>lacking</dt><dd>{escape(one)}</dd>" for one in document.lacking]
    return f"<footer><dl>{''.join(parts)}</dl></footer>" if parts else ""
