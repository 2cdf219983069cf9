"""Which parameters a script uses, and which it repeats itself with, told from its text (pure).

What `task` and `impose` name, and what is asked of `me.parameters` by a name that stands there. Where a script may look
at parameters by names that do not stand in it, nothing can be told.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator

ME = "me"
OF_ME = frozenset({"task", "bundle", "version", "keys", "owners"})
"""What a script asks of itself that tells no parameter."""
PARAMETERS = "parameters"
IMPOSE, REPEAT, OVER = "impose", "repeat", "over"
_CODE = frozenset({"eval", "exec", "globals", "vars", "locals", "getattr"})
_ASKING = frozenset({"get", "pop", "setdefault"})
"""Words by which one value of a dictionary is asked for."""


def taken(tree: ast.Module, entry: ast.FunctionDef | None, own: Container[str]) -> frozenset[str] | None:
    """The parameters that a script uses; None where any may be used.

    Args:
        tree: the script, its `X as Y` rewritten.
        entry: its `task`, None for one that is no plain function of it.
        own: the names of its functions, which may do anything with what they are given.
    """
    if entry is None or entry.args.kwarg is not None:
        return None
    asked = _of_me(tree, own)
    if asked is None:
        return None
    found = {one.arg for one in (*entry.args.posonlyargs, *entry.args.args, *entry.args.kwonlyargs)} | asked
    for node in _called(tree, IMPOSE):
        if any(word.arg is None for word in node.keywords):
            return None
        found |= {str(word.arg) for word in node.keywords}
        found |= {one.id for one in node.args if isinstance(one, ast.Name)}
        found |= {str(one.value) for one in node.args if isinstance(one, ast.Constant)}
    return frozenset(found)


def repeated(tree: ast.Module) -> tuple[tuple[str, int], ...]:
    """The parameters that it repeats itself with, each with its line, as far as they stand in it."""
    return tuple(
        (str(key.value), key.lineno)
        for node in _called(tree, REPEAT)
        for word in node.keywords
        if word.arg == OVER and isinstance(word.value, ast.Dict)
        for key in word.value.keys
        if isinstance(key, ast.Constant)
    )


def _called(tree: ast.Module, word: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == word:
            yield node


def _of_me(tree: ast.Module, own: Container[str]) -> set[str] | None:
    """What is asked of `me.parameters` by its name; None where it may look at more: by `me`, in code that it makes."""
    above = {id(child): node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name):
            continue
        if node.id in _CODE:
            return None
        if node.id != ME:
            continue
        use = above[id(node)]
        if isinstance(use, ast.Attribute) and use.attr == PARAMETERS:
            name = _asked(use, above)
            if name is None:
                return None
            found.add(name)
        elif not (isinstance(use, ast.Attribute) and use.attr in OF_ME) and not _is_given_on(node, use, own):
            return None
    return found


def _is_given_on(node: ast.Name, use: ast.AST, own: Container[str]) -> bool:
    """Whether a built-in is given it, as link(me, tasks)."""
    return isinstance(use, ast.Call) and isinstance(use.func, ast.Name) and use.func.id not in own and node in use.args


def _asked(parameters: ast.AST, above: dict[int, ast.AST]) -> str | None:
    """The one name that is asked of `me.parameters` where it stands; None where it is used in another way."""
    use = above[id(parameters)]
    name: ast.expr | None = None
    if isinstance(use, ast.Subscript):
        name = use.slice
    elif isinstance(use, ast.Compare) and use.comparators == [parameters]:
        name = use.left
    elif isinstance(use, ast.Attribute) and use.attr in _ASKING:
        call = above[id(use)]
        name = call.args[0] if isinstance(call, ast.Call) and call.func is use and call.args else None
    return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else None
