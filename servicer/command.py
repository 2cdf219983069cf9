"""How a parameter reaches a program: flags, positions, `key:value`, environment, files (pure).

Placeholders stand for the text of a value as the user spelled it: `0.10` stays `0.10`, a string is bare, booleans are
`true` and `false`. In a file, a string that is nothing but one placeholder becomes the value itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from plotter2.errors import PackageError, RefusedError, UsageError
from plotter2.model import document, package
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


def declared(service_json: str) -> Service:
    """The `service` section that a run is started by.

    Raises:
        PackageError: it is not one.
    """
    try:
        return msgspec.json.decode(service_json, type=Service)
    except (msgspec.DecodeError, UnicodeError) as wrong:
        raise PackageError(f"package.json: 'service': {wrong}.") from None


def check(service: Service, parameters_json: str) -> None:
    """Look for what no system could start, before anything is written.

    Raises:
        PackageError: the declaration cannot be carried out; says which part and what would be right.
        RefusedError: with these parameters it cannot.
        UsageError: the parameters are no JSON object.
    """
    for fault in package.service_faults(service):
        raise PackageError(f"package.json: {document.spell(fault.path)!r} {fault.reason}.")
    _check_filled(service, parameters_json)


def _check_filled(service: Service, parameters_json: str) -> None:
    try:
        is_object = isinstance(json.loads(parameters_json), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise UsageError('The parameters of a service run must be a JSON object, as {"lr": 0.1}.')
    values = {**texts(parameters_json), **dict.fromkeys(package.BUILT_IN_PLACES, "")}
    given = [("command", text) for text in service.command]
    given += [(f"env.{name}", text) for name, text in service.env.items()]
    for where, text in given:
        filled = package.fill(text, values)
        if "\0" in filled or not _is_text(filled):
            raise RefusedError(
                f"'service.{where}' puts the parameters into it, and one has a NUL byte or half a character, which "
                "no argument or variable can carry; leave it out, or hand it over in a file."
            )


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


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
