"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from plotter2 import errors
from plotter2.errors import Plotter2Error

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("plotter2", "manager", "stager", "servicer", "worker", "watchdogs")
LINES_MAX = 400
HEAVY = ("grpc", "bokeh", "pyarrow", "sklearn", "scipy", "asyncpg", "aiomqtt", "fastapi")


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return [path for path in found if "api/v1" not in path.as_posix()]


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    folders = (*PACKAGES, "tests", "tools", "bench", "examples")
    long = {
        str(path.relative_to(ROOT)): count
        for path in sources(*folders)
        if (count := len(path.read_text().splitlines())) > LINES_MAX
    }
    assert not long


def test_every_module_says_what_it_owns() -> None:
    silent = [str(path) for path in sources(*PACKAGES) if not ast.get_docstring(ast.parse(path.read_text()))]
    assert not silent


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|HACK|raise NotImplementedError)\b")
    found = [f"{path.relative_to(ROOT)}:{n}" for path in sources(*PACKAGES, "examples", "bench", "tools")
             for n, line in enumerate(path.read_text().splitlines(), 1) if words.search(line)]  # fmt: skip
    assert not found


def test_every_silenced_check_gives_its_reason() -> None:
    bare = re.compile(r"# (noqa: [A-Z0-9, ]+|type: ignore\[[a-z-]+(, ?[a-z-]+)*\])\s*$")
    found = [f"{path.relative_to(ROOT)}:{n}" for path in sources(*PACKAGES, "tests", "tools", "bench", "examples")
             for n, line in enumerate(path.read_text().splitlines(), 1) if bare.search(line)]  # fmt: skip
    assert not found


def test_no_drawer_for_everything() -> None:
    assert not [path for path in sources(*PACKAGES) if path.name in {"utils.py", "helpers.py", "misc.py", "common.py"}]


@pytest.mark.parametrize("module", ["plotter2", "plotter2.model.task", "plotter2.datter"])
def test_importing_the_front_door_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []


def test_every_error_has_a_code_of_its_own() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Plotter2Error)]
    assert {kind.code: kind for kind in kinds} == errors.BY_CODE
    assert len(kinds) == len(errors.BY_CODE)


@pytest.mark.req("r006")
def test_there_is_no_call_that_deletes() -> None:
    calls = [line.strip() for path in (ROOT / "proto").rglob("*.proto") for line in path.read_text().splitlines()
             if re.search(r"\brpc\s+\w*(Delete|Remove|Purge|Drop)", line)]  # fmt: skip
    assert not calls


def test_links_in_the_documents_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert not broken


def test_the_table_of_requirements_is_what_the_marks_say() -> None:
    done = subprocess.run(
        [sys.executable, "tools/requirements.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_constant_is_read_somewhere() -> None:
    source = "\n".join(path.read_text() for path in sources(*PACKAGES))
    named = re.compile(r"^([A-Z][A-Z0-9_]+)(?:: [^=\n]+)? = ", re.MULTILINE)
    words = Counter(re.findall(r"\w+", source))
    assert [name for name in named.findall(source) if words[name] == 1] == []
