"""datter: the analysis engine (requirement 100). A library without network code.

Values and groups, mathematics, frames, figures, scripts, pipelines. `run.execute` is the door for workers,
`check.check_source` the one for whoever takes sources in. Importing this loads neither Bokeh nor scikit-learn nor
Arrow.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PLACES = {
    "DataGroup": "values.group", "Made": "runs", "RunInput": "runs", "RunResult": "runs", "Scope": "scope",
    "Table": "values.table",
    "check_source": "check", "execute": "run",
}  # fmt: skip

__all__ = ["DataGroup", "Made", "RunInput", "RunResult", "Scope", "Table", "check_source", "execute"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"plotter2.datter has no {name!r}")
    return getattr(import_module(f"plotter2.datter.{_PLACES[name]}"), name)
