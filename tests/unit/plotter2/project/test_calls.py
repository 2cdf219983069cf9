"""What tasks call by name, held against what the package has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plotter2.project import understand

SCRIPT = """
def task(x, name):
    f = operation("{}")
    through(x, name="smooth")
    through(x, name)
    return f(x), through(x, "smooth"), operation(name)(x)
"""


def remarks(folder: Path, script: str, steps: list[Any]) -> list[str]:
    (folder / "code_sources").mkdir()
    (folder / "code_sources" / "m.py").write_text("def forward(x):\n    return x\n")
    (folder / "task.py").write_text(SCRIPT.format(script))
    (folder / "pipe.json").write_text(json.dumps(steps))
    package = {
        "heads": {name: {"function": "forward"} for name in ("forward", "smooth")},
        "tasks": [{"name": "t", "task_src": "task.py"}, {"name": "p", "task_src": "pipe.json"},
                  {"name": "i", "pipeline": ["access", {"through": {"name": "smooth"}}]}],
    }  # fmt: skip
    (folder / "package.json").write_text(json.dumps(package))
    return list(understand(folder).remarks)


@pytest.mark.req("r040")
def test_a_call_of_what_is_there_is_no_remark(tmp_path: Path) -> None:
    assert remarks(tmp_path, "forward", ["access", {"through": "smooth"}]) == []


@pytest.mark.req("r040")
def test_a_call_of_what_is_not_there_is_remarked_with_its_place(tmp_path: Path) -> None:
    said = "is called, and is no head or link of this package"
    assert remarks(tmp_path, "forwrd", ["access", ["through", "zzz"]]) == [
        f"task.py, line 3: 'forwrd' {said}; did you mean 'forward'?",
        f"pipe.json, step 2 (through): 'zzz' {said}; it must be inherited then.",
    ]
