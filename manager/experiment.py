"""An experiment: a version that can be run, read once for all runs of a request (requirement 018; pure)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from plotter2.errors import RefusedError
from plotter2.model import bundle, package
from plotter2.model.bundle import CODE, BundleVersion, Contents, FileEntry
from plotter2.model.inheritance import NOTHING, Snapshot
from plotter2.model.package import Package


@dataclass(frozen=True, slots=True)
class Experiment:
    """A version that can be run.

    Attributes:
        service_json: the canonical text of the `service` section.
        inputs_digest: over the files that a run's outcome depends on.
        code: the files under `code_sources/`.
        sources: digests of the sources of its tasks, by path; what its children inherit names them.
        inherited: what it has from its own parents; its children have that too.
    """

    version: BundleVersion
    declared: Package
    service_json: str
    inputs_digest: bytes
    code_digest: bytes
    data_digest: bytes
    code: tuple[FileEntry, ...] = field(default=())
    sources: dict[str, bytes] = field(default_factory=dict)
    inherited: Snapshot = NOTHING

    @classmethod
    def of(cls, contents: Contents, inherited: Snapshot = NOTHING) -> Experiment:
        """Read a version.

        Raises:
            RefusedError: it is not a leaf with code and a declared service.
        """
        declared = runnable(contents)
        drawn_by = {task.task_src for task in declared.tasks}  # how results are drawn is no input of the program
        return cls(
            contents.bundle,
            declared,
            package.service_json(declared.service),
            bundle.inputs_digest(one for one in contents.files if one.path not in drawn_by),
            bundle.code_digest(contents.files),
            bundle.data_digest(contents.files),
            tuple(entry for entry in contents.files if entry.path.startswith(CODE + "/")),
            {one.path: one.digest for one in contents.files if one.path in drawn_by},
            inherited,
        )

    def key(self, parameters_json: str) -> bytes:
        """The key of one run; numbers are compared by value, so 0.10 is 0.1."""
        canonical = json.dumps(json.loads(parameters_json), sort_keys=True)
        return bundle.run_key(self.inputs_digest, self.service_json, canonical)


def runnable(contents: Contents) -> Package:
    """The declaration of a bundle that can be run again.

    Raises:
        RefusedError: it is not a leaf with code and a declared service.
    """
    path = contents.bundle.path
    declared = package.read(contents.bundle.package_json)
    missing = ""
    if declared.service is None:
        missing = "its package.json declares no 'service'"
    elif not any(entry.path.startswith(CODE + "/") for entry in contents.files):
        missing = f"it has no {CODE}/"
    if missing:
        raise RefusedError(
            f"Bundle {path!r} cannot be run again: {missing}. A runnable bundle is a leaf with {CODE}/ and a service."
        )
    return declared
