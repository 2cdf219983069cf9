"""Where what a script makes is put: the frame among the arguments, else the last one; and how colours are written.

A shape, text or table that was made without a frame lies loosely in the last frame: it moves when it is then given to
another one, so that `plot(f, line(...))` draws it once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.context import Context, current
from plotter2.datter.figures.frame import Frame
from plotter2.datter.values.keys import shown, unknown
from plotter2.errors import UsageError

COLOURS = {
    "blue": "#0072B2", "orange": "#E69F00", "green": "#009E73", "red": "#D55E00", "purple": "#CC79A7", "sky": "#56B4E9",
    "brown": "#8C6D31", "grey": "#7F7F7F", "gray": "#7F7F7F", "black": "#1c2733", "white": "#ffffff",
}  # fmt: skip
_HEX, _SHORT = re.compile(r"#[0-9a-fA-F]{6}"), re.compile(r"#[0-9a-fA-F]{3}")


def checked(name: Any) -> str:
    """A colour as `#rrggbb`; it is written so, as `#rgb`, or by one of our names.

    Raises:
        UsageError: it is none of these.
    """
    if isinstance(name, str) and _SHORT.fullmatch(name):
        return "#" + "".join(2 * digit for digit in name[1:])
    if isinstance(name, str) and ("#" in name or "(" in name) and not _HEX.fullmatch(name):
        raise UsageError(f"There is no colour {name!r}; one that has no name is written #rrggbb, such as '#0072b2'.")
    if not isinstance(name, str) or (name.lower() not in COLOURS and not _HEX.fullmatch(name)):
        raise unknown("colour", name, COLOURS)
    return COLOURS.get(name.lower(), name)


def parted(what: Sequence[Any]) -> tuple[Frame | None, list[Any]]:
    """The frame among the arguments, and the rest.

    Raises:
        UsageError: there are two frames.
    """
    frames = [one for one in what if isinstance(one, Frame)]
    if len(frames) > 1:
        raise UsageError("One call draws into one frame; two were given.")
    return (frames[0] if frames else None), [one for one in what if not isinstance(one, Frame)]


def last(context: Context) -> Frame:
    """The frame that was made last and has not been sent; a new one when there is none."""
    waiting = [root for root in context.roots[-1:] if not root.is_sent]
    if not waiting:
        waiting = [root for root in context.roots if not root.is_sent][-1:] or [Frame()]
        if waiting[0] not in context.roots:
            context.roots.append(waiting[0])
    return list(waiting[-1].walk())[-1]


def placed(item: Any, target: Frame | None) -> Any:
    """Put something into a frame, without one loosely into the last; gives it back."""
    context = current()
    home = target or last(context)
    home.items.append(item)
    if target is None:
        context.loose[id(item)] = home
    return item


def texts_of(what: str, given: Any) -> list[str]:
    """Names that were given one after the other, as texts.

    Raises:
        UsageError: it is no list of them.
    """
    is_list = hasattr(given, "__len__") and not hasattr(given, "tocsr") and np.iterable(given)
    if isinstance(given, str | bytes | dict) or not is_list:
        raise UsageError(f"{what} are a list of texts, not {shown(given)}.")
    return [str(one) for one in given]


def taken(items: Sequence[Any]) -> list[Any]:
    """The items, out of the frames in which they lay loosely."""
    loose = current().loose
    for item in items:
        home = loose.pop(id(item), None)
        if home is not None and not home.root.is_sent:
            home.items[:] = [one for one in home.items if one is not item]
    return list(items)


def instead(old: Any, new: Any) -> Any:
    """Let one thing lie where another lay loosely; gives the new one."""
    loose = current().loose
    home = loose.pop(id(old), None)
    if home is not None and not home.root.is_sent:
        home.items[:] = [new if one is old else one for one in home.items]
        loose[id(new)] = home
    return new


def times_of(given: Any) -> NDArray[Any] | None:
    """Times as datetime64 of microseconds: an array of some, a list of them or of days, or one; else None."""
    if isinstance(given, np.ndarray) and given.dtype.kind != "O":
        return given if given.dtype.kind == "M" else None
    held = given.ravel().tolist() if isinstance(given, np.ndarray) else given
    held = list(held) if isinstance(held, list | tuple) else [held]
    if not held or not all(isinstance(one, date | np.datetime64) for one in held):
        return None
    return np.array([np.datetime64("NaT") if str(one) == "NaT" else one for one in held], "datetime64[us]")
