"""What Python code offers, read as text and never run: its functions, and its command line's options (requirement 041).

Owns: the search for a function by qualified name, and what an `argparse` parser says. Imports nothing of what it reads.
What it cannot know without running the code (names made at run time, options built in loops) it does not claim.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Any, Literal

from plotter2.errors import PackageError, ScriptError
from plotter2.model.names import did_you_mean, listed

SOURCE_BYTES_MAX = 256 << 10
"""One file; larger ones are not read: the parser holds the interpreter while it works."""
FILES_MAX = 1_000
SEARCHED_CHARS_MAX = 16 << 20
PARSED_CHARS_MAX = 1 << 20
"""Of all the code that is looked through for one name, and of the files that have it in them."""
NEAR_FILES_MAX = 5_000
CODE_SUFFIX = ".py"
_DEFINITION = re.compile(r"^\s*(?:async\s+)?def\s+([A-Za-z_]\w*)", re.MULTILINE)
_NO_VALUE = object()

Read = Callable[[str], str]
"""The text of one file, by its path."""


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a function; `annotation` as it is spelled, "" for none."""

    name: str
    annotation: str = ""
    has_default: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method that code defines.

    Attributes:
        name: qualified, as `Net.forward`.
        params: without `self` and `cls`.
        takes_more: whether it has `*args` or `**kwargs`.
        returns: the annotation as it is spelled, "" for none.
    """

    name: str
    line: int
    params: tuple[Param, ...] = ()
    takes_more: bool = False
    returns: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One `add_argument` of an argparse parser.

    Attributes:
        flag: how it is given, as `--lr`; "" for a positional one.
        type: of its values.
        is_switch: stands alone and takes no value.
        is_many: takes a list of values.
    """

    name: str
    flag: str
    line: int
    type: Literal["float", "int", "str", "bool", "json"] = "str"
    default: Any = None
    choices: tuple[Any, ...] | None = None
    help: str = ""
    is_required: bool = False
    is_switch: bool = False
    is_many: bool = False


@dataclass(frozen=True, slots=True)
class Module:
    """One file of code."""

    path: str
    functions: Mapping[str, Function]
    options: tuple[Option, ...] = ()
    has_main: bool = False


def scan(source: str, path: str) -> Module:
    """Read one file.

    Raises:
        ScriptError: it is too large, or no Python that can be read; file and line.
    """
    if len(source) > SOURCE_BYTES_MAX:
        raise ScriptError(f"{path} has {len(source)} bytes; code is searched in files of at most {SOURCE_BYTES_MAX}.")
    try:
        return _read(ast.parse(source, path), path)
    except SyntaxError as wrong:
        raise ScriptError(f"{path}, line {wrong.lineno or 1}: {wrong.msg}.") from None
    except (ValueError, RecursionError, MemoryError) as wrong:
        raise ScriptError(f"{path} is no Python that can be read: {str(wrong) or type(wrong).__name__}.") from None


def _read(tree: ast.Module, path: str) -> Module:
    functions = {one.name: one for one in _functions(tree.body, "")}
    constants = dict(_constants(tree))
    has_main = any(isinstance(node, ast.If) and "__name__" in ast.dump(node.test) for node in tree.body)
    return Module(path, functions, tuple(_options(tree, constants)), has_main)


def find(reference: str, paths: Mapping[str, object], folder: str, read: Read) -> tuple[str, Function]:
    """The function that a head names, and the file that defines it.

    Args:
        reference: `path:qualified.name`, or `qualified.name`: then it is looked for in all code below `folder`.
        paths: all files of the bundle.
        folder: where code lies, as `code_sources`.
        read: how a file is read.

    Raises:
        PackageError: there is none, or there are several; the message says what there is, as the second half of a
            sentence that begins with the place.
        ScriptError: the file that is named cannot be read.
    """
    path, _, name = reference.rpartition(":")
    if not path:
        return _search(name, sorted(one for one in paths if _is_code(one, folder)), folder, read)
    if path not in paths:
        raise PackageError(
            f"there is no file {path!r} in the bundle{did_you_mean(path, islice(paths, NEAR_FILES_MAX))}"
        )
    module = scan(read(path), path)
    if name not in module.functions:
        raise PackageError(f"{path} defines no function {name!r}{_instead(name, module.functions)}")
    return path, module.functions[name]


