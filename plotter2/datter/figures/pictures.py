"""Visual types of an installation's own: which one suits a value, and what it draws of it (requirement 137).

A visual type is a function of one value. It gives what is to be drawn: a frame, shapes, other values; or it draws into
frames and gives nothing. What it is drawn for is said by `visualtype(x, name)`, by the `visual` of a data key, or by
the type at its first parameter.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from plotter2.datter.context import Context
from plotter2.datter.figures.frame import Coloured, Frame, MotionOf, Page, Report, Shape, TableOf, TextAt
from plotter2.datter.figures.kinds import PANELS_MAX
from plotter2.datter.scripting import contracts
from plotter2.datter.values.group import DataGroup
from plotter2.datter.vocabulary import Word
from plotter2.model import types
from plotter2.model.types import Type

DRAWN_ALREADY = (Frame, Shape, TableOf, TextAt, Coloured, MotionOf, Page, Report, str)
"""Things that say themselves how they look."""
_type = lru_cache(maxsize=256)(types.parse)


def said_of(context: Context, item: Any) -> tuple[str, bool]:
    """The visual type that was said of a value, "" for none; and whether of a group each member is meant."""
    known = context.data.get(id(item))
    if known is None:
        return "", False
    return (known.visual, False) if known.visual else (known.item_visual, bool(known.item_visual))


def suiting(context: Context, item: Any) -> Word | None:
    """The installation's own visual type whose declared type a value has; the first by file and line."""
    if isinstance(item, DRAWN_ALREADY):
        return None
    words = (one for one in context.additions.visuals.values() if one.suits and one.name not in context.used_visuals)
    return next((one for one in words if not contracts.misfit(_expected(one), item)), None)


def _expected(word: Word) -> Type:
    return _type(word.suits)


def members(group: DataGroup) -> Iterator[tuple[str, Any]]:
    """Names and values of a group's members that are drawn, each by itself: at most 12, evenly chosen."""
    for place in np.unique(np.linspace(0, len(group) - 1, min(len(group), PANELS_MAX)).round().astype(int)).tolist():
        yield group.names[place], group[place]


def drawn_by(context: Context, word: Word, value: Any) -> Frame:
    """The frame that a visual type makes of a value; it is not sent.

    While it draws it is not chosen again, so it may have the value drawn in our way too.
    """
    before, context.roots = context.roots, []
    try:
        given = context.own_word(word)(value)
        made = [root for root in context.roots if not root.is_sent]
    finally:
        context.roots = before
    if isinstance(given, Frame):
        return given.root
    if given is None:
        if len(made) == 1:
            return made[0]
        whole = Frame()
        whole.children = made
        return whole
    return Frame(items=list(given) if isinstance(given, list | tuple) else [given])
