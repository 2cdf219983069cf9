"""The fork server: one thread, everything imported, nothing running. Forks children, ends them, says how they ended.

It ends when the worker's end of its control socket is closed, and its children with it.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from plotter2.child import frames, process
from plotter2.child.frames import Exited, Fork, Forked, Kill, Warm
from plotter2.child.interpreter import Execute

DESCRIPTORS_MAX = 16


class ForkServer:
    """Parent of a worker's children."""

    def __init__(self, control: socket.socket, execute: Execute) -> None:
        self._control = control
        self._execute = execute
        self._reader = frames.to_server_reader()
        self._descriptors: list[int] = []
        self._pids: dict[int, int] = {}
        self._woken, self._waker = socket.socketpair()

    def serve(self) -> None:
        """Until the worker is gone."""
        self._listen_to_signals()
        # What is imported stays for ever: keep the collector from touching (and so copying) its pages in each child.
        gc.collect()
        gc.freeze()
        self._say(Warm(os.getpid(), _threads()))
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        while True:
            ready = {handle for handle, _ in poll.poll()}
            if self._woken.fileno() in ready:
                self._woken.recv(frames.READ_BYTES)
                self._reap()
            if self._control.fileno() in ready and not self._hear():
                break
        for child in list(self._pids):
            self._kill(child)

    def _listen_to_signals(self) -> None:
        self._waker.settimeout(0)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _hear(self) -> bool:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, frames.READ_BYTES, DESCRIPTORS_MAX)
        except ConnectionResetError:
            return False
        self._descriptors += descriptors
        for message in self._reader.feed(data):
            match message:
                case Fork():
                    self._fork(message)
                case Kill():
                    self._kill(message.child)
        return bool(data)

    def _fork(self, order: Fork) -> None:
        descriptor = self._descriptors.pop(0)
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._become_child(descriptor, order, parent)
        os.close(descriptor)
        self._pids[order.child] = pid
        self._say(Forked(order.child, pid))

    def _become_child(self, descriptor: int, order: Fork, parent: int) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for end in (self._control, self._woken, self._waker):
                end.close()
            for waiting in self._descriptors:
                os.close(waiting)
            process.live(socket.socket(fileno=descriptor), order, parent, self._execute)
        finally:
            os._exit(1)  # never back into the server's own loop

    def _kill(self, child: int) -> None:
        pid = self._pids.get(child)
        if pid is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)

    def _reap(self) -> None:
        for child, pid in list(self._pids.items()):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                del self._pids[child]
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)  # what it had started goes with it
                self._say(Exited(child, os.waitstatus_to_exitcode(status)))

    def _say(self, message: frames.FromServer) -> None:
        with suppress(OSError):  # the worker is gone: the next reading says so
            self._control.sendall(frames.pack(message))


def _threads() -> int:
    try:
        return len(list(Path("/proc/self/task").iterdir()))
    except OSError:
        return 1
