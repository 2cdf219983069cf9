"""Bare names in `expose(...)` and `impose(...)` mean names, also where something stands behind them (r178, r181; pure).

`impose(seed)` imposes `seed`, whatever value it is bound to by then. `expose(matrix)` inside a function publishes what
`matrix` is there; at the module level it only announces, because what it names may be made further down. Lines and
columns stay as they are.
"""

from __future__ import annotations

import ast
from typing import Any

from typing_extensions import override

from plotter2.datter.scripting.contract import EXPOSE, IMPOSE


def named(tree: ast.Module) -> ast.Module:
    """The same script, its bare names in `expose` and `impose` made names; the tree itself is changed."""
    _Named().visit(tree)
    return tree


class _Named(ast.NodeTransformer):
    """Knows whether it is inside a function."""

    def __init__(self) -> None:
        self._depth = 0

    def _inside(self, node: ast.AST) -> ast.AST:
        self._depth += 1
        found = self.generic_visit(node)
        self._depth -= 1
        return found

    @override
    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        return self._inside(node)

    @override
    def visit_Lambda(self, node: ast.Lambda) -> Any:
        return self._inside(node)

    @override
    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        word = node.func.id if isinstance(node.func, ast.Name) else ""
        if word == IMPOSE or (word == EXPOSE and not self._depth):
            node.args = [_text(one) if isinstance(one, ast.Name) else one for one in node.args]
        elif word == EXPOSE:
            said = {one.arg for one in node.keywords}
            bare = {one.id: one for one in node.args if isinstance(one, ast.Name) and one.id not in said}
            node.args = [one for one in node.args if not isinstance(one, ast.Name)]
            node.keywords += [ast.copy_location(ast.keyword(name, one), one) for name, one in bare.items()]
        return node


def _text(name: ast.Name) -> ast.Constant:
    return ast.copy_location(ast.Constant(name.id), name)
