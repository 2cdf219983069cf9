"""What deliveries, reports and results leave in the managed tree: folders under `meta/` and `shared/` of their bundle.

A report has `meta/reports/reportN` (requirement 026), a delivery one in `meta/history/` (requirements 005, 062):
`manifest.json` as its sender wrote it, `delivery.json` with what became of it, `output_data/` and `source_data/` with
what came (the code that made the data apart from the data), `tbd/`. It is spent: for people, and never consulted again.
A result that is given again instead of running the same has `shared/tasks/<run>/result.json` (requirement 022).
All of it follows from the delivery's row and the version's files, so it can be made again, and compared, at any time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from blake3 import blake3

from manager.organizer.cover import COVER_FILE, cover
from manager.store import Delivery
from plotter2.clock import rfc3339
from plotter2.errors import ManifestError
from plotter2.ids import RunId
from plotter2.model import manifest
from plotter2.model.bundle import CODE, MANIFEST_FILE, FileEntry
from plotter2.model.depends import depends
from plotter2.model.report import ABOUT_FILE, Report
from plotter2.model.task import TaskRun

PLACE = "meta/history"
OUTPUT_DATA = "output_data"
SOURCE_DATA = "source_data"
FOLDERS = (OUTPUT_DATA, SOURCE_DATA, "tbd")
RECORD_FILE = "delivery.json"
RESULTS = "shared/tasks"
RESULT_FILE = "result.json"


@dataclass(frozen=True, slots=True)
class Record:
    """The folder of one delivery.

    Attributes:
        bundle: whose history it lies in.
        folder: below source/.
        folders: those that are in it, also where they are empty.
        documents: the texts that are made for it, by digest.
        files: everything that is in it.
    """

    bundle: str
    folder: str
    documents: dict[bytes, bytes]
    files: tuple[FileEntry, ...]
    folders: tuple[str, ...] = FOLDERS


def name_of(delivery: Delivery) -> str:
    """Its folder's name: when it was installed, in UTC, and which delivery it was."""
    at = datetime.fromtimestamp(delivery.installed_at, UTC)
    return f"{at:%Y%m%dT%H%M%SZ}-{delivery.id}"


def record_of(delivery: Delivery, files: Sequence[FileEntry]) -> Record:
    """The record of a delivery.

    Args:
        delivery: its row.
        files: those of the version it made; of one that changed nothing only the paperwork is kept.
    """
    texts = {RECORD_FILE: _summary(delivery).encode()}
    if delivery.manifest_json:
        texts[MANIFEST_FILE] = delivery.manifest_json.encode()
    entries = [FileEntry(name, len(text), blake3(text).digest()) for name, text in texts.items()]
    if delivery.is_new:
        entries += [
            FileEntry(_place(one.path), one.size_bytes, one.digest, one.mode)
            for one in files
            if one.path != MANIFEST_FILE
        ]
    folder = f"{delivery.bundle}/{PLACE}/{name_of(delivery)}"
    return Record(delivery.bundle, folder, {blake3(text).digest(): text for text in texts.values()}, tuple(entries))


def record_of_report(report: Report) -> Record:
    """The folder of a numbered report, `meta/reports/reportN`: what it says of itself, its cover, its files."""
    texts = {ABOUT_FILE: report.about_json.encode(), COVER_FILE: cover(report)}
    own = [FileEntry(name, len(text), blake3(text).digest()) for name, text in texts.items()]
    contents = {blake3(text).digest(): text for text in texts.values()}
    return Record(report.bundle, report.folder, contents, (*own, *report.files), ())


def record_of_memo(run: TaskRun) -> Record:
    """The folder of a result that is given again, `shared/tasks/<run>`: what was run, and what it came to."""
    document = {
        "key": run.memo_key.hex(),
        "run": run.id,
        "request": run.request_id,
        "task": run.task_name,
        "bundle": run.bundle,
        "version": run.version,
        "ended": rfc3339(run.finished_at),
        "parameters": json.loads(run.parameters_json or "{}"),
        "results": json.loads(run.results_json or "null"),
        "outputs": [
            {"path": one.path, "kind": one.kind, "title": one.title, "digest": one.digest.hex()} for one in run.outputs
        ],
    }
    text = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
    about = FileEntry(RESULT_FILE, len(text), blake3(text).digest())
    return Record(run.bundle, f"{run.bundle}/{RESULTS}/{run.id}", {about.digest: text}, (about,), ())


def memo_in(folder: str) -> tuple[str, RunId] | None:
    """Bundle and run of the result that this folder below source/ would be; None for any other folder."""
    place, _, name = folder.rpartition("/")
    bundle = place.removesuffix(f"/{RESULTS}")
    return (bundle, RunId(name)) if bundle != place and "." in name else None


def _place(path: str) -> str:
    code, is_code, rest = path.partition("/")
    return f"{SOURCE_DATA}/{rest}" if is_code and code == CODE else f"{OUTPUT_DATA}/{path}"


def _summary(delivery: Delivery) -> str:
    document = {
        "delivery": delivery.id,
        "request": delivery.request_id,
        "bundle": delivery.bundle,
        "version": delivery.version,
        "new": delivery.is_new,
        "installed": rfc3339(delivery.installed_at),
        "depends": _depends(delivery.manifest_json),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _depends(manifest_json: str) -> list[str]:
    try:
        return [str(one) for one in depends(manifest.parse(manifest_json))]
    except ManifestError:  # a delivery from before manifests were kept
        return []
