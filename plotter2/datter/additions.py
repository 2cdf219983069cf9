"""What an installation adds by files in its config directory: templates, words, pictures (requirement 009).

`templates/NAME.toml` is a render template. Each public function of `operations/*.py` is a word of scripts and an op of
pipelines, each one of `visuals/*.py` a visual type. Files are read as text; nothing of them is imported here (pure). A
file with a fault is left out, with a sentence that names file and line; the others hold.
"""

from __future__ import annotations

import ast
import builtins as python
from collections.abc import Callable, Iterator, Mapping, Sequence
from inspect import Parameter, Signature
from pathlib import PurePosixPath
from typing import Any

from blake3 import blake3

from plotter2.datter.builtins import NAMES
from plotter2.datter.context import current
from plotter2.datter.figures.automatic import VISUALS
from plotter2.datter.pages import templates
from plotter2.datter.template import Template
from plotter2.datter.vocabulary import Additions, Builtin, Role, Word
from plotter2.errors import ConfigError, PackageError
from plotter2.model import types
from plotter2.model.additions import FILE_BYTES_MAX, OPERATIONS, PICTURES, digest_of

LABEL = "config/"
"""What stands before the names of these files in tracebacks and sidecars."""
_PYTHON = frozenset(dir(python))
_UNSAID = "..."


def read(contents: Mapping[str, bytes]) -> Additions:
    """Read all files, leaving out those with a fault.

    Args:
        contents: by path below the config directory, as `operations/smooth.py`.
    """
    faults: dict[str, str] = {}
    texts: dict[str, str] = {}
    for path in sorted(contents):
        try:
            texts[path] = _text(path, contents[path])
        except ConfigError as wrong:
            faults[path] = wrong.message
    made = _templates(texts, faults)
    words = _words(texts, faults)
    files = {path: blake3(contents[path]).digest() for path in texts if path not in faults}
    return Additions(
        digest_of(files), files, made,
        {one.name: one for one in words if one.kind == OPERATIONS},
        {one.name: one for one in words if one.kind == PICTURES}, dict(sorted(faults.items())),
    )  # fmt: skip


def _text(path: str, raw: bytes) -> str:
    if len(raw) > FILE_BYTES_MAX:
        raise ConfigError(f"{path} has {len(raw):,} bytes; a file here has at most {FILE_BYTES_MAX:,}.")
    try:
        return raw.decode()
    except UnicodeDecodeError as wrong:
        raise ConfigError(f"{path} is not UTF-8 text: {wrong.reason} at byte {wrong.start}.") from None


def _templates(texts: Mapping[str, str], faults: dict[str, str]) -> dict[str, Template]:
    said: dict[str, dict[str, Any]] = {}
    pages: dict[str, str] = {}
    for path, text in texts.items():
        folder, _, name = path.partition("/")
        try:
            if path.endswith(templates.PAGE_ENDING):
                templates.check_page(text, path)
                pages[name] = text
            elif folder == templates.FOLDER:
                said[PurePosixPath(name).stem] = templates.parse(text, path)
        except ConfigError as wrong:
            faults[path] = wrong.message
    made = {}
    for name in said:
        try:
            made[name] = templates.resolved(name, said, pages)
        except ConfigError as wrong:
            faults[f"{templates.FOLDER}/{name}{templates.ENDING}"] = wrong.message
    return made


def _words(texts: Mapping[str, str], faults: dict[str, str]) -> list[Word]:
    found: dict[str, Word] = {}
    for path, text in texts.items():
        folder = path.partition("/")[0]
        if folder not in {OPERATIONS, PICTURES}:
            continue
        try:
            mine = list(scanned(path, text))
            for one in mine:
                other = found.get(one.name)
                if other is not None:
                    raise ConfigError(f"{one.where}: {one.name!r} is defined in {other.where} too; call it otherwise.")
            found |= {one.name: one for one in mine}
        except ConfigError as wrong:
            faults[path] = wrong.message
    return list(found.values())


