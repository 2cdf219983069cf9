"""The JSON that commands print: the contract of docs/reference/cli.md, one function a shape (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plotter2.cli.output import raw
from plotter2.model.package import INHERITED

if TYPE_CHECKING:
    from plotter2.client.upload import Pushed
    from plotter2.client.views import (
        Bundle,
        Child,
        Contents,
        DeclaredTask,
        Difference,
        File,
        Found,
        HistoryEntry,
        Operations,
        OutputFile,
        Page,
        Plan,
        Pulled,
        Repeat,
        Request,
        Run,
        Status,
        Verdict,
        Worker,
    )

Document = dict[str, Any]


def page(found: Page[Any], shape: Any) -> Document:
    """A list with its whole length."""
    return {"items": [shape(item) for item in found], "total": found.total}


def bundle(one: Bundle) -> Document:
    """A line of `ls`."""
    return {
        "bundle": one.bundle,
        "version": one.version,
        "digest": one.digest,
        "files": one.files,
        "bytes": one.size_bytes,
        "created": one.created,
    }


def found(one: Found) -> Document:
    """A line of `ls --where`."""
    return {
        "bundle": one.bundle,
        "version": one.version,
        "state": one.state,
        "time": one.time,
        "archived": one.archived,
        "parameters": raw(one.parameters_json, "{}"),
        "metrics": raw(one.metrics_json, "{}"),
        "tags": raw(one.tags_json, "{}"),
    }


def pushed(one: Pushed) -> Document:
    """The answer of `push`."""
    return {
        "bundle": one.bundle,
        "version": one.version,
        "digest": one.digest,
        "files": one.files,
        "bytes": one.size_bytes,
        "request": one.request_id,
        "new": one.is_new,
        "held": one.held,
        "warnings": list(one.warnings),
    }


def pulled(one: Pulled) -> Document:
    """The answer of `pull`."""
    return {
        "bundle": one.bundle,
        "version": one.version,
        "digest": one.digest,
        "files": one.files,
        "bytes": one.size_bytes,
        "path": one.path,
    }


def contents(one: Contents) -> Document:
    """A bundle as `show` prints it."""
    return {
        **bundle(one.bundle),
        "request": one.bundle.request,
        "archived": one.bundle.archived,
        "parameters": raw(one.bundle.parameters_json, "{}"),
        "metrics": raw(one.bundle.metrics_json, "{}"),
        "tags": raw(one.bundle.tags_json, "{}"),
        "package": raw(one.bundle.package_json, "null"),
        "contents": [
            {"path": file.path, "bytes": file.size_bytes, "digest": file.digest, "mode": f"{file.mode:o}"}
            for file in one.files
        ],
        "next": one.next,
        "inherits": {
            "from": list(one.inherited.line),
            **{
                section: {
                    trait.name: {"origin": trait.origin, "value": trait.value}
                    for trait in one.inherited.traits
                    if trait.section == section
                }
                for section in INHERITED
            },
        },
        "linked": one.linked,
        "blank": one.is_blank,
        "below": [bundle(inner.bundle) for inner in one.below],
        "manifest": raw(one.manifest_json, "null"),
        "depends": list(one.depends),
        "verdicts": [verdict(item) for item in one.verdicts],
    }


def verdict(one: Verdict) -> Document:
    """What a bundle is to a parent."""
    return {
        "bundle": one.bundle,
        "parent": one.parent,
        "verdict": one.standing,
        "score": one.score,
        "linked": list(one.linked),
        "forced": list(one.forced),
        "missing": list(one.missing),
    }


def operations(one: Operations) -> Document:
    """The answer of `ops`."""
    return {
        "bundle": one.bundle,
        "operations": [
            {
                "operation": item.name,
                "form": item.form,
                "shape": item.shape,
                "links": [
                    {
                        "bundle": link.bundle,
                        "of": link.of,
                        "head": link.head,
                        "origin": link.origin,
                        "mode": link.mode,
                        "forward": list(link.forward),
                        "backward": list(link.backward),
                        "forced": link.is_forced,
                    }
                    for link in item.links
                ],
            }
            for item in one.operations
        ],
        "members": [verdict(item) for item in one.members],
    }


def output(one: OutputFile) -> Document:
    """A figure, animation or report; `path` is below `output/` of the home."""
    return {"path": one.path, "kind": one.kind, "title": one.title, "bytes": one.size_bytes}


def made(one: OutputFile) -> Document:
    """An output with where it comes from."""
    return {
        **output(one),
        "bundle": one.bundle,
        "request": one.request,
        "run": one.run,
        "task": one.task,
        "created": one.created,
    }


def run(one: Run) -> Document:
    """One execution in `run --wait`."""
    return {
        "id": one.id,
        "task": one.task,
        "bundle": one.bundle,
        "state": one.state,
        "worker": one.worker,
        "parameters": raw(one.parameters_json, "{}"),
        "results": raw(one.results_json, "null"),
        "outputs": [output(file) for file in one.outputs],
        "reused_of": one.reused_of,
    }


def ran(one: Request) -> Document:
    """The answer of `run`."""
    return {"request": one.id, "state": one.state, "runs": [run(item) for item in one.runs], "skipped": skipped(one)}


def skipped(one: Request) -> list[Document]:
    """Whom a request left out."""
    return [{"bundle": item.bundle, "reason": item.reason} for item in one.skipped]


def child(one: Child) -> Document:
    """One value of a redo."""
    return {
        "bundle": one.bundle,
        "parameters": raw(one.parameters_json, "{}"),
        "state": one.state,
        "reused": one.reused,
    }


def redone(one: Request) -> Document:
    """The answer of `redo`."""
    said = {"request": one.id, "state": one.state, "children": [child(item) for item in one.children]}
    return said if one.repeat is None else {**said, "repeat": repeat(one.repeat)}


def repeat(one: Repeat) -> Document:
    """What came of a run that was made again."""
    return {
        "bundle": one.bundle,
        "before": one.before,
        "after": one.after,
        "equal": one.equal,
        "files": [{"path": path, "change": change} for path, change in one.files],
        "differing": one.differing,
        "same": one.same,
        "environment": list(one.environment),
    }


def plan(one: Plan) -> Document:
    """The answer of `redo --dry-run`."""
    return {
        "bundle": one.bundle,
        "version": one.version,
        "children": [
            {"bundle": run.bundle, "parameters": raw(run.parameters_json, "{}"), "reused": run.reused}
            for run in one.runs
        ],
    }


def request(one: Request) -> Document:
    """A request in full."""
    return {
        "request": one.id,
        "kind": one.kind,
        "state": one.state,
        "bundle": one.bundle,
        "user": one.user,
        "cause": one.cause,
        "because": one.because,
        "scope": one.scope,
        "waits_for": one.waits_for,
        "reason": one.reason,
        "reason_code": one.reason_code,
        "created": one.created,
        "finished": one.finished_at,
        "counts": {"total": one.total, "finished": one.finished, "failed": one.failed},
        "ask": raw(one.ask_json, "{}"),
        "children": [{**child(item), "error": item.error} for item in one.children],
        "runs": [{**run(item), "task": item.task, "error": item.error} for item in one.runs],
        "skipped": skipped(one),
    }


def request_line(one: Request) -> Document:
    """A request in a list."""
    full = request(one)
    return {key: full[key] for key in full if key not in {"children", "runs", "ask", "skipped"}}


def history_entry(one: HistoryEntry) -> Document:
    """A line of `history`."""
    return {**request_line(one.request), "version": one.version or None, "new": one.is_new, "delivery": one.delivery}


def difference(one: Difference) -> Document:
    """The answer of `diff`."""
    return {
        "before": bundle(one.before),
        "after": bundle(one.after),
        "files": [
            {"path": file.path, "change": file.change, "before": _side(file.before), "after": _side(file.after)}
            for file in one.files
        ],
        "parameters": [
            {
                "name": parameter.name,
                "change": parameter.change,
                "before": raw(parameter.before_json),
                "after": raw(parameter.after_json),
            }
            for parameter in one.parameters
        ],
        "unchanged": one.unchanged,
    }


def _side(file: File | None) -> Document | None:
    return None if file is None else {"bytes": file.size_bytes, "digest": file.digest, "mode": f"{file.mode:o}"}


def worker(one: Worker) -> Document:
    """A worker."""
    return {
        "id": one.id,
        "name": one.name,
        "state": one.state,
        "slots": one.slots,
        "running": one.running,
        "pid": one.pid,
        "host": one.host,
        "last_seen": one.last_seen,
    }


def task(one: DeclaredTask) -> Document:
    """A declared task."""
    return {
        "task": one.name,
        "bundle": one.bundle,
        "version": one.version,
        "source": one.source,
        "standing": list(one.standing),
        "origin": one.origin or None,
        "linked": list(one.linked),
    }


def status(one: Status) -> Document:
    """The answer of `status`."""
    return {
        "home": one.home,
        "processes": [
            {"role": p.role, "name": p.name, "pid": p.pid, "state": p.state, "address": p.address}
            for p in one.processes
        ],
        "backlog": one.backlog,
    }
