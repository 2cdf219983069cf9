"""Reading a package.json: strictly when it comes from outside, quickly when it has been let in before (pure)."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from plotter2.errors import PackageError
from plotter2.model import document
from plotter2.model.bundle import PACKAGE_FILE
from plotter2.model.package import rules, wording
from plotter2.model.package.declare import Package, Section, Service, TaskDeclaration

BYTES_MAX = 1 << 20
"""A package.json is read whole, and often: data belongs into files beside it."""
_BYTE = re.compile(r"\(byte (\d+)\)")
_DECODER = msgspec.json.Decoder(Package)
_NOTHING = Package()


def parse(text: str) -> Package:
    """Read a package.json that comes from outside.

    Raises:
        PackageError: too large, not JSON, a key that stands twice, an unknown key, a wrong type, a name that nothing
            declares. The message has the line and the key.
    """
    if len(text) > BYTES_MAX:
        raise PackageError(f"package.json has more than {BYTES_MAX} bytes; put data into files beside it.")
    flaw = document.flaw(text)
    if flaw is not None:
        raise _error(flaw.line, flaw.path, flaw.reason)
    try:
        raw = msgspec.json.decode(text)
    except msgspec.DecodeError as wrong:
        raise _not_json(text, wrong) from None
    try:
        package = msgspec.convert(raw, Package)
    except msgspec.ValidationError as wrong:
        path, reason = wording.explain(str(wrong), raw)
        raise _error(document.line_of(text, path), path, reason) from None
    broken = next(rules.broken(package), None)
    if broken is not None:
        raise _error(document.line_of(text, broken.path), broken.path, broken.reason)
    return package


def read(text: str) -> Package:
    """A package.json that `parse` has let in before; "" is the empty one, kept once: most bundles have it."""
    return _DECODER.decode(text) if text else _NOTHING


def task_of(value: Any) -> TaskDeclaration:
    """A task as it stands in a snapshot of what is inherited, where it was let in before."""
    return msgspec.convert(value, TaskDeclaration)


def service_json(service: Service | None) -> str:
    """The canonical text of how a service is started: the same, however much of it was left to defaults."""
    return msgspec.json.encode(_bare(service)).decode()


def pipeline_json(task: TaskDeclaration) -> str:
    """The text of a pipeline that stands in package.json itself."""
    return json.dumps(task.pipeline, ensure_ascii=False)


def pipeline_place(task: TaskDeclaration, paper: str = PACKAGE_FILE) -> str:
    """What a pipeline is called in messages that stands in package.json itself, or in another paper."""
    return f"{paper}, task {task.name!r}"


def _bare(value: Any) -> Any:
    if isinstance(value, Section):
        names = zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
        return {encoded: _bare(getattr(value, name)) for name, encoded in names if name != "comment"}
    return [_bare(one) for one in value] if isinstance(value, list) else value


def _error(line: int, path: document.Path, reason: str) -> PackageError:
    subject = repr(document.spell(path)) if path else "the document"
    return PackageError(f"package.json, line {line}: {subject} {reason}.")


def _not_json(text: str, wrong: Exception) -> PackageError:
    """Where the grammar breaks: msgspec counts bytes, people count lines."""
    found = _BYTE.search(str(wrong))
    offset = len(text.encode()[: int(found[1])].decode(errors="replace")) if found else len(text.rstrip())
    reason = _BYTE.sub("", str(wrong)).strip().removeprefix("JSON is malformed: ") if found else "it ends too early"
    return PackageError(f"package.json, line {document.line_at(text, offset)}: this is not JSON: {reason}.")
