"""What nodes and edges are called: the same in text and picture (pure)."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from plotter2.clock import rfc3339
from plotter2.model.lineage import Direction, Edge, EdgeKind, Node, NodeKind

BACK = {
    EdgeKind.READ: "read",
    EdgeKind.CODE: "code of",
    EdgeKind.ON: "on",
    EdgeKind.MADE: "made by",
    EdgeKind.ASKED: "asked by",
    EdgeKind.CAUSED: "caused by",
    EdgeKind.GAVE: "inherits from",
    EdgeKind.BASIS: "builds on",
    EdgeKind.REUSED: "has the results of",
}
FORTH = {
    EdgeKind.READ: "read by",
    EdgeKind.CODE: "its code ran in",
    EdgeKind.ON: "on it",
    EdgeKind.MADE: "made",
    EdgeKind.ASKED: "asked for",
    EdgeKind.CAUSED: "caused",
    EdgeKind.GAVE: "inherited by",
    EdgeKind.BASIS: "basis of",
    EdgeKind.REUSED: "its results went to",
}
SHORT_DIGEST = 12
VALUES_CHARS_MAX = 160
FILES_MAX = 4
OUTPUT = "output/"
FIRED = "standing:"
MORE = f"{NodeKind.MORE}:"


def joint(edge: Edge, direction: Direction) -> str:
    """How one node hangs on the other, read in the direction asked."""
    return (BACK if direction is Direction.WHY else FORTH)[edge.kind]


def name(node: Node) -> str:
    """What is written first: enough to ask for it again."""
    if node.kind is NodeKind.MORE:
        return f"… and {node.count:,} more {node.form}"
    return f"{OUTPUT}{node.id}" if node.kind is NodeKind.OUTPUT else node.id


def kind(node: Node) -> str:
    """What it is, with its title: `figure "Loss"`, `run "loss curve"`, `redo`."""
    word = {
        NodeKind.OUTPUT: node.form,
        NodeKind.REPORT: "",
        NodeKind.RUN: "run",
        NodeKind.SERVICE: "service run",
        NodeKind.VERSION: "",
        NodeKind.REQUEST: node.form,
        NodeKind.MORE: "",
    }[node.kind]
    return " ".join(filter(None, (word, f'"{node.title}"' if node.title else "")))


def moment(node: Node) -> str:
    """When it was, to the second, in UTC."""
    return rfc3339(node.at)[:19].replace("T", " ") if node.at else ""


def facts(node: Node) -> list[str]:
    """Everything else that is known of a node, a short line each."""
    lines = []
    if node.kind is NodeKind.RUN and node.code_digest:
        lines.append(f"code {node.code or 'that came with the request'} ({_short(node.code_digest)})")
    if node.kind is NodeKind.SERVICE:
        lines.append(
            f"code {_short(node.code_digest)}" + (f", data {_short(node.data_digest)}" if node.data_digest else "")
        )
    given = values(node.parameters_json)
    if given:
        lines.append(f"parameters {given}")
    if node.kind is NodeKind.REQUEST:
        asked = cut(node.ask_json)
        if asked not in {"", "{}"}:
            lines.append(f"asked {asked}")
    return lines


def by(node: Node) -> str:
    """Who asked; nobody where an order fired, which the title says already."""
    return f"by {node.user}" if node.user and not node.user.startswith(FIRED) else ""


def short_digest(node: Node) -> str:
    """The beginning of the digest of its content."""
    return _short(node.digest) if node.digest else ""


def read(edge: Edge) -> str:
    """What was read: the first files, and how many more; "" for an edge along which nothing is read."""
    if edge.kind is not EdgeKind.READ or MORE in {edge.src[: len(MORE)], edge.dst[: len(MORE)]}:
        return ""
    count = len(edge.files) + edge.more_files
    if not count:
        return "none of its files"
    named = ", ".join(f"{one.path} ({one.digest[:SHORT_DIGEST]})" for one in edge.files[:FILES_MAX])
    left = count - len(edge.files[:FILES_MAX])
    return named + (f" and {left:,} more" if left else "")


def values(parameters_json: str) -> str:
    """Parameters in the spelling they were given: `lr=0.10 epochs=30`."""
    if parameters_json in {"", "{}"}:
        return ""
    raws = msgspec.json.decode(parameters_json, type=dict[str, msgspec.Raw])
    return cut(" ".join(f"{key}={_plain(bytes(value).decode())}" for key, value in raws.items()))


def cut(text: str, chars: int = VALUES_CHARS_MAX) -> str:
    """The text on one line, and not longer than that."""
    line = " ".join(text.split())
    return line if len(line) <= chars else f"{line[: chars - 1]}…"


def _plain(text: str) -> Any:
    return json.loads(text) if text.startswith('"') else text


def _short(digest: bytes) -> str:
    return digest.hex()[:SHORT_DIGEST]
