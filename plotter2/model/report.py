"""Reports: numbered states of what was found about a bundle (requirement 026; pure).

A report is never changed: a run that reports again, on what is there by then, makes the next one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from plotter2.clock import Instant, rfc3339
from plotter2.ids import RunId
from plotter2.model.bundle import FileEntry
from plotter2.model.task import TaskRun

KIND = "report"
PLACE = "meta/reports"
ABOUT_FILE = "report.json"
DIGITS_MAX = 9
"""Of a number; no bundle comes to so many reports."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report of a bundle.

    Attributes:
        number: 1 for the bundle's first; never used again.
        about_json: the text of its `report.json`: which inputs, by digest, which parameters, which files.
        files: its pages with their sidecars, by their paths below `output/`.
    """

    bundle: str
    number: int
    run_id: RunId
    made_at: Instant
    about_json: str
    files: tuple[FileEntry, ...]

    @property
    def folder(self) -> str:
        """Where people find it, below `source/`."""
        return f"{self.bundle}/{PLACE}/{KIND}{self.number}"


@dataclass(frozen=True, slots=True)
class Kept:
    """What of a run goes into its report, with its content in the blob store.

    Attributes:
        inputs_json: what was read: a list of bundle, version, path and digest.
    """

    files: tuple[FileEntry, ...]
    inputs_json: str = "[]"


def is_reporting(run: TaskRun) -> bool:
    """Whether a run on a bundle made a report."""
    return bool(run.bundle) and any(one.kind == KIND for one in run.outputs)


def numbered(run: TaskRun, kept: Kept, number: int, now: Instant) -> Report:
    """The report that a run made, as the number-th of its bundle."""
    about = {
        "report": number,
        "bundle": run.bundle,
        "version": run.version,
        "task": run.task_name,
        "run": run.id,
        "request": run.request_id,
        "made": rfc3339(now),
        "parameters": json.loads(run.parameters_json or "{}"),
        "inputs": json.loads(kept.inputs_json),
        "files": [
            {"path": one.path, "kind": one.kind, "title": one.title, "digest": one.digest.hex()} for one in run.outputs
        ],
    }
    text = json.dumps(about, indent=2, ensure_ascii=False) + "\n"
    return Report(run.bundle, number, run.id, now, text, kept.files)


def parsed(folder: str) -> tuple[str, int] | None:
    """Bundle and number of the report that this folder below `source/` would be; None for any other folder."""
    place, _, name = folder.rpartition("/")
    bundle, digits = place.removesuffix(f"/{PLACE}"), name.removeprefix(KIND)
    is_number = digits.isascii() and digits.isdigit() and not digits.startswith("0") and len(digits) <= DIGITS_MAX
    return (bundle, int(digits)) if bundle != place and digits != name and is_number else None
