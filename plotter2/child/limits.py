"""What the kernel holds a child to: its parent's death is its own, and its private memory has an end."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1
_STATM_DATA = 5
_STATM_BYTES_MAX = 256
SLACK_BYTES = 1 << 20
"""The kernel is told of a new limit when it differs by more."""


def die_with_parent(parent: int) -> None:
    """Be killed when the parent dies (Linux; elsewhere the closed socket says it).

    Args:
        parent: its process id; when it is gone already, this process ends here.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def no_core_files() -> None:
    """A crash of user code leaves no core file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def all_files() -> None:
    """As many open files as the system allows: each mapped array of a group is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class MemoryLimit:
    """Private memory beyond what a fresh child has: whoever asks for more gets a MemoryError.

    Files mapped read-only do not count. Where the kernel does not offer it, the worker's own watch is all there is.
    """

    def __init__(self) -> None:
        self._baseline_bytes = _data_bytes()
        self._present_bytes = 0

    def hold(self, limit_bytes: int) -> None:
        """Allow so many bytes; 0 for no limit."""
        if limit_bytes != self._present_bytes:
            _, hard = resource.getrlimit(resource.RLIMIT_DATA)
            wanted = self._baseline_bytes + limit_bytes if limit_bytes and self._baseline_bytes else hard
            resource.setrlimit(resource.RLIMIT_DATA, (_least(wanted, hard), hard))
            self._present_bytes = limit_bytes

    def hold_beside(self, limit_bytes: int, others_bytes: int) -> None:
        """Allow so many bytes beside what instances that wait have taken; 0 for no limit."""
        if limit_bytes and abs(limit_bytes + others_bytes - self._present_bytes) > SLACK_BYTES:
            self.hold(limit_bytes + others_bytes)
        elif not limit_bytes:
            self.hold(0)

    @property
    def taken_bytes(self) -> int:
        """How much private memory there is now beyond what a fresh child has."""
        return max(0, _data_bytes() - self._baseline_bytes)

    def lift(self) -> None:
        """Give room to those who clean up."""
        self.hold(0)


def _least(wanted: int, hard: int) -> int:
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def _data_bytes() -> int:
    """Looked at whenever an instance goes on or waits, so without what opening a file by its path takes."""
    try:
        handle = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        fields = os.read(handle, _STATM_BYTES_MAX).split()
    finally:
        os.close(handle)
    return int(fields[_STATM_DATA]) * resource.getpagesize()
