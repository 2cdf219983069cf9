"""A run's output becomes a directory that is pushed as the child bundle. Blocking; nothing is copied, only linked.

What goes in: files that match the declared `outputs` (relative to where the program started), or, without any, every
file there that is new or changed; everything in `{output}`, at the same place, which wins over a file of the same name;
what the program printed; `parameters.json`; `run.json`; and `metrics.csv` at the top, when metrics are declared. A file
of the program's own wins over one of ours.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from plotter2.clock import rfc3339
from plotter2.errors import FailedError, LimitError
from plotter2.files import digest, link_or_copy
from plotter2.model.bundle import PACKAGE_FILE
from plotter2.model.delivery import FILES_MAX
from plotter2.model.package import IN_OUTPUT, Service
from plotter2.model.service import ServiceSpec, ServiceStatus
from servicer import metrics, patterns
from servicer.folder import Folder

METRICS_FILE = "metrics.csv"
RECORD_FILE = "run.json"
PARAMETERS_FILE = "parameters.json"
OWN = ("__pycache__",)
PRINTED = ("stdout.txt", "stderr.txt")
OWN_FILES_MAX = 6
"""Files of ours in a child: what it printed, parameters, record, metrics, and their declaration."""


def stage(folder: Folder, spec: ServiceSpec, status: ServiceStatus, service: Service, order: Mapping[str, Any]) -> Path:
    """Put the child together; returns its directory. `order` is how its shim was told to start it.

    Raises:
        FailedError: the program left what cannot be taken in.
        PackageError: a pattern that leads out.
        LimitError: it left more than it may.
    """
    patterns.check(service)
    child = folder.child
    shutil.rmtree(child, ignore_errors=True)
    child.mkdir()
    cwd = start_folder(folder, service)
    made = {name: path for path, name in [*_outputs(folder, spec, service, cwd), *_under(folder.output)]}
    _check_size(made, service)
    for name, path in made.items():
        (child / name).parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(path, child / name)
    for name in PRINTED:
        if _is_plain(folder.log / name):
            _add(child / "log" / name, folder.log / name)
    _add_metrics(folder, service, cwd, made)
    _describe(child, spec, status, order, made)
    return child


def _check_size(made: dict[str, Path], service: Service) -> None:
    """Refuse here what the stager would refuse for ever."""
    if len(made) > FILES_MAX - OWN_FILES_MAX:
        raise LimitError(f"The run left {len(made)} files, and a delivery may have {FILES_MAX}; pack them.")
    limit = service.limits.output_bytes_max
    if limit and sum(path.stat().st_size for path in made.values()) > limit:
        raise LimitError(f"The run left more than its output limit of {limit} bytes.")


def start_folder(folder: Folder, service: Service) -> Path:
    """Where the program starts: the declared place in the working copy.

    Raises:
        FailedError: the place is not inside it.
    """
    cwd = (folder.work / service.cwd).resolve()
    if not cwd.is_relative_to(folder.work.resolve()):
        raise FailedError(f"The service's cwd {service.cwd!r} leads out of the working copy.")
    cwd.mkdir(parents=True, exist_ok=True)
    return cwd


def _outputs(folder: Folder, spec: ServiceSpec, service: Service, cwd: Path) -> Iterator[tuple[Path, str]]:
    if service.outputs:
        seen = set()
        for pattern in service.outputs:
            if pattern.startswith(IN_OUTPUT):
                continue  # all of it goes in anyway
            for path in patterns.matching(cwd, pattern):
                if path not in seen:
                    seen.add(path)
                    yield path, path.relative_to(cwd).as_posix()
        return
    known = {(folder.work / entry.path): entry for entry in spec.files}
    for path, name in _under(cwd):
        entry = known.get(path)
        if entry is None or path.stat().st_size != entry.size_bytes or digest(path) != entry.digest:
            yield path, name


def _under(root: Path) -> Iterator[tuple[Path, str]]:
    for folder, below, names in os.walk(root, followlinks=False):
        below[:] = sorted(name for name in below if name not in OWN)
        for name in sorted(names):
            path = Path(folder) / name
            if _is_plain(path):
                yield path, path.relative_to(root).as_posix()


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _add(target: Path, source: Path) -> None:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(source, target)


def _describe(
    child: Path, spec: ServiceSpec, status: ServiceStatus, order: Mapping[str, Any], made: Mapping[str, Path]
) -> None:
    """The record of the run: what to know to do it again, and which files are ours and not the program's."""
    ours = {name for _, name in _under(child)} | {RECORD_FILE, PARAMETERS_FILE}
    run = {
        "service": spec.service_id,
        "bundle": spec.bundle,
        "version": spec.version,
        "command": order["argv"],
        "parameters": json.loads(spec.parameters_json),
        "code_digest": spec.code_digest.hex(),
        "data_digest": spec.data_digest.hex(),
        "run_key": spec.run_key.hex(),
        "exit_status": status.exit_status,
        "started_at": rfc3339(status.started_at),
        "finished_at": rfc3339(status.finished_at),
        "duration_s": round(status.finished_at - status.started_at, 3),
        "environment": order.get("environment", {}),
        "ours": sorted(ours - made.keys() - {METRICS_FILE}),
    }
    for name, text in {RECORD_FILE: json.dumps(run, indent=2), PARAMETERS_FILE: spec.parameters_json}.items():
        if not (child / name).exists():
            (child / name).write_text(text + "\n")


def _add_metrics(folder: Folder, service: Service, cwd: Path, made: dict[str, Path]) -> None:
    """The table of metrics, and a declaration that names it, unless the program has written its own."""
    output = folder.output.resolve()

    def find(path: str) -> list[Path]:
        if path.startswith(IN_OUTPUT):
            return patterns.matching(output, path.removeprefix(IN_OUTPUT))
        return patterns.matching(cwd, path) or patterns.matching(output, path)

    target, own = folder.child / METRICS_FILE, made.get(METRICS_FILE)
    if own is None:
        is_table = metrics.write(service.metrics, find, folder.log, target)
    else:
        is_table = any(own.resolve() in find(one.path) for one in service.metrics if one.kind == "csv")
    declaration = folder.child / PACKAGE_FILE
    if is_table and not declaration.exists():
        declaration.write_text(json.dumps({"data": {"metrics": {"path": METRICS_FILE, "type": "table"}}}) + "\n")
