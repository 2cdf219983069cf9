"""plotter2: the always-on server between data and experiments. This is its door for Python programs.

::

    import plotter2

    with plotter2.connect() as p2:
        p2.push("results/", "experiments/first")
        p2.redo("experiments/first", lr=[0.1, 0.2])

`plotter2.aio.connect` is the same for asyncio. Everything here is loaded when it is first used: a plain import loads
neither gRPC nor Bokeh. Owns: the list of public names.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plotter2 import aio as aio
    from plotter2.client.blocking import Client as Client
    from plotter2.client.blocking import connect as connect
    from plotter2.client.views import Bundle as Bundle
    from plotter2.client.views import Request as Request
    from plotter2.client.views import Run as Run
    from plotter2.errors import AlteredError as AlteredError
    from plotter2.errors import ConfigError as ConfigError
    from plotter2.errors import ConflictError as ConflictError
    from plotter2.errors import CorruptionError as CorruptionError
    from plotter2.errors import FailedError as FailedError
    from plotter2.errors import IllegalStepError as IllegalStepError
    from plotter2.errors import LimitError as LimitError
    from plotter2.errors import ManifestError as ManifestError
    from plotter2.errors import NotFoundError as NotFoundError
    from plotter2.errors import PackageError as PackageError
    from plotter2.errors import PathRefusedError as PathRefusedError
    from plotter2.errors import Plotter2Error as Plotter2Error
    from plotter2.errors import RefusedError as RefusedError
    from plotter2.errors import ScriptError as ScriptError
    from plotter2.errors import TaskFailedError as TaskFailedError
    from plotter2.errors import UnreachableError as UnreachableError
    from plotter2.errors import UsageError as UsageError

_ERRORS = (
    "AlteredError",
    "ConfigError",
    "ConflictError",
    "CorruptionError",
    "FailedError",
    "IllegalStepError",
    "LimitError",
    "ManifestError",
    "NotFoundError",
    "PackageError",
    "PathRefusedError",
    "Plotter2Error",
    "RefusedError",
    "ScriptError",
    "TaskFailedError",
    "UnreachableError",
    "UsageError",
)
_HOMES = {
    "connect": "plotter2.client.blocking",
    "Client": "plotter2.client.blocking",
    "Bundle": "plotter2.client.views",
    "Request": "plotter2.client.views",
    "Run": "plotter2.client.views",
    **dict.fromkeys(_ERRORS, "plotter2.errors"),
}

__all__ = [*_HOMES, "aio"]  # noqa: PLE0604 -- the names are data, so that one list serves __getattr__ too


def __getattr__(name: str) -> Any:
    if name == "aio":
        return import_module("plotter2.aio")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'plotter2' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
