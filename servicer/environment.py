"""What a program ran on: the interpreter that it used, its packages, this machine. Blocking; runs in threads.

An interpreter is asked once; again when it, or a folder that it imports from, has changed. What is no Python has its
path alone.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blake3 import blake3

ASK_S = 20.0
KNOWN_MAX = 100
"""Interpreters that are remembered."""
_PYTHON = re.compile(r"(python|pypy)[0-9.]*(\.exe)?", re.IGNORECASE)
_QUESTION = """
import json, platform, sys
from importlib.metadata import distributions
found = sorted({f"{one.metadata['Name']}=={one.version}" for one in distributions()})
print(json.dumps({"python": platform.python_version(), "implementation": platform.python_implementation(),
                  "packages": found, "path": [one for one in sys.path if one]}))
"""


class Environments:
    """Remembers what interpreters have answered."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {}

    def of(self, argv: list[str], env: Mapping[str, str], cwd: Path) -> dict[str, Any]:
        """The record of a program that is about to start so."""
        found = {"host": socket.gethostname(), "platform": platform.platform()}
        program = shutil.which(argv[0], path=env.get("PATH")) or str(cwd / argv[0])
        if not _PYTHON.fullmatch(Path(program).name):
            return {**found, "program": program}
        known = self._known.get(program)
        if known is None or known[0] != _stamp(program, known[1]["path"]):
            answer = _ask(program, env, cwd)
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            known = self._known[program] = _stamp(program, answer["path"]), answer
        answer = known[1]
        return {**found, "program": program, **{key: value for key, value in answer.items() if key != "path"}}


def _ask(program: str, env: Mapping[str, str], cwd: Path) -> dict[str, Any]:
    try:
        said = subprocess.run(
            [program, "-c", _QUESTION], capture_output=True, timeout=ASK_S, env=dict(env), cwd=cwd, check=True
        ).stdout
        answer = json.loads(said)
        packages = [str(one) for one in answer["packages"]]
        return {
            "python": str(answer["python"]),
            "implementation": str(answer["implementation"]),
            "packages": len(packages),
            "packages_digest": blake3("\n".join(packages).encode()).hexdigest(),
            "path": [str(one) for one in answer["path"]],
        }
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return {"path": []}  # it will fail by itself, and say why better than we could


def _stamp(program: str, folders: list[str]) -> tuple[int, ...]:
    stamps = []
    for place in (program, *folders):
        try:
            stamps.append(os.stat(place).st_mtime_ns)  # noqa: PTH116 -- a plain path, thousands of times
        except OSError:
            stamps.append(0)
    return tuple(stamps)
