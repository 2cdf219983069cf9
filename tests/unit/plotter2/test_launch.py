"""Daemons are found, and are found by nobody else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from plotter2 import launch
from plotter2.errors import UsageError


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "plotter2.launch", *words], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_the_command_of_a_daemon_runs_this_interpreter() -> None:
    assert launch.command("worker", "--x") == [sys.executable, "-m", "plotter2.launch", "worker", "--x"]


def test_an_unknown_daemon_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'kettle' is not a daemon; there are manager, stager"):
        launch.command("kettle")
    assert "usage: python -m plotter2.launch" in run("kettle", cwd=tmp_path).stderr


def test_daemons_lie_beside_the_package_or_inside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "plotter2"
    package.mkdir()
    monkeypatch.setattr(launch, "__file__", str(package / "launch.py"))
    assert launch.folder() == tmp_path
    (package / "services" / "manager").mkdir(parents=True)
    assert launch.folder() == package / "services"


def test_it_runs_from_anywhere_and_takes_nothing_from_there(tmp_path: Path) -> None:
    (tmp_path / "watchdogs.py").write_text("raise SystemExit('the wrong one')")
    (tmp_path / "psutil.py").write_text("raise SystemExit('the wrong one')")
    done = run("watchdogs", "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "main,services,buffer" in done.stdout


@pytest.mark.req("r072")
def test_nothing_that_makes_daemons_importable_is_left_in_the_environment(tmp_path: Path) -> None:
    code = (
        "import runpy, sys, os; runpy.run_module = lambda *a, **k: print(sys.path[0], dict(os.environ) == before);"
        "sys.argv = ['launch', 'manager']; before = dict(os.environ);"
        "from plotter2 import launch; launch.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(launch.folder()), "True"]
