"""Scripts, read without running them: `X as Y` rewritten, names checked, the contract found, code compiled once.

Compiled scripts are kept by their text; running one again costs a lookup. Executes nothing.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType

from plotter2.datter.builtins import NAMES
from plotter2.datter.scripting import contract, naming, renaming
from plotter2.datter.scripting.axes import Axis
from plotter2.datter.scripting.contract import EMPTY, Contract
from plotter2.datter.values.keys import nearest
from plotter2.errors import ScriptError

KEPT_SCRIPTS = 256
CHARS_MAX = 256 << 10
"""Python's parser takes up to 600 times a text in memory, 10 s a megabyte, and lets nothing else run meanwhile."""
ENTRY = contract.ENTRY
BY_NAME = "nothing is called like it; data is asked for in quotes, as access({name!r})"
_HAS_CONTRACT = re.compile(r"\b(?:expose|impose)\b")
_DYNAMIC = frozenset({"exec", "eval", "globals", "vars", "locals", "setattr", "__import__"})
_PYTHON = frozenset(dir(builtins))
_MODULE_NAMES = frozenset({"__name__", "__file__", "__doc__", "__builtins__", "__annotations__", "__debug__"})


@dataclass(frozen=True, slots=True)
class Script:
    """A script that can run.

    Attributes:
        symbols: bare names of the contract that nothing binds; they stand for themselves.
        contract: what the module level says of the script.
        binds: imposed names that the module does not bind itself.
    """

    filename: str
    source: str
    code: CodeType
    symbols: tuple[str, ...] = ()
    contract: Contract = EMPTY
    binds: frozenset[str] = frozenset()

    @property
    def exposes(self) -> tuple[str, ...]:
        """Names that the module level says it gives."""
        return tuple(dict.fromkeys(one.name for one in self.contract.exposes))

    @property
    def imposes(self) -> tuple[str, ...]:
        """Names that the module level wants bound."""
        return tuple(one.name for one in self.contract.imposes)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Those of them that are keys of data; one instance for each key."""
        return self.contract.axes


@lru_cache(maxsize=KEPT_SCRIPTS)
def compiled(source: str, filename: str, own: frozenset[str] = frozenset()) -> Script:
    """Read a script; `own` are words that the installation adds.

    Raises:
        ScriptError: it cannot run: too long, a syntax error, no `task()`, an unknown name; with file and line.
    """
    source = source.removeprefix("\ufeff")
    if len(source) > CHARS_MAX:
        raise ScriptError(
            f"{filename} has {len(source)} characters; a script has at most {CHARS_MAX}. Put data into a bundle."
        )
    try:
        text = renaming.rewritten(source) if _HAS_CONTRACT.search(source) else source
        tree = ast.parse(text, filename)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as wrong:
        raise ScriptError(renaming.hint(source, wrong, filename) or _syntax(wrong, filename)) from None
    try:
        _check_entry(tree, filename)
        said = contract.read(tree, filename)
        defined, used = _names(text, filename)
        known = NAMES | own
        symbols = tuple(sorted(said.symbols - defined - known - _PYTHON))
        there = known | _PYTHON | defined
        _check_names(tree, used - there - _MODULE_NAMES - set(symbols), filename, there)
        code = compile(naming.named(tree), filename, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError) as wrong:
        raise ScriptError(_syntax(wrong, filename)) from None
    return Script(filename, source, code, symbols, said, frozenset(one.name for one in said.imposes) - defined)


def _syntax(wrong: BaseException, filename: str) -> str:
    if isinstance(wrong, SyntaxError):
        return f"{filename}, line {wrong.lineno or 1}: {wrong.msg}."
    return f"{filename}: this is not Python that can be read: {wrong}."


def _check_entry(tree: ast.Module, filename: str) -> None:
    found = [
        node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == ENTRY
    ]
    assigned = any(
        isinstance(target, ast.Name) and target.id == ENTRY
        for node in tree.body if isinstance(node, ast.Assign) for target in node.targets
    )  # fmt: skip
    imported = any(
        (one.asname or one.name) == ENTRY
        for node in tree.body if isinstance(node, ast.ImportFrom) for one in node.names
    )  # fmt: skip
    if not found and not assigned and not imported:
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name == ENTRY:
                raise ScriptError(f"{filename}, line {node.lineno}: {ENTRY} is a class; write `def {ENTRY}():`.")
        others = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        near = f"; {nearest(ENTRY, others)}" if others else ""
        raise ScriptError(f"{filename}: there is no `def {ENTRY}():`, which is what runs{near}.")
    for node in found:
        if isinstance(node, ast.AsyncFunctionDef) or any(
            isinstance(one, ast.Yield | ast.YieldFrom) for one in _own(node)
        ):
            raise ScriptError(
                f"{filename}, line {node.lineno}: {ENTRY}() must be a plain function, without async and yield."
            )


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, without those of functions inside it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield child
            yield from _own(child)


def _names(text: str, filename: str) -> tuple[set[str], set[str]]:
    """Names that the module binds, and names that are looked up as global anywhere."""
    defined, used = set(), set()
    tables = [symtable.symtable(text, filename, "exec")]
    while tables:
        table = tables.pop()
        is_top = table.get_type() == "module"
        for symbol in table.get_symbols():
            is_bound = symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
            if is_bound and (is_top or symbol.is_declared_global()):
                defined.add(symbol.get_name())
            if symbol.is_referenced() and (is_top or symbol.is_global()):
                used.add(symbol.get_name())
        tables.extend(table.get_children())
    return defined, used


def _check_names(tree: ast.Module, unknown: set[str], filename: str, known: frozenset[str]) -> None:
    """Refuse a name that can never be found, unless the script makes names as it runs or is ready for it."""
    if not unknown:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(one.name == "*" for one in node.names):
            return
        if isinstance(node, ast.Name) and node.id in _DYNAMIC:
            return
    guarded = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.Try) and _catches_names(node)
        for inner in ast.walk(node)
    }
    found = [
        node for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in unknown and node not in guarded
    ]  # fmt: skip
    if found:
        first = min(found, key=lambda node: (node.lineno, node.col_offset))
        close = nearest(first.id, sorted(known), BY_NAME.format(name=first.id))
        raise ScriptError(f"{filename}, line {first.lineno}: unknown name {first.id!r}; {close}.")


def _catches_names(node: ast.Try) -> bool:
    caught = {
        one.id for handler in node.handlers for one in ast.walk(handler.type or handler) if isinstance(one, ast.Name)
    }
    return bool(caught & {"NameError", "Exception", "BaseException"}) or any(one.type is None for one in node.handlers)
