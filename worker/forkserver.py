"""The worker's handle on its fork server: starts the process, passes sockets to it, hears of ends.

One instance is one process; a new one is made when it is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from plotter2 import config, telemetry
from plotter2.child import frames
from plotter2.child.frames import Exited, Fork, Forked, FromServer, Kill, Warm

STOP_WAIT_S = 2.0
SETTINGS_PREFIX = "PLOTTER2_"
PYTHON_PREFIX = "PYTHON"
GRPC_PREFIX = "GRPC_"
COMMAND = (sys.executable, "-P", "-s", "-m", "plotter2.child")
"""Isolated from the directory and the user's own packages. Not by -I: that would ignore the seed of hashes too."""

_log = telemetry.logger("forkserver")


class ForkServer:
    """A running fork server."""

    def __init__(self, control: socket.socket, hear: Callable[[Forked | Exited], None]) -> None:
        self._control = control
        self._hear = hear
        self._reader = frames.from_server_reader()
        self.warm = asyncio.Event()

    def fork(self, order: Fork, child_end: socket.socket) -> None:
        """Have a child made; its end of the pair may be closed after this.

        Raises:
            OSError: the server is gone.
        """
        socket.send_fds(self._control, [frames.pack(order)], [child_end.fileno()])

    def kill(self, child: int) -> None:
        """End a child and what it has started."""
        with contextlib.suppress(OSError):  # the server is gone, and its children with it
            self._control.send(frames.pack(Kill(child)))

    async def listen(self) -> None:
        """Until the server is gone."""
        loop = asyncio.get_running_loop()
        while data := await self._read(loop):
            for message in self._reader.feed(data):
                self._take(message)

    async def _read(self, loop: asyncio.AbstractEventLoop) -> bytes:
        try:
            return await loop.sock_recv(self._control, frames.READ_BYTES)
        except ConnectionError:
            return b""

    def _take(self, message: FromServer) -> None:
        match message:
            case Warm():
                _log.info("warm", pid=message.pid, threads=message.threads)
                self.warm.set()
            case Forked() | Exited():
                self._hear(message)


@asynccontextmanager
async def start(
    hear: Callable[[Forked | Exited], None], threads: int, temp: Path, command: Sequence[str] = COMMAND
) -> AsyncIterator[ForkServer]:
    """A fork server for the length of a block; it and all its children are gone afterwards.

    `temp` takes what they write for the moment, as data that is larger than memory.
    """
    ours, theirs = socket.socketpair()
    with ours:
        ours.settimeout(0)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *command,
                str(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                env=_environment(threads, temp),
                start_new_session=True,  # Ctrl-C on the terminal is for the worker, which drains
            )
        try:
            yield ForkServer(ours, hear)
        finally:
            ours.close()
            try:
                await asyncio.wait_for(process.wait(), STOP_WAIT_S)
            except TimeoutError:
                process.kill()
                await process.wait()


def _environment(threads: int, temp: Path) -> dict[str, str]:
    """What user code may see of ours: everything but settings, plotter2's, gRPC's and those of the interpreter.

    Hashes of text have one seed everywhere, so that sets have one order in every child of every worker.
    """
    hidden = (SETTINGS_PREFIX, PYTHON_PREFIX, GRPC_PREFIX)
    kept = {name: value for name, value in config.environment().items() if not name.startswith(hidden)}
    # Read by C libraries when they are loaded: a pool of threads that is made before a fork is a dead one after it.
    pools = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    return {
        **kept,
        **pools,
        "TMPDIR": str(temp),
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
        "PYTHONHASHSEED": "0",
    }
