"""What a program ran on."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

from servicer import environment
from servicer.environment import Environments

ENV = dict(os.environ)  # noqa: TID251 -- what a program would be given


@pytest.mark.req("r018")
def test_an_interpreter_says_its_version_and_packages(tmp_path: Path) -> None:
    found = Environments().of([sys.executable, "train.py"], ENV, tmp_path)
    assert (found["python"], found["implementation"]) == (platform.python_version(), platform.python_implementation())
    assert found["packages"] == len({(one.metadata["Name"], one.version) for one in distributions()})
    assert len(found["packages_digest"]) == 64
    assert found["platform"] == platform.platform()


def test_an_interpreter_is_asked_once_and_again_when_a_package_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    site = tmp_path / "site"
    site.mkdir()

    def ask(program: str, _env: object, _cwd: Path) -> dict[str, object]:
        asked.append(program)
        return {"python": "3", "path": [str(site)]}

    monkeypatch.setattr(environment, "_ask", ask)
    known = Environments()
    for _ in range(3):
        assert known.of([sys.executable], ENV, tmp_path)["python"] == "3"
    assert len(asked) == 1
    os.utime(site, (1, 1))
    known.of([sys.executable], ENV, tmp_path)
    assert len(asked) == 2


@pytest.mark.parametrize("program", ["true", "no-such-program", "./run.sh"])
def test_what_is_no_python_has_its_path_alone(tmp_path: Path, program: str) -> None:
    found = Environments().of([program], ENV, tmp_path)
    assert set(found) == {"host", "platform", "program"}
    assert Path(found["program"]).name == Path(program).name


def test_an_interpreter_that_cannot_answer_stops_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "python3"
    broken.write_text("#!/bin/sh\necho no\n")
    broken.chmod(0o755)
    assert set(Environments().of([str(broken)], ENV, tmp_path)) == {"host", "platform", "program"}
