"""The cover of a numbered report: `index.html` at the top of its folder, which leads to its pages (pure).

It says where they came from, follows from the report alone, so it can be made again, and needs no script.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote

from plotter2.model.output import COMPANIONS, PAGES
from plotter2.model.report import Report

COVER_FILE = "index.html"
INPUTS_MAX = 500
"""Inputs that are listed; `report.json` has them all."""
DIGEST_CHARS = 16
_STYLE = (
    ":root{color-scheme:light dark;--paper:#fff;--ground:#f4f6f8;--ink:#1c2733;--muted:#5b6875;--line:#e4e8ed;--accent:"
    "#0072b2}@media(prefers-color-scheme:dark){:root{--paper:#161b22;--ground:#0d1117;--ink:#e6eaf0;--muted:#9aa7b5;"
    "--line:#2c343d;--accent:#56b4e9}}body{margin:0 auto;padding:24px;max-width:980px;background:var(--ground);color:"
    "var(--ink);font:15px/1.5 system-ui,sans-serif}h1{font-size:24px;margin:0}h2{font-size:17px;margin:28px 0 8px}p{"
    "color:var(--muted);margin:0 0 16px}a{color:var(--accent)}ul{list-style:none;padding:0;margin:0}li{background:"
    "var(--paper);border:1px solid var(--line);border-radius:8px;padding:12px 16px;margin:8px 0}img{display:block;"
    "max-width:100%;margin-top:10px;border-radius:4px}table{border-collapse:collapse;font-size:13.5px}"
    "th,td{text-align:left;vertical-align:top;padding:4px 20px 4px 0;border-bottom:1px solid var(--line);overflow-wrap:"
    "anywhere}th{color:var(--muted);font-weight:600}code{font-size:12.5px}"
)


def cover(report: Report) -> bytes:
    """The cover as a page."""
    about = json.loads(report.about_json)
    there = {one.path for one in report.files}
    made = about["files"]
    pages = [one for one in made if one["kind"] in PAGES]
    title = next((one["title"] for one in pages if one["kind"] == "report"), "") or f"Report {report.number}"
    others = [one for one in made if one["kind"] not in {*PAGES, "asset"}]
    rows = {
        "bundle": f"{about['bundle']}, version {about['version']}",
        "task": about["task"],
        "parameters": ", ".join(f"{name} = {value}" for name, value in about["parameters"].items()),
        "run": about["run"],
        "request": about["request"],
        "made": about["made"],
    }
    body = (
        f"<h1>{escape(title)}</h1><p>Report {report.number} of {escape(about['bundle'])}</p>"
        f"<ul>{''.join(_entry(one, there) for one in pages)}</ul>"
        + (f"<h2>Files</h2><ul>{''.join(_entry(one, there) for one in others)}</ul>" if others else "")
        + f"<h2>Where it came from</h2><table>{''.join(_row(*one) for one in rows.items() if one[1])}</table>"
        + _inputs(about["inputs"])
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body>{body}</body></html>\n"
    ).encode()


def _entry(made: Mapping[str, Any], there: set[str]) -> str:
    path, title = made["path"], made["title"] or made["path"].rpartition("/")[2]
    picture = f"{path}.svg"
    links = [
        f'<a href="{_link(path + ending)}">{ending[1:].upper()}</a>'
        for ending in COMPANIONS
        if ending != ".svg" and path + ending in there
    ]
    shown = f'<a href="{_link(path)}"><img src="{_link(picture)}" alt=""></a>' if picture in there else ""
    beside = f" &nbsp; <small>{' · '.join(links)}</small>" if links else ""
    return f'<li><a href="{_link(path)}">{escape(title)}</a>{beside}{shown}</li>'


def _link(path: str) -> str:
    return escape(quote(path))


def _row(name: str, value: Any) -> str:
    return f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>"


def _inputs(inputs: list[dict[str, Any]]) -> str:
    if not inputs:
        return ""
    rows = "".join(
        f"<tr><td>{escape(one['bundle'])}@{one['version']}</td><td>{escape(_files(one))}</td>"
        f"<td><code>{escape(str(one['digest'])[:DIGEST_CHARS])}</code></td></tr>"
        for one in inputs[:INPUTS_MAX]
    )
    more = f"<p>and {len(inputs) - INPUTS_MAX:,} more, in report.json</p>" if len(inputs) > INPUTS_MAX else ""
    return f"<h2>What was read</h2><table><tr><th>bundle</th><th>file</th><th>digest</th></tr>{rows}</table>{more}"


def _files(one: Mapping[str, Any]) -> str:
    return str(one["path"]) if "path" in one else f"{one['first']} to {one['last']} ({one['count']:,} files)"
