"""Arguments held against the simple types that a built-in declares for them, in scripts and in pipelines (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from numbers import Integral, Real
from typing import Any

import numpy as np

from plotter2.datter.values.keys import nearest, shown
from plotter2.errors import UsageError

PLAIN: dict[str, tuple[type, ...]] = {
    "int": (Integral,), "float": (Real,), "str": (str,), "bool": (bool, np.bool_), "None": (type(None),),
}  # fmt: skip
CALLED = {"int": "a whole number", "float": "a number", "str": "a text", "bool": "true or false", "None": "null"}
CHOICES = {"Over": ("items", "values")}
"""Words that an annotation of this name allows."""


def check(argument: str, annotation: str, value: Any) -> None:
    """Refuse a value that an argument cannot take; annotations that are not simple allow everything.

    Raises:
        UsageError: it is of another type, or none of the words that can be said.
    """
    names = _simple(annotation)
    words = [word for name in names for word in CHOICES.get(name, ())]
    if not names or any(_is(value, name) for name in names) or (isinstance(value, str) and value in words):
        return
    if words and isinstance(value, str):
        raise UsageError(f"{argument!r} cannot be {value!r}; {nearest(value, words)}.")
    wanted = [CALLED[name] for name in names if name in CALLED and name != "None"] or [" or ".join(map(repr, words))]
    raise UsageError(f"{argument!r} is {' or '.join(wanted)}, not {shown(value)}.")


def checks(call: Callable[..., Any]) -> Mapping[str, str]:
    """The arguments of a built-in that can be held against something, and what they are annotated with, in order."""
    by_name = {Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD}
    parameters = signature(call).parameters.values()
    return {one.name: str(one.annotation) if one.kind in by_name else "" for one in parameters}


def placed(call: Callable[..., Any]) -> list[str]:
    """The arguments of a built-in that are told by their place: none behind those of which there are any number."""
    by_place = {Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD}
    return [one.name for one in signature(call).parameters.values() if one.kind in by_place]


def _simple(annotation: str) -> list[str]:
    names = [part.strip() for part in annotation.split("|")]
    return names if set(names) <= PLAIN.keys() | CHOICES.keys() else []


def _is(value: Any, name: str) -> bool:
    is_flag = isinstance(value, bool | np.bool_)
    return name in PLAIN and isinstance(value, PLAIN[name]) and (name == "bool" or not is_flag)
