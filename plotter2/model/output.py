"""Where the outputs of runs lie below `output/` (pure)."""

from __future__ import annotations

from plotter2.clock import rfc3339
from plotter2.model.task import TaskRun

NOWHERE = "no-bundle"
"""Stands for the bundle of a run that has none."""
PAGES = frozenset({"figure", "animation", "report"})
"""The kinds of outputs that are pages, with a picture beside them."""
COMPANIONS = (".json", ".scene.json", ".svg", ".png", ".gif", ".mp4", ".pdf")
"""What may lie beside a page, named like it and one of these: its story, its picture, its films, itself on paper."""
EXPORT = "export"
"""The kind of what goes into a bundle when its run has ended; its title is that bundle."""
EXPORTS = "exports"
EXPORTED = "files"
"""What a run exports lies in its folder below `exports/<bundle>/files/`, by the name that it has in the bundle."""
SLUG_CHARS_MAX = 80
_LEVELS_BELOW_BUNDLE = 2


def slug(name: str) -> str:
    """A name that is good for a folder."""
    kept = "".join(char if char.isalnum() or char in "-_" else "-" for char in name.lower())
    return "-".join(part for part in kept.split("-") if part)[:SLUG_CHARS_MAX] or "task"


def folder(run: TaskRun) -> str:
    """The folder of a run: derived from the run alone, so a repeat means the same place."""
    stamp = rfc3339(run.created_at)[:19].replace(":", "").replace("T", "-")
    number = run.id.rpartition(".")[2]
    return f"{run.bundle or NOWHERE}/{slug(run.task_name)}/{stamp}-{run.request_id[-6:]}-{number}"


def way_up(bundle: str) -> str:
    """From the folder of a run on this bundle up to `output/`, as pages write it: `../../../`."""
    return "../" * (len((bundle or NOWHERE).split("/")) + _LEVELS_BELOW_BUNDLE)
