"""How a parameter reaches a program: flags, positions, `key:value`, environment, files (pure).

Placeholders stand for the text of a value as the user spelled it: `0.10` stays `0.10`, a string is bare, booleans are
`true` and `false`. In a file, a string that is nothing but one placeholder becomes the value itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from plotter2.model import package
from plotter2.model.package import Service

OUTPUT = "PLOTTER2_OUTPUT"
"""The variable that says where output goes; every process of a run has it."""


class _Spelled(str):
    """A number as it was written."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Places:
    """What the built-in placeholders stand for; absolute paths."""

    python: str
    output: str
    bundle: str
    work: str


@dataclass(frozen=True, slots=True)
class Start:
    """A program ready to be started."""

    argv: list[str]
    env: dict[str, str]
    files: dict[str, str]


def texts(parameters_json: str) -> dict[str, str]:
    """Each parameter as text, numbers as they were spelled."""
    return {name: _text(value) for name, value in _read(parameters_json).items()}


def _read(parameters_json: str) -> dict[str, Any]:
    return dict(json.loads(parameters_json, parse_float=_Spelled, parse_int=_Spelled))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    return "" if value is None else _json(value, indent=0)


def _json(value: Any, indent: int) -> str:
    """JSON with every number as it was spelled."""
    return msgspec.json.format(msgspec.json.encode(_raw(value)), indent=indent).decode()


def _raw(value: Any) -> Any:
    if isinstance(value, _Spelled):
        return msgspec.Raw(value.encode())
    if isinstance(value, list):
        return [_raw(one) for one in value]
    if isinstance(value, dict):
        return {key: _raw(one) for key, one in value.items()}
    return value


def build(service: Service, parameters_json: str, places: Places, inherited: dict[str, str]) -> Start:
    """Put parameters and places into command, environment and files."""
    values = {
        **texts(parameters_json),
        "python": service.python or places.python,
        "output": places.output,
        "bundle": places.bundle,
        "work": places.work,
    }
    typed = {**_read(parameters_json), **{name: values[name] for name in package.BUILT_IN_PLACES}}
    argv = [package.fill(word, values) for word in service.command]
    env = {
        **inherited,
        "PYTHONUNBUFFERED": "1",
        OUTPUT: places.output,
        "PLOTTER2_BUNDLE": places.bundle,
        **{name: package.fill(text, values) for name, text in service.env.items()},
    }
    return Start(argv, env, {name: _content(body, values, typed) for name, body in service.files.items()})


def _content(body: Any, values: dict[str, str], typed: dict[str, Any]) -> str:
    if isinstance(body, str):
        return package.fill(body, values)
    return _json(_filled(body, values, typed), indent=2) + "\n"


def _filled(body: Any, values: dict[str, str], typed: dict[str, Any]) -> Any:
    if isinstance(body, str):
        names = package.places(body)
        if len(names) == 1 and body == f"{{{names[0]}}}" and names[0] in typed:
            return typed[names[0]]
        return package.fill(body, values)
    if isinstance(body, list):
        return [_filled(one, values, typed) for one in body]
    if isinstance(body, dict):
        return {key: _filled(one, values, typed) for key, one in body.items()}
    return body
