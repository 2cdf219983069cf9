"""The list of all files that a run left, for a manager that does not see the worker's files (pure).

The worker puts each file's content into the store by its digest, then the list itself; its report names the list. So a
report is small however many files there are, and nothing is sent twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec

from plotter2.errors import AlteredError
from plotter2.model import paths
from plotter2.model.bundle import DIGEST_BYTES

FILES_MAX = 50_000
LIST_BYTES_MAX = 32 << 20


class Packed(msgspec.Struct, frozen=True, array_like=True):
    """A file that a run left: its path below the run's directory, its size, its digest.

    Attributes:
        is_shared: it is what all pages share, under this name; laid once for all of them.
    """

    path: str
    size_bytes: Annotated[int, msgspec.Meta(ge=0)]
    digest: Annotated[bytes, msgspec.Meta(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES)]
    is_shared: bool = False


def written(files: Iterable[Packed]) -> bytes:
    """The list as it is sent."""
    return msgspec.json.encode(list(files))


def read(text: bytes) -> Sequence[Packed]:
    """The files of a list.

    Raises:
        AlteredError: it is no such list, names more files than one may, or one twice.
        PathRefusedError: a path that may not be.
    """
    try:
        found = msgspec.json.decode(text, type=list[Packed])
    except (msgspec.DecodeError, RecursionError):
        raise AlteredError("What should list the files of a run is no such list.") from None
    if len(found) > FILES_MAX or len({(paths.file_path(one.path), one.is_shared) for one in found}) < len(found):
        raise AlteredError(f"The list of a run's files names one twice, or more than {FILES_MAX:,}.")
    return found
