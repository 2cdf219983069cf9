"""What `check` says of a script or a pipeline: its contract, and what would run. Nothing of it is run."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plotter2.cli import output
from plotter2.errors import UsageError
from plotter2.layout import Layout
from plotter2.model.task import PIPELINE_SUFFIX, SCRIPT_SUFFIX, SOURCE_BYTES_MAX

if TYPE_CHECKING:
    from plotter2.cli.verbs import Session
    from plotter2.datter.pipelines.register import Step
    from plotter2.datter.scripting.contract import Contract
    from plotter2.datter.scripting.script import Script
    from plotter2.datter.vocabulary import Additions

SHOWN_MAX = 3
ENDINGS = (SCRIPT_SUFFIX, PIPELINE_SUFFIX)


def is_source(path: Path) -> bool:
    """Whether `check` takes this for a script or pipeline, and not for a folder."""
    return path.suffix in ENDINGS and not path.is_dir()


def check(session: Session, path: Path, on: str) -> None:
    """Print what a script or pipeline says of itself and, of one bundle, what would run.

    Raises:
        UsageError: there is no such file, or it is too long, or no text.
        ScriptError: it cannot run; with file and line, or step.
    """
    source = _text(path)
    own = added(session)
    found = _script(source, path, own) if path.suffix == SCRIPT_SUFFIX else _pipeline(source, path, own)
    if on:
        with session.connect() as p2:
            plan = p2.plan_run(str(path), on)
        found["on"] = {
            "bundle": plan.bundle, "version": plan.version,
            "axes": [{"name": one.name, "keys_of": one.keys_of, "keys": one.keys} for one in plan.axes],
            "instances": plan.total, "first": list(plan.first), "warning": plan.warning,
            "linked": [{"task": one.task, "instances": one.total, "warning": one.warning} for one in plan.linked],
            "known": list(plan.known), "known_total": plan.known_total,
        }  # fmt: skip
    if session.as_json:
        output.document(found)
    else:
        output.plain({**_lines(found), **_planned(found.get("on"))})
        for remark in found.get("remarks", ()):
            output.note(remark)


def added(session: Session) -> Additions:
    """What the installation adds whose home is here; nothing where there is none.

    Raises:
        ConfigError: its config directory cannot be read.
    """
    found: Additions = import_module("plotter2.configured").read(Layout.at(session.home).config)
    return found


def _text(path: Path) -> str:
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    if path.stat().st_size > SOURCE_BYTES_MAX:
        raise UsageError(f"{path} is longer than {SOURCE_BYTES_MAX} bytes, the most that a script may have.")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise UsageError(f"{path} is not UTF-8 text: {wrong.reason} at byte {wrong.start}.") from None


def _script(source: str, path: Path, own: Additions) -> dict[str, Any]:
    found: Script = import_module("plotter2.datter.scripting.script").compiled(source, path.name, own.names)
    names = import_module("plotter2.datter.builtins").NAMES | own.names
    return {"kind": "script", "file": str(path), **document(found.contract, names)}


def document(contract: Contract, names: frozenset[str]) -> dict[str, Any]:
    """A contract for programs; `names` are those of the built-ins."""
    return {
        "task": contract.entry,
        "exposes": [{"name": one.name, "kind": one.kind, "detail": one.detail} for one in contract.exposes],
        "imposes": [{"name": one.name, "kind": one.kind, "detail": one.detail} for one in contract.imposes],
        "axes": [{"name": one.name, "keys_of": one.base} for one in contract.axes],
        "gathers": list(contract.gathers),
        "links": contract.links,
        "builtins": [name for name in contract.calls if name in names],
        "remarks": _remarks(contract),
    }


def _remarks(contract: Contract) -> list[str]:
    """What is legal where the task is linked to others, which get its parameters too, and looks unintended."""
    takes = contract.takes
    return [
        f"Line {line}: repeat names {name!r}, which is no parameter of this script."
        for name, line in contract.repeats
        if takes is not None and name not in takes
    ]


def _pipeline(source: str, path: Path, own: Additions) -> dict[str, Any]:
    steps: tuple[Step, ...] = import_module("plotter2.datter.pipelines.pipeline").parsed(source, path.name, own)
    written = [{"step": one.place, "name": one.builtin.name, "does": one.builtin.role.value} for one in steps]
    return {"kind": "pipeline", "file": str(path), "steps": written}


def _planned(plan: dict[str, Any] | None) -> dict[str, str]:
    if plan is None:
        return {}
    lines = {"on": f"{plan['bundle']}@{plan['version']}"}
    for one in plan["axes"]:
        lines[f"axis {one['name']}"] = f"{one['keys']:,} keys of {one['keys_of']}"
    shown = "; ".join(", ".join(f"{name} = {key}" for name, key in one.items()) for one in plan["first"][:SHOWN_MAX])
    more = "; …" if plan["instances"] > SHOWN_MAX else ""
    lines["instances"] = f"{plan['instances']:,}" + (f": {shown}{more}" if shown else "")
    if plan["known_total"]:
        first = next(filter(None, plan["known"]), "")
        lines["known already"] = (
            f"{plan['known_total']:,} of {plan['instances']:,}" + (f", as by run {first}" if first else "")
            if plan["instances"] > 1
            else f"its results are those of run {first}; --force runs it anew"
        )
    if plan["warning"]:
        lines["warning"] = plan["warning"]
    for one in plan["linked"]:
        lines[f"with {one['task']}"] = one["warning"] or f"{one['instances']:,} instances"
    return lines


def _lines(found: dict[str, Any]) -> dict[str, str]:
    lines = {found["kind"]: found["file"]}
    if found["kind"] == "pipeline":
        return lines | {f"step {one['step']}": f"{one['name']}: {one['does']}" for one in found["steps"]}
    lines["task"] = f"task{found['task']}" if found["task"] else "task, which is no plain function of this file"
    for word in ("exposes", "imposes"):
        for one in found[word]:
            lines[f"{word} {one['name']}"] = f"{one['kind']} {one['detail']}".rstrip()
    if found["axes"]:
        named = " and ".join(dict.fromkeys(one["keys_of"] for one in found["axes"]))
        lines["runs"] = f"once for each key of {named}"
    else:
        lines["runs"] = "once"
    if found["gathers"]:
        lines["gathers"] = ", ".join(found["gathers"])
    if found["links"]:
        lines["links"] = "tasks"
    if found["builtins"]:
        lines["uses"] = ", ".join(found["builtins"])
    return lines
