"""The contract of a script: what it gives, what it wants bound, whom it gathers and links, read ahead of execution.

`expose(...)` and `impose(...)` at the module level are its words (requirements 177, 178); calls inside `task()` are
dynamic and are only noted. `X as Y` is rewritten to keywords before (see `renaming.rewritten`). Pure: runs nothing.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from plotter2.datter.scripting import taken
from plotter2.datter.scripting.axes import KEYTYPE, Axis, declared
from plotter2.datter.values.keys import nearest
from plotter2.errors import ScriptError

ENTRY = "task"
EXPOSE, IMPOSE = "expose", "impose"
GATHER = "gather_tasks"
NAMING = frozenset({GATHER, "collect", "link", "task"})
"""Words whose bare `matrix_plot.py` stands for a script of that name."""
ENDINGS = frozenset({"py", "json"})
OTHERS = frozenset({GATHER, "link", "collect"})
"""Words that speak of other tasks, by themselves or as datter's."""
STARTS = "task"
"""The word that starts other tasks, only as datter's: by itself it is the script's own."""
SUSPENDING = frozenset({"release", "collect", "handin"})
"""Words that wait for other tasks, which only a running `task()` can do."""
TYPES = frozenset({"int", "float", "str", "bool", "list", "dict", "tuple", "set", "complex", "bytes"})
HANDLE = "datter"
THRESHOLD = "shared_threshold"
"""The parameter or setting of the bundle: cells count as shared where every matrix is further from 0 than this."""
OF_HANDLE = (KEYTYPE, "Table", "group", "keys", "runs")
SPELLED_CHARS_MAX = 200


class Gives(StrEnum):
    """What kind of thing is exposed (requirement 178)."""

    FUNCTION = "function"
    CONSTANT = "constant"
    PARAMETERS = "parameters"
    RETURNS = "return type"
    DATA = "data"


class Wants(StrEnum):
    """What is imposed on a name."""

    KEY = "key of"
    TYPE = "type"
    VALUES = "one of"
    VALUE = "value"
    GIVEN = "given"


@dataclass(frozen=True, slots=True)
class Exposed:
    """One name that the script gives; `detail` is its signature, value or type as it is spelled, "" for none."""

    name: str
    kind: Gives
    line: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Imposed:
    """One name that the script wants bound.

    Attributes:
        detail: the data whose key it is, the type, or the values, as they are spelled; "" for any value.
    """

    name: str
    kind: Wants
    line: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """What a script says of itself.

    Attributes:
        gathers: definitions whose instances it asks for, as it calls them.
        links: whether it links tasks.
        is_social: whether it speaks of other tasks, or starts some.
        takes: parameters that it uses; None where that cannot be told: it takes all by `**`, or looks at all of
            `me.parameters`.
        repeats: parameters that it repeats itself with, and their lines.
        calls: built-ins and names of Python that it calls, by name.
        entry: the signature of `task`, "" where it is not a plain function of the module.
        symbols: bare names in its contract, which stand for themselves.
        axes: names that are bound to keys; one instance for each.
    """

    exposes: tuple[Exposed, ...] = ()
    imposes: tuple[Imposed, ...] = ()
    gathers: tuple[str, ...] = ()
    links: bool = False
    calls: tuple[str, ...] = ()
    entry: str = ""
    symbols: frozenset[str] = frozenset()
    axes: tuple[Axis, ...] = ()
    is_social: bool = False
    takes: frozenset[str] | None = None
    repeats: tuple[tuple[str, int], ...] = ()


EMPTY = Contract()


def read(tree: ast.Module, filename: str) -> Contract:
    """Read the contract of a script whose `X as Y` is rewritten already.

    Raises:
        ScriptError: it cannot hold: an unknown type, a name imposed twice, a wait outside `task()`; file and line.
    """
    module = _Module(tree, filename)
    called = dict.fromkeys(
        node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    )
    module.check_waits()
    return Contract(
        tuple(module.exposed()),
        tuple(module.imposed()),
        tuple(dict.fromkeys(_gathered(tree))),
        "link" in called,
        tuple(sorted(called)),
        module.signature(ENTRY),
        frozenset(module.symbols()),
        declared(tree),
        module.is_social(called.keys()),
        module.takes(),
        taken.repeated(tree),
    )


