"""What a script may change of the interpreter that it shares with all that run after it, and how that is put right.

Environment, warnings, logging, signals and the like are compared after each run and put back. Code that writes into a
library (`numpy.mean = ...`) is found in its text: what it writes into is remembered before it runs. Contexts of numpy
and decimal need no care: each run has a `contextvars.Context` of its own.
"""

from __future__ import annotations

import ast
import builtins
import gc
import locale
import logging
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import ModuleType
from typing import Any, NamedTuple

from plotter2.datter.scripting import renaming

KEPT_TEXTS = 256
_WRITERS = frozenset({"setattr", "delattr"})


class Part(NamedTuple):
    """One thing that can be changed. `read` gives what can be compared and given to `write`."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], None]


class Change(NamedTuple):
    """Something that was changed, and has been put back: how to have it so again."""

    write: Callable[[Any], None]
    value: Any


class Surroundings:
    """How the interpreter was when nothing had run in it."""

    def __init__(self) -> None:
        self._parts = [(part, part.read()) for part in PARTS]
        self._libraries: dict[str, dict[str, Any]] = {}
        self._priority = _priority()

    def watch(self, source: str) -> None:
        """A text is going to run: remember the libraries that it writes into, as they are when nobody has yet."""
        for name in written_into(source) - self._libraries.keys():
            module = sys.modules.get(name)
            if isinstance(module, ModuleType):
                self._libraries[name] = dict(vars(module))

    def put_right(self) -> list[Change]:
        """Put back whatever was changed; gives what it was, for `again`."""
        signal.alarm(0)  # one that rings later would end another run
        changes: list[Change] = []
        for part, was in self._parts:
            now = part.read()
            if _differs(now, was):
                part.write(was)
                changes.append(Change(part.write, now))
        for name, were in self._libraries.items():
            changed = _changed(vars(sys.modules[name]), were)
            if changed:
                changes.append(Change(_writer(name), changed))
                _writer(name)({one: were.get(one, _GONE) for one in changed})
        return changes

    @staticmethod
    def again(changes: list[Change]) -> None:
        """Have it as an instance had left it when it gave way."""
        for change in changes:
            change.write(change.value)

    @property
    def is_beyond_repair(self) -> bool:
        """Whether something was changed that nobody can put back: a process that has stepped back stays there."""
        return _priority() != self._priority


@lru_cache(maxsize=KEPT_TEXTS)
def written_into(source: str) -> frozenset[str]:
    """The modules of libraries whose names a script writes, as its text says: `import numpy as np`, `np.mean = f`."""
    try:
        tree = ast.parse(renaming.rewritten(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    imported = dict(_imported(tree))
    return frozenset(
        name
        for node in ast.walk(tree)
        for target in _targets(node)
        if (name := _module_of(target, imported))
    )  # fmt: skip


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What imports bind: the name in the script, and what it stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                yield (one.asname, one.name) if one.asname else (one.name.partition(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((one.asname or one.name, f"{node.module}.{one.name}") for one in node.names)


def _targets(node: ast.AST) -> Iterator[ast.expr]:
    """Whose attribute this writes."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        yield node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _WRITERS and node.args:
        yield node.args[0]


def _module_of(target: ast.expr, imported: Mapping[str, str]) -> str:
    parts: list[str] = []
    while isinstance(target, ast.Attribute):
        parts.insert(0, target.attr)
        target = target.value
    if not isinstance(target, ast.Name) or target.id not in imported:
        return ""
    name = ".".join([imported[target.id], *parts])
    module = sys.modules.get(name)
    return module.__name__ if isinstance(module, ModuleType) else ""


_GONE = object()


def _differs(now: Any, was: Any) -> bool:
    try:
        return bool(now != was)
    except Exception:  # noqa: BLE001 -- whatever a script has put there compares itself as it likes
        return True


def _changed(present: Mapping[str, Any], were: Mapping[str, Any]) -> dict[str, Any]:
    """The names that stand for something else now, with that; a submodule that was loaded meanwhile is no change."""
    return {
        name: present.get(name, _GONE)
        for name in present.keys() | were.keys()
        if present.get(name, _GONE) is not were.get(name, _GONE)
        and not (name not in were and isinstance(present[name], ModuleType))
    }


def _writer(name: str) -> Callable[[Any], None]:
    def write(values: dict[str, Any]) -> None:
        module = vars(sys.modules[name])
        for one, value in values.items():
            if value is _GONE:
                module.pop(one, None)
            else:
                module[one] = value

    return write


# --- each thing, how it is read and written -------------------------------------------------------------------------


def _environment() -> dict[bytes, bytes]:
    return dict(
        vars(os.environb)["_data"]
    )  # as it is kept: decoding all of it after each run would cost more than that


def _set_environment(was: dict[bytes, bytes]) -> None:
    os.environb.clear()
    os.environb.update(was)
    time.tzset()


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _filters() -> tuple[Any, ...]:
    return warnings.showwarning, *warnings.filters


def _set_filters(was: tuple[Any, ...]) -> None:
    warnings.resetwarnings()  # it tells the modules that have warned before
    warnings.showwarning = was[0]
    vars(warnings)["filters"][:] = was[1:]  # the very list, which other modules hold


def _logging() -> tuple[Any, ...]:
    root = logging.getLogger()
    return root.level, root.manager.disable, *root.handlers


def _set_logging(was: tuple[Any, ...]) -> None:
    root = logging.getLogger()
    level, root.manager.disable, *root.handlers = was
    root.setLevel(level)


def _collects(wanted: bool) -> None:  # noqa: FBT001 -- what `gc.isenabled` gave
    (gc.enable if wanted else gc.disable)()


def _words() -> dict[str, Any]:
    return dict(vars(builtins))


def _set_words(was: dict[str, Any]) -> None:
    present = vars(builtins)
    for name in present.keys() - was.keys():
        del present[name]
    present.update(was)


def _spelling() -> str:
    return locale.setlocale(locale.LC_ALL)


def _set_spelling(was: str) -> None:
    locale.setlocale(locale.LC_ALL, was)


def _set_umask(was: int) -> None:
    os.umask(was)


def _priority() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)


PARTS = (
    Part("environment", _environment, _set_environment),
    Part("file mode", _umask, _set_umask),
    Part("warnings", _filters, _set_filters),
    Part("logging", _logging, _set_logging),
    Part("collector", gc.isenabled, _collects),
    Part("recursion", sys.getrecursionlimit, sys.setrecursionlimit),
    Part("trace", sys.gettrace, sys.settrace),
    Part("profile", sys.getprofile, sys.setprofile),
    Part("spelling", _spelling, _set_spelling),
    Part("builtins", _words, _set_words),
)
