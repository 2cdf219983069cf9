"""What is said of a script that went wrong: one sentence with the line, then the traceback of the user's own frames.

Frames of ours and of libraries are left out, and so is the name of our classes' module.
"""

from __future__ import annotations

import linecache
import traceback
from pickle import PickleError

from plotter2.datter.runs import RunInput
from plotter2.datter.scripting import script
from plotter2.datter.values.keys import nearest
from plotter2.errors import Plotter2Error

TRACEBACK_CHARS_MAX = 16_000
SENTENCE_CHARS_MAX = 500
CHAIN_MAX = 8
MODULE_NAME = "__plotter2__"
"""What a script's `__name__` is."""
_OURS = ("plotter2.errors.", f"{MODULE_NAME}.")


def _sentence(wrong: BaseException, report: traceback.TracebackException, run: RunInput) -> str:
    """Where and what, in one line."""
    last = report.stack[-1] if report.stack else None
    where = f"{last.filename}, line {last.lineno}: " if last is not None else ""
    return where + _what(wrong, (last.line if last is not None else "") or "", run)


def _what(wrong: BaseException, line: str, run: RunInput) -> str:
    if isinstance(wrong, SystemExit):
        return f"the script ended itself by exit({wrong.code!r}); a task ends by `return`, or by giveup()."
    if isinstance(wrong, EOFError) and "input(" in line:
        return "nobody is there to answer input(); take a parameter, `def task(n):`, and give it by `--set n=3`."
    if isinstance(wrong, PickleError | AttributeError) and MODULE_NAME in str(wrong):
        return (
            "what a script defines cannot be sent to another process, which has no such module; put it into a module"
            " of the bundle, or have an instance for each part: impose(k as datter.keytype(data))."
        )
    if isinstance(wrong, Plotter2Error):
        said = wrong.message
    else:
        said = "".join(traceback.format_exception_only(wrong)).strip().replace(f"{MODULE_NAME}.", "")
    first = said.splitlines()[0] if said else type(wrong).__name__
    first = first if len(first) <= SENTENCE_CHARS_MAX else f"{first[:SENTENCE_CHARS_MAX]} …"
    advice = _advice(wrong, first, run)
    if advice:
        return f"{first.rstrip('.')}. {advice}"
    return first if first.endswith((".", "!", "?")) else f"{first}."


def _advice(wrong: BaseException, first: str, run: RunInput) -> str:
    """What would have worked; "" where nothing is known."""
    if isinstance(wrong, FileNotFoundError):
        return _of_bundle(str(wrong.filename), run)
    if isinstance(wrong, ModuleNotFoundError) and wrong.name:
        return _lacking(wrong.name, run)
    is_relative = isinstance(wrong, ImportError) and "relative import with no known parent" in first
    return "A script is no part of a package; write `from helper import ...` for helper.py." if is_relative else ""


def _of_bundle(missing: str, run: RunInput) -> str:
    """How a file of the bundle is read that was looked for in the script's own directory; "" for another."""
    name = missing.rpartition("/")[2]
    mine = sorted(path for path in run.scope.files if name and path.rpartition("/")[2] == name)
    return f"A run has a directory of its own; the bundle's file is read by access({mine[0]!r})." if mine else ""


def _lacking(module: str, run: RunInput) -> str:
    """Where a module that was not found would have been found."""
    place = run.scope.bundle or "the bundle"
    mine = sorted({name.removesuffix(".py").rpartition("/")[2] for name in run.scope.files if name.endswith(".py")})
    near = f"; {nearest(module.partition('.')[0], mine)}" if mine else ""
    return (
        "A library has to be installed where the workers run; a module of your own comes with the bundle, at the top"
        f" of {place}, beside the task's script or below code_sources/{near}. A script sent by itself comes alone."
    )


def placed(said: str, run: RunInput) -> str:
    """What is told to a run, with the line of its own code that is under way behind the first line of it.

    For what a script may make anything of, so that no traceback leads there.
    """
    files = {**run.scope.files, **run.own_files}
    for frame, line in traceback.walk_stack(None):
        name = frame.f_code.co_filename
        if name == run.filename or name in files:
            source = run.source if name == run.filename else files[name].read_text(errors="replace")
            first, *rest = said.splitlines()
            code = [f"  {one.strip()}" for one in source.splitlines()[line - 1 : line]]
            return "\n".join([f"{name}, line {line}: {first}", *code, *rest])
    return said


def explained(wrong: BaseException, found: script.Script, run: RunInput) -> str:
    """What the user sees: a sentence, then frames of the script and of the bundles' own modules, and their causes'."""
    lines = {found.filename: found.source, **_sources(wrong, run)}
    try:
        for name, source in lines.items():
            linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        report = traceback.TracebackException.from_exception(wrong)
        _cut(report, frozenset(lines), CHAIN_MAX)
        text = f"{_sentence(wrong, report, run)}\n{''.join(report.format()).rstrip()}"
        for ours in _OURS:
            text = text.replace(ours, "")
    finally:
        for name in lines:
            linecache.cache.pop(name, None)
    half = TRACEBACK_CHARS_MAX // 2
    return text if len(text) <= TRACEBACK_CHARS_MAX else f"{text[:half]}\n...\n{text[-half:]}"


def _sources(wrong: BaseException, run: RunInput) -> dict[str, str]:
    """The modules in a traceback, by the path that they have in the bundle; other bundles' after their bundle."""
    names = {frame.f_code.co_filename for frame, _ in traceback.walk_tb(wrong.__traceback__)}
    files = {one.label + path: local for one in (run.scope, *run.lenders.values()) for path, local in one.files.items()}
    files |= run.scope.files
    files |= run.own_files
    return {name: files[name].read_text(errors="replace") for name in names & files.keys()}


def _cut(report: traceback.TracebackException, own: frozenset[str], depth: int) -> None:
    report.stack = traceback.StackSummary.from_list([frame for frame in report.stack if frame.filename in own])
    for name in ("__cause__", "__context__"):
        inner = getattr(report, name)
        if inner is None:
            continue
        if depth == 0 or not any(frame.filename in own for frame in inner.stack):
            setattr(report, name, None)  # raised inside a library: not the user's story
        else:
            _cut(inner, own, depth - 1)
