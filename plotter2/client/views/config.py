"""What an installation adds: templates, words and visual types of its own."""

from __future__ import annotations

from dataclasses import dataclass

from plotter2.model.additions import Entry


@dataclass(frozen=True, slots=True)
class Config:
    """What holds.

    Attributes:
        digest: of all files that hold; "" for none. Sidecars and runs name it.
        faults: files that are left out, with the reason.
    """

    digest: str
    folder: str
    entries: tuple[Entry, ...] = ()
    faults: tuple[tuple[str, str], ...] = ()
