"""What the tests of datter share: a scope over files in a folder, and one run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plotter2.datter.run import RunInput, RunResult, Scope, execute
from plotter2.model import package
from plotter2.model.output import PAGES


def scope_of(folder: Path, bundle: str = "experiments/demo", declared: Any = None, **about: Any) -> Scope:
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return Scope(bundle, 3, files, package.parse(json.dumps(declared)) if declared else None, **about)


def written(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


class Bench:
    """Runs sources in one output folder and remembers what they logged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[str] = []

    def run(self, source: Any, scope: Scope | None = None, **parameters: Any) -> RunResult:
        is_pipeline = not isinstance(source, str)
        run = RunInput(
            run_id="req-1.0",
            task_name="a task",
            kind="pipeline" if is_pipeline else "script",
            source=json.dumps(source) if is_pipeline else source,
            filename="work.json" if is_pipeline else "work.py",
            parameters=parameters,
            seed=7,
            scope=scope or Scope(),
            output_dir=self.folder,
        )
        return execute(run, self.lines.append)

    def sidecar(self, result: RunResult, place: int = 0) -> Any:
        pages = [made for made in result.made if made.kind in PAGES]
        return json.loads((self.folder / f"{pages[place].path}.json").read_text())

    def page(self, result: RunResult, place: int = 0) -> str:
        pages = [made for made in result.made if made.kind in PAGES]
        return (self.folder / pages[place].path).read_text()
