"""A child's life: from the fork to the end, with the frame around user code put up in the right order."""

from __future__ import annotations

import os
import signal
from importlib import import_module
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, NoReturn

from plotter2.child import limits
from plotter2.child.capture import Recorder
from plotter2.child.frames import Ended, Forget, Fork, Program, Ready, Run, Told
from plotter2.child.interpreter import Execute, Interpreter
from plotter2.child.messenger import Messenger
from plotter2.child.scratch import Scratch

if TYPE_CHECKING:
    from plotter2.child.instances import Instances

LOG_MODE = 0o644


def live(connection: socket, order: Fork, parent: int, execute: Execute) -> NoReturn:
    """Be a child until the worker closes the connection.

    Args:
        connection: to the worker.
        order: where to work and to log.
        parent: the fork server.
        execute: the engine.
    """
    os.setpgid(0, 0)  # so that what a script starts can be ended with it
    limits.die_with_parent(parent)
    limits.no_core_files()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _to_log(Path(order.log_path))
    recorder = Recorder()
    scratch = Scratch(Path(order.runs_path), order.scratch_name, Path(order.common_path))
    messenger = Messenger(connection, recorder)
    messenger.start()
    interpreter = Interpreter(execute, recorder, scratch, limits.MemoryLimit())
    instances: Instances | None = None
    messenger.send(Ready(os.getpid()))
    while True:
        work = messenger.next()
        match work:
            case Program():
                interpreter.learn(work)
            case Forget():
                interpreter.forget(work.programs)
            case Told():
                if instances is not None:
                    instances.told(work)
            case _ if work.instance is not None:
                if instances is None:  # the module needs the whole engine, which a fork server may have or not
                    made = import_module("plotter2.child.instances").Instances
                    instances = made(interpreter, messenger, scratch.values, recorder)
                instances.begin(work, work.instance)
            case _:
                messenger.send(_alone(interpreter, instances, work))


def _alone(interpreter: Interpreter, instances: Instances | None, work: Run) -> Ended:
    """A run by itself; trees that have no instance here make room for it."""
    if instances is not None:
        instances.rest()
    return interpreter.run(work)


def _to_log(path: Path) -> None:
    """Descriptors 1 and 2 go to the child's log file, 0 to nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, LOG_MODE)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(log)
    os.close(nothing)