def scanned(path: str, text: str) -> Iterator[Word]:
    """The public functions of one file.

    Args:
        path: below the config directory.
        text: Python.

    Raises:
        ConfigError: it is no Python, or a function cannot be what it should be; with file and line.
    """
    try:
        tree = ast.parse(text, path)
        compile(tree, path, "exec", dont_inherit=True)
    except SyntaxError as wrong:
        raise ConfigError(f"{path}, line {wrong.lineno or 1}: {wrong.msg}.") from None
    except (ValueError, RecursionError, MemoryError) as wrong:
        raise ConfigError(f"{path} is not Python that can be read: {wrong}.") from None
    kind = path.partition("/")[0]
    if PurePosixPath(path).name.startswith("_"):
        return  # help for the others
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield _word(kind, path, node)


def _word(kind: str, path: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Word:
    where = f"{path}, line {node.lineno}"
    if isinstance(node, ast.AsyncFunctionDef) or any(isinstance(one, ast.Yield | ast.YieldFrom) for one in _own(node)):
        raise ConfigError(f"{where}: {node.name}() must be a plain function, without async and yield.")
    taken = VISUALS if kind == PICTURES else NAMES | _PYTHON
    if node.name in taken:
        what = "a visual type" if kind == PICTURES else "a built-in"
        raise ConfigError(f"{where}: {node.name!r} is {what} already; call yours otherwise.")
    doc = (ast.get_docstring(node) or "").partition("\n")[0]
    first = next(iter((*node.args.posonlyargs, *node.args.args)), None)
    if kind == PICTURES:
        return Word(node.name, kind, path, node.lineno, ast.unparse(node.args), doc, _suits(where, node, first))
    role = Role.DATA if first is not None else Role.SOURCE
    call = _standing_for(node.name, _signature(node), doc)
    row = Builtin(node.name, ("", ""), role, gives="data", function=call)
    return Word(node.name, kind, path, node.lineno, ast.unparse(node.args), doc, builtin=row)


def _suits(where: str, node: ast.FunctionDef, first: ast.arg | None) -> str:
    needed = len(node.args.posonlyargs) + len(node.args.args) - len(node.args.defaults)
    lacking = [one for one, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if not default]
    if first is None or needed > 1 or lacking:
        raise ConfigError(f"{where}: a visual type is drawn of one value; {node.name}() must take just that.")
    note = first.annotation
    if not isinstance(note, ast.Constant) or not isinstance(note.value, str):
        return ""
    try:
        return str(types.parse(note.value))
    except PackageError as wrong:
        raise ConfigError(f"{where}: {first.arg!r} is annotated with what is no type: {wrong.message}") from None


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, without those of functions inside it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield child
            yield from _own(child)


def _signature(node: ast.FunctionDef) -> Signature:
    """What it takes, from its text; a default that is no plain value stands for itself."""
    args = node.args
    by_place = [*args.posonlyargs, *args.args]
    defaults: Sequence[ast.expr | None] = [None] * (len(by_place) - len(args.defaults)) + list(args.defaults)
    kinds = [Parameter.POSITIONAL_ONLY] * len(args.posonlyargs) + [Parameter.POSITIONAL_OR_KEYWORD] * len(args.args)
    found = [_parameter(*one) for one in zip(by_place, kinds, defaults, strict=True)]
    if args.vararg is not None:
        found.append(_parameter(args.vararg, Parameter.VAR_POSITIONAL, None))
    named = zip(args.kwonlyargs, args.kw_defaults, strict=True)
    found += [_parameter(one, Parameter.KEYWORD_ONLY, default) for one, default in named]
    if args.kwarg is not None:
        found.append(_parameter(args.kwarg, Parameter.VAR_KEYWORD, None))
    return Signature(found)


def _parameter(arg: ast.arg, kind: Any, default: ast.expr | None) -> Parameter:
    annotation = ast.unparse(arg.annotation) if arg.annotation is not None else Parameter.empty
    if default is None:
        return Parameter(arg.arg, kind, annotation=annotation)
    try:
        value = ast.literal_eval(default)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        value = _UNSAID
    return Parameter(arg.arg, kind, default=value, annotation=annotation)


def _standing_for(name: str, shape: Signature, doc: str) -> Callable[..., Any]:
    """What is called in its place: finds the function where a run is under way, in whose process its code is."""

    def call(*args: Any, **named: Any) -> Any:
        context = current()
        return context.own_word(context.additions.operations[name])(*args, **named)

    call.__name__, call.__doc__ = name, doc or f"The operation {name} of this installation."
    call.__dict__["__signature__"] = shape
    return call