def is_met(kind: Wants, wanted: Any, given: Any) -> bool:
    """Whether a value is what is imposed: of the type, one of the values, the value. A truth value is no number."""
    if kind is Wants.TYPE:
        kinds = (int, float) if wanted is float else wanted
        return isinstance(given, kinds) and not (wanted in {int, float} and isinstance(given, bool))
    return given in wanted if kind is Wants.VALUES else kind is not Wants.VALUE or given == wanted


def not_given(name: str) -> str:
    """What is said of an imposed parameter that is missing."""
    return f"This script imposes the parameter {name!r}, which was not given."


def not_met(name: str, wanted: Any, given: Any) -> str:
    """What is said of a parameter that is not what is imposed."""
    named = wanted.__name__ if isinstance(wanted, type) else wanted
    return f"The parameter {name!r} is {given!r}, but the script imposes {named}."


def unmet(imposes: Iterable[Imposed], given: Mapping[str, Any]) -> str:
    """Why parameters are not what must hold, as far as the text of the script says; "" when they are.

    Keys are looked at where instances are planned; what is no literal is only known when the script runs.
    """
    for one in imposes:
        if one.kind is Wants.KEY:
            continue
        if one.name not in given:
            return not_given(one.name)
        wanted = _literal(one)
        if wanted is not None and not is_met(one.kind, wanted, given[one.name]):
            return not_met(one.name, wanted, given[one.name])
    return ""


def _literal(one: Imposed) -> Any:
    if one.kind is Wants.TYPE:
        return getattr(builtins, one.detail) if one.detail in TYPES else None
    try:
        return ast.literal_eval(one.detail)
    except (ValueError, SyntaxError):
        return None


