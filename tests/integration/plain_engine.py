"""A fork server with a plain engine instead of datter: executes the source, nothing else. Started as a program."""

from __future__ import annotations

import faulthandler
import os
import socket
import sys
import traceback
from collections.abc import Callable
from types import CodeType

from plotter2.child import limits
from plotter2.child.server import ForkServer
from plotter2.datter.runs import Made, RunInput, RunResult
from plotter2.errors import ScriptError, TaskFailedError

compiled: dict[str, CodeType] = {}


def execute(run: RunInput, emit: Callable[[str], None], /) -> RunResult:
    """Run the source with a few names in its namespace; what it leaves in `result` is the result."""
    made: list[Made] = []
    names = {
        "__name__": "__main__",
        "parameters": run.parameters,
        "scope": run.scope,
        "output_dir": run.output_dir,
        "loggy": emit,
        "make": lambda path, kind, title: made.append(Made(path, kind, title)),
        "result": None,
    }
    try:
        if run.source not in compiled:
            compiled[run.source] = compile(run.source, run.filename, "exec")
        exec(compiled[run.source], names)  # noqa: S102 -- that is what an engine does
    except SyntaxError as wrong:
        raise ScriptError(f"{wrong.filename}:{wrong.lineno}: {wrong.msg}.") from wrong
    except Exception as wrong:
        raise TaskFailedError("".join(traceback.format_exception(wrong))) from wrong
    return RunResult("done", names["result"], made)


if __name__ == "__main__":
    limits.die_with_parent(os.getppid())
    faulthandler.enable()
    ForkServer(socket.socket(fileno=int(sys.argv[1])), execute).serve()