def _instead(name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = did_you_mean(name, known)
    return near if near != "." else f"; it defines {listed(known)}."


def _is_code(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/") and path.endswith(CODE_SUFFIX)


def _search(name: str, code: list[str], folder: str, read: Read) -> tuple[str, Function]:
    """Only files that have the name in them are parsed: a program may have megabytes of code."""
    word = name.rpartition(".")[2]
    found: list[tuple[str, Function]] = []
    others: dict[str, str] = {}
    closed: list[str] = []
    searched = parsed = 0
    for number, path in enumerate(code):
        try:
            text = read(path)
            searched, parsed = searched + len(text), parsed + len(text) * (word in text)
            if number == FILES_MAX or searched > SEARCHED_CHARS_MAX or parsed > PARSED_CHARS_MAX:
                raise PackageError(f"{folder}/ has too much code to look for {name!r} in; write 'PATH:{name}'.")
            others |= dict.fromkeys(_DEFINITION.findall(text), path)
            functions = scan(text, path).functions if word in text else {}
        except ScriptError:
            closed.append(path)
            continue
        if name in functions:
            found.append((path, functions[name]))
    if len(found) > 1:
        places = " or ".join(f"'{path}:{name}'" for path, _ in found)
        raise PackageError(f"{name!r} is defined more than once; write {places}.")
    if not found:
        unread = f" (these cannot be read: {listed(closed)})" if closed else ""
        hint = _nearest(name, word, others, read)
        raise PackageError(f"no file below {folder}/{unread} defines a function {name!r}{hint}")
    return found[0]


def _nearest(name: str, word: str, others: Mapping[str, str], read: Read) -> str:
    """The end of a sentence about a name that no file defines, from the names that stand behind a `def`."""
    near = get_close_matches(word, others, n=1)
    if not near:
        return f"; it defines {listed(others)}." if others else "."
    try:
        path = others[near[0]]
        return did_you_mean(name, scan(read(path), path).functions)
    except ScriptError:
        return "."


def _functions(body: list[ast.stmt], prefix: str) -> Iterator[Function]:
    for node in body:
        match node:
            case ast.FunctionDef(name=name, args=args) | ast.AsyncFunctionDef(name=name, args=args):
                yield _function(prefix, name, args, node)
            case ast.ClassDef(name=name, body=inner):
                yield from _functions(inner, f"{prefix}{name}.")
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda(args=args)):
                yield _function(prefix, name, args, node)
            case ast.If() | ast.Try() | ast.With():
                for part in ("body", "orelse", "finalbody"):
                    yield from _functions(getattr(node, part, []), prefix)
            case _:
                pass


def _function(prefix: str, name: str, args: ast.arguments, node: ast.stmt) -> Function:
    positional = [*args.posonlyargs, *args.args]
    optional = {one.arg for one in positional[len(positional) - len(args.defaults) :]}
    optional |= {one.arg for one, value in zip(args.kwonlyargs, args.kw_defaults, strict=True) if value is not None}
    decorators = [one.id for one in getattr(node, "decorator_list", ()) if isinstance(one, ast.Name)]
    own = positional[1:] if prefix and "staticmethod" not in decorators else positional
    params = tuple(Param(one.arg, _spelled(one.annotation), one.arg in optional) for one in [*own, *args.kwonlyargs])
    more = args.vararg is not None or args.kwarg is not None
    return Function(prefix + name, node.lineno, params, more, _spelled(getattr(node, "returns", None)))


def _spelled(node: ast.expr | None) -> str:
    if node is None:
        return ""
    try:
        return ast.unparse(node)
    except RecursionError:
        return ""


def _constants(tree: ast.Module) -> Iterator[tuple[str, Any]]:
    """Names that the file sets once, at its top, to a plain value."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            value = _value(node.value, {})
            if value is not _NO_VALUE:
                yield node.targets[0].id, value


def _value(node: ast.expr | None, constants: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return constants.get(node.id, _NO_VALUE)
    try:
        return ast.literal_eval(node) if node is not None else _NO_VALUE
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _NO_VALUE


def _options(tree: ast.Module, constants: Mapping[str, Any]) -> Iterator[Option]:
    seen: set[str] = set()
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for node in sorted(calls, key=lambda one: (one.lineno, one.col_offset)):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
            option = _option(node, constants)
            if option is not None and option.name not in seen:
                seen.add(option.name)
                yield option


def _option(node: ast.Call, constants: Mapping[str, Any]) -> Option | None:
    flags = [flag for one in node.args if isinstance(flag := _value(one, constants), str) and flag]
    given = {one.arg: one.value for one in node.keywords if one.arg}
    if not flags:
        return None
    flag = next((one for one in flags if one.startswith("--")), flags[0])
    dest = _value(given.get("dest"), constants)
    name = dest if isinstance(dest, str) else flag.lstrip("-").replace("-", "_")
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
        return None
    values = {key: _value(given.get(key), constants) for key in ("default", "choices", "help", "required", "nargs")}
    default = None if values["default"] is _NO_VALUE else values["default"]
    choices = values["choices"]
    return Option(
        name,
        flag if flag.startswith("-") else "",
        node.lineno,
        _option_type(given, default),
        default,
        tuple(choices) if isinstance(choices, list | tuple) else None,
        values["help"] if isinstance(values["help"], str) else "",
        is_required=values["required"] is True or (not flag.startswith("-") and "nargs" not in given),
        is_switch=_is_switch(given),
        is_many="nargs" in given and values["nargs"] != "?",
    )


def _is_switch(given: Mapping[str, ast.expr]) -> bool:
    action = given.get("action")
    return (action is not None and _value(action, {}) not in {"store", _NO_VALUE}) or isinstance(action, ast.Attribute)


def _option_type(given: Mapping[str, ast.expr], default: Any) -> Literal["float", "int", "str", "bool", "json"]:
    """What `type=` names; else what the default is."""
    kind = given.get("type")
    if isinstance(kind, ast.Name):
        return {"float": "float", "int": "int", "bool": "bool"}.get(kind.id, "str")  # type: ignore[return-value]  # all of them are types of options
    if isinstance(default, bool):
        return "bool"
    return "str"