class _Module:
    """The module level of a script."""

    def __init__(self, tree: ast.Module, filename: str) -> None:
        self._tree = tree
        self._filename = filename
        self._functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        self._constants = {
            target.id: node.value
            for node in tree.body if isinstance(node, ast.Assign)
            for target in node.targets if isinstance(target, ast.Name)
        }  # fmt: skip

    def _calls(self, word: str) -> Iterator[ast.Call]:
        for node in self._tree.body:
            call = node.value if isinstance(node, ast.Expr) else None
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == word:
                yield call

    def signature(self, name: str) -> str:
        """Parameters and return type of a function of this module, as they are spelled."""
        node = self._functions.get(name)
        if node is None:
            return ""
        returns = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
        return f"({ast.unparse(node.args)}){returns}"

    def exposed(self) -> Iterator[Exposed]:
        """What the module level gives."""
        takes = {one.arg for one in _arguments(self._functions.get(ENTRY))}
        for call in self._calls(EXPOSE):
            for one in call.args:
                if isinstance(one, ast.Name):
                    yield self._given(one.id, one.lineno, takes)
            for word in call.keywords:
                if word.arg is not None:
                    is_type = isinstance(word.value, ast.Name) and word.value.id in TYPES
                    is_data = isinstance(word.value, ast.Name | ast.Call) and not is_type
                    kind = Gives.RETURNS if is_type else Gives.DATA if is_data else Gives.CONSTANT
                    yield Exposed(word.arg, kind, call.lineno, _spelled(word.value))

    def _given(self, name: str, line: int, takes: set[str]) -> Exposed:
        if name in self._functions:
            return Exposed(name, Gives.FUNCTION, line, self.signature(name))
        if name in self._constants:
            return Exposed(name, Gives.CONSTANT, line, _spelled(self._constants[name]))
        return Exposed(name, Gives.PARAMETERS if name in takes else Gives.DATA, line)

    def imposed(self) -> Iterator[Imposed]:
        """What the module level wants bound."""
        seen: dict[str, Imposed] = {}
        for call in self._calls(IMPOSE):
            found = [Imposed(one.id, Wants.GIVEN, one.lineno) for one in call.args if isinstance(one, ast.Name)]
            found += [self._wanted(word.arg, word.value) for word in call.keywords if word.arg is not None]
            for one in found:
                former = seen.setdefault(one.name, one)
                if (former.kind, former.detail) != (one.kind, one.detail):
                    raise self._wrong(one.line, f"{one.name!r} is imposed twice, and in line {former.line} otherwise")
        yield from seen.values()

    def _wanted(self, name: str, wanted: ast.expr) -> Imposed:
        line = wanted.lineno
        if isinstance(wanted, ast.Call):
            base = self._base(wanted)
            if base:
                return Imposed(name, Wants.KEY, line, base)
        if isinstance(wanted, ast.Attribute):
            self._check_handle(wanted)
        if isinstance(wanted, ast.List | ast.Tuple | ast.Set):
            return Imposed(name, Wants.VALUES, line, _spelled(wanted))
        is_type = (isinstance(wanted, ast.Name) and wanted.id in TYPES) or isinstance(wanted, ast.Attribute)
        return Imposed(name, Wants.TYPE if is_type else Wants.VALUE, line, _spelled(wanted))

    def _base(self, call: ast.Call) -> str:
        """The data of a `datter.keytype(data)`; "" for another call."""
        if isinstance(call.func, ast.Name) and nearest(call.func.id, [KEYTYPE]).startswith("the nearest"):
            raise self._wrong(call.lineno, f"{call.func.id!r} is a word of datter; write datter.{KEYTYPE}(data)")
        if not isinstance(call.func, ast.Attribute):
            return ""
        self._check_handle(call.func)
        if call.func.attr != KEYTYPE:
            return ""
        named = call.args[0] if len(call.args) == 1 and not call.keywords else None
        if isinstance(named, ast.Name):
            return named.id
        if isinstance(named, ast.Constant) and isinstance(named.value, str):
            return named.value
        raise self._wrong(call.lineno, f"datter.{KEYTYPE} takes the name of some data, as datter.{KEYTYPE}(matrix)")

    def _check_handle(self, found: ast.Attribute) -> None:
        is_handle = isinstance(found.value, ast.Name) and found.value.id == HANDLE
        if is_handle and found.attr not in OF_HANDLE:
            raise self._wrong(found.lineno, f"datter has no {found.attr!r}; {nearest(found.attr, OF_HANDLE)}")

    def check_waits(self) -> None:
        """Refuse a wait for other tasks where no task runs."""
        for node in self._tree.body:
            call = node.value if isinstance(node, ast.Expr | ast.Assign) else None
            name = call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
            if name in SUSPENDING and name not in self._functions:
                raise self._wrong(node.lineno, f"{name}() waits for other tasks, so it stands inside `def {ENTRY}():`")

    def is_social(self, called: AbstractSet[str]) -> bool:
        """Whether it speaks of other tasks anywhere; `called` are the names that it calls."""
        own = self._functions.keys() | self._constants.keys()
        return not OTHERS.isdisjoint(called - own) or any(
            isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == HANDLE
            and node.attr in {STARTS, *OTHERS}
            for node in ast.walk(self._tree)
        )  # fmt: skip

    def takes(self) -> frozenset[str] | None:
        """The parameters that it uses; None where any may be used."""
        return taken.taken(self._tree, self._functions.get(ENTRY), self._functions.keys())

    def symbols(self) -> Iterator[str]:
        """Every bare name of the contract that may stand for itself."""
        for word in (EXPOSE, IMPOSE):
            for call in self._calls(word):
                yield from (one.id for one in call.args if isinstance(one, ast.Name))
                for given in call.keywords:
                    if given.arg is not None:
                        yield given.arg
                    if isinstance(given.value, ast.Call):
                        yield from (one.id for one in given.value.args if isinstance(one, ast.Name))
        yield from _definitions(self._tree)

    def _wrong(self, line: int, what: str) -> ScriptError:
        return ScriptError(f"{self._filename}, line {line}: {what}.")


def _definitions(tree: ast.Module) -> Iterator[str]:
    """Bare names of other definitions: `plot.py` where a task is named, `plot` where some are gathered."""
    for node in ast.walk(tree):
        word = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        for one in node.args if isinstance(node, ast.Call) and word in NAMING else ():
            if isinstance(one, ast.Attribute) and one.attr in ENDINGS and isinstance(one.value, ast.Name):
                yield one.value.id
            elif isinstance(one, ast.Name) and word == GATHER:
                yield one.id


def _gathered(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == GATHER:
            for one in node.args:
                is_text = isinstance(one, ast.Constant) and isinstance(one.value, str)
                yield str(one.value) if is_text and isinstance(one, ast.Constant) else _spelled(one)


def _arguments(node: ast.FunctionDef | None) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs] if node is not None else []


def _spelled(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= SPELLED_CHARS_MAX else text[: SPELLED_CHARS_MAX - 1] + "…"
