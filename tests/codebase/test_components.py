"""The components of the manager, and datter, each stand alone: to load one loads none of the others."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNTIME, ORCHESTRATOR, DATTER, DEVICES, ORGANIZER = (
    "manager.loop", "manager.machine", "plotter2.datter.run", "manager.devices", "manager.organizer",
)  # fmt: skip
PACKAGES = ("plotter2", "manager", "stager", "servicer", "worker", "watchdogs")
EDGES = {"manager.rpc", "manager.http", "grpc"}
OTHERS = {
    RUNTIME: {DATTER, DEVICES, ORGANIZER, *EDGES},
    ORCHESTRATOR: {RUNTIME, DATTER, DEVICES, ORGANIZER, "asyncio", *EDGES},
    DATTER: {RUNTIME, ORCHESTRATOR, DEVICES, ORGANIZER, "asyncio", *EDGES},
    DEVICES: {DATTER, ORGANIZER, *EDGES},
    ORGANIZER: {RUNTIME, ORCHESTRATOR, DATTER, DEVICES, *EDGES},
}
CODE = {".py", ".pyi", ".sql", ".html", ".js", ".css", ".json"}
"""What programs are made of here: Python; what the database and browsers read."""


@pytest.mark.req("r091")
@pytest.mark.parametrize("component", OTHERS)
def test_a_component_stands_alone(component: str) -> None:
    code = f"import sys, {component}; print(*[one for one in {sorted(OTHERS[component])} if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def _said(path: Path) -> set[str]:
    """Modules that a file imports, and Python's words for running text that it calls."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"exec", "eval"}:
            found.add(node.func.id)
        elif isinstance(node, ast.Attribute) and node.attr == "exec_module":
            found.add(node.attr)
    return found


@pytest.mark.req("r100")
def test_whatever_is_computed_drawn_or_run_goes_through_datter() -> None:
    """A child imports the modules beside a script; the rest is datter's alone."""
    engines = {"numpy", "scipy", "sklearn", "pyarrow", "bokeh", "PIL", "exec", "eval", "exec_module"}
    found = {
        path.relative_to(ROOT).as_posix(): sorted(used)
        for one in PACKAGES
        for path in (ROOT / one).rglob("*.py")
        if (used := _said(path) & engines)
    }
    others = {name: used for name, used in found.items() if not name.startswith("plotter2/datter/")}
    assert others == {"plotter2/child/modules.py": ["exec_module"]}
    assert [name for name, used in found.items() if {"exec", "eval"} & set(used)] == ["plotter2/datter/run.py"]
    engine = (ROOT / "plotter2/child/__main__.py").read_text()
    assert 'engine = importlib.import_module("plotter2.datter.run")' in engine
    assert "engine.execute).serve()" in engine


@pytest.mark.req("r081")
def test_everything_is_python() -> None:
    found = {path for one in PACKAGES for path in (ROOT / one).rglob("*") if path.is_file()}
    foreign = {path.name for path in found if path.suffix not in CODE and "__pycache__" not in path.parts}
    assert foreign <= {"py.typed", "grammar.lark"}, foreign
