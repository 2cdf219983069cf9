"""Arguments of pipeline steps, held against what a built-in takes before anything runs: names, types and values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, Signature, signature
from typing import Any

from plotter2.datter.figures.automatic import VISUALS
from plotter2.datter.mathematics import cluster, fitting
from plotter2.datter.mathematics.expression import expr
from plotter2.datter.scripting import typed
from plotter2.datter.values.keys import nearest
from plotter2.datter.vocabulary import NONE, Additions
from plotter2.errors import UsageError

AXIS_SCALES = ("linear", "log")


def check(
    call: Callable[..., Any], name: str, before: int, args: Sequence[Any], given: Mapping[str, Any],
    own: Additions = NONE,
) -> None:  # fmt: skip
    """Look at the arguments of one step.

    Args:
        call: the built-in.
        name: what it is called.
        before: how many arguments it gets from the pipeline, in front of these.
        args: by position.
        given: by name.
        own: what the installation adds.

    Raises:
        UsageError: an unknown name, with the nearest; too many, too few; or a value that it cannot take.
    """
    shape = signature(call)
    from_pipeline = list(shape.parameters)[:before]
    _check_names(shape, from_pipeline, given)
    try:
        bound = shape.bind(*[None] * before, *args, **given)
    except TypeError as wrong:
        raise UsageError(f"{wrong}") from None
    annotations = typed.checks(call)
    for argument, value in bound.arguments.items():
        if argument not in from_pipeline:
            typed.check(argument, annotations[argument], value)
            rule = _RULES.get((name, argument))
            if rule is not None and value is not None:
                rule(argument, value)
            known = _OWN[name, argument](own) if (name, argument) in _OWN and value else ()
            if known and value not in known:
                raise UsageError(f"{argument!r} cannot be {value!r}; {nearest(str(value), known)}")


def _check_names(shape: Signature, from_pipeline: Sequence[str], given: Mapping[str, Any]) -> None:
    by_name = {Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD}
    parameters = shape.parameters.values()
    known = [one.name for one in parameters if one.kind in by_name and one.name not in from_pipeline]
    unknown = next((one for one in given if one not in known), None)
    if unknown is not None and all(one.kind is not Parameter.VAR_KEYWORD for one in parameters):
        raise UsageError(f"there is no argument {unknown!r}; {nearest(unknown, known)}")


def _one_of(*known: str) -> Callable[[str, Any], None]:
    def rule(argument: str, value: Any) -> None:
        if value not in known:
            raise UsageError(f"{argument!r} cannot be {value!r}; {nearest(str(value), known)}")

    return rule


def _from_one(argument: str, value: Any) -> None:
    if value < 1:
        raise UsageError(f"{argument!r} is at least 1, not {value!r}")


def _model(_: str, value: Any) -> None:
    if isinstance(value, str) and "=" in value:
        expr(value)
    elif value != fitting.EXPONENTIAL:
        fitting.degree_of(value)


def _formula(_: str, value: Any) -> None:
    expr(value)


def _model_or_values(argument: str, value: Any) -> None:
    if isinstance(value, str):
        _model(argument, value)


_RULES: dict[tuple[str, str], Callable[[str, Any], None]] = {
    ("fit", "model"): _model,
    ("fit", "other"): _model_or_values,
    ("expr", "text"): _formula,
    ("pca", "k"): _from_one,
    ("kmean", "k"): _from_one,
    ("kmean", "starts"): _from_one,
    ("boxer", "bins"): _from_one,
    ("histogram", "bins"): _from_one,
    ("scale", "how"): _one_of(*cluster.SCALES),
    ("axis", "xscale"): _one_of(*AXIS_SCALES),
    ("axis", "yscale"): _one_of(*AXIS_SCALES),
}
_OWN: dict[tuple[str, str], Callable[[Additions], list[str]]] = {
    ("visualtype", "kind"): lambda own: [*VISUALS, *own.visuals],
    ("frame", "template"): lambda own: list(own.templates) or ["default"],
    ("report", "template"): lambda own: list(own.templates) or ["default"],
}
