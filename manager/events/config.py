"""The installation's config directory was read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConfigRead:
    """What it adds is kept, list and files, by digest.

    Attributes:
        digest: of the list; b"" for nothing.
        files: how many files hold.
        faults: those that are left out.
    """

    digest: bytes
    files: int = 0
    faults: tuple[str, ...] = ()
