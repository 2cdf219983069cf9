"""The C library's heap, told to keep what is freed: for processes through which a stream of large messages flows.

Without it every message of a MiB is a fresh mapping that the kernel must clear page by page, which takes longer than
moving the data itself. Where there is no such switch nothing happens.
"""

from __future__ import annotations

import ctypes
import sys

MAPPED_BYTES_MIN = 32 << 20
"""Only blocks from this size are mappings of their own (the most that glibc accepts)."""
KEPT_BYTES_MAX = 128 << 20
"""More than this at the end of the heap goes back to the system."""
_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3


def reuse() -> None:
    """Let this process reuse large freed blocks from now on."""
    if not sys.platform.startswith("linux"):
        return
    try:
        switch = ctypes.CDLL(None).mallopt
    except AttributeError:  # another C library
        return
    switch(_MMAP_THRESHOLD, MAPPED_BYTES_MIN)
    switch(_TRIM_THRESHOLD, KEPT_BYTES_MAX)
