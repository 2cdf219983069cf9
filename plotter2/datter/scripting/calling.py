"""Links that run: operations called by name, each done as the bundle of this run does it (requirements 036 to 047).

    A.params --> forward --> B.params           arguments
    A.returns <-- backward <-- B.returns         what comes back

Every arrow is checked on the values of every call. What goes in can be read and not written. What comes back over a
constant link nobody can write; over a mutable one it is the caller's own. Where the code of a function comes from is
the business of whoever runs this: `RunInput.function`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import Parameter, signature, unwrap
from typing import Any

from plotter2.datter.context import Context
from plotter2.datter.scope import Scope
from plotter2.datter.scripting import contracts
from plotter2.datter.values.keys import find, is_pattern, unknown
from plotter2.errors import UsageError
from plotter2.model.link import Form, Head, Link, Origin
from plotter2.model.types import Mode

Read = Callable[[Context, Scope, str], Any]
_BY_NAME = {Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY}


class Operation:
    """Something that can be called by name. Calling it does it."""

    def __init__(self, context: Context, link: Link, read: Read) -> None:
        self._context, self._link, self._read = context, link, read

    @property
    def bundle(self) -> str:
        """Whose means do it."""
        return self._link.given.bundle

    @property
    def shape(self) -> str:
        """What it takes and gives."""
        return self._link.expected.shape

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Do it.

        Raises:
            UsageError: a value on the way is not what its head declares; both types are named.
        """
        link = self._link
        given = [contracts.lent(one) for one in self._in_order(args, named)]
        self._check_taken(link.expected, given)
        for step in link.epsilon.forward:
            given = [contracts.lent(self._done(step, given))]
        value = self._done(link.given, given)
        for step in link.epsilon.backward:
            value = self._done(step, [contracts.lent(value)])
        value = contracts.each(value, lambda one: self._check_given(link.expected, one))
        value = contracts.own(value) if link.mode is Mode.MUTABLE else contracts.sealed(value)
        return self._context.know(value, link.operation)

    def _in_order(self, args: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
        if not named:
            return list(args)
        names = [name for name, _ in self._link.expected.params or ()]
        if len(names) != len(args) + len(named) or set(names[len(args) :]) != named.keys():
            takes = ", ".join(names) or "nothing by name"
            raise UsageError(f"{_called(self._link.expected)} takes {takes}; given by name are {', '.join(named)}.")
        return [*args, *(named[name] for name in names[len(args) :])]

    def _done(self, head: Head, given: list[Any]) -> Any:
        """One arrow's end: what it takes is checked, what it gives too."""
        if head.form is Form.DATA:
            value = self._read(self._context, _scope_of(self._context, self._link, head), head.place)
        else:
            self._check_taken(head, given)
            function = self._context.run.function(head)
            _note_code(self._context, head, function)
            value = _applied(function, head, given)
        return contracts.each(value, lambda one: self._check_given(head, one))

    def _check_taken(self, head: Head, given: list[Any]) -> None:
        if not head.params or self._link.is_forced:
            return
        if len(given) != len(head.params):
            raise UsageError(f"{_called(head)} takes {len(head.params)} values, and was given {len(given)}.")
        for (name, kind), value in zip(head.params, given, strict=True):
            if reason := contracts.misfit(kind, value, self._link.mode):
                raise UsageError(f"{_called(head)} takes {kind} as {name!r}, and {reason}.")

    def _check_given(self, head: Head, value: Any) -> None:
        if self._link.is_forced:
            return
        if reason := contracts.misfit(head.returns, value, self._link.mode):
            raise UsageError(f"{_called(head)} returns {head.returns}, and {reason}.")


def _called(head: Head) -> str:
    return f"{head.name!r} of {head.bundle!r}"


def _note_code(context: Context, head: Head, function: Callable[..., Any]) -> None:
    """Whose file a function comes from is part of a page's story, as the files that were read are."""
    own = context.run.scope
    scope = own if head.bundle == own.bundle else context.run.lenders.get(head.bundle)
    code = getattr(unwrap(function), "__code__", None)
    if scope is None or code is None:
        return
    path = code.co_filename.removeprefix(scope.label)
    if path in scope.files:
        context.called[scope.bundle, scope.version, path] = scope.files[path]


def _applied(function: Callable[..., Any], head: Head, given: list[Any]) -> Any:
    """Call it as it wants to be called: by name where names are declared, with nothing where it takes nothing."""
    wanted = signature(function).parameters
    if not wanted:
        return function()
    by_place, by_name = [], {}
    for number, value in enumerate(given):
        name = head.params[number][0] if head.params else ""
        if name in wanted and wanted[name].kind in _BY_NAME:
            by_name[name] = value
        else:
            by_place.append(value)
    return function(*by_place, **by_name)


def _scope_of(context: Context, link: Link, head: Head) -> Scope:
    """Where the data of a head is: with the bundle of the head, or here, where it is shared and lies here too."""
    own = context.run.scope
    is_own = head.bundle == own.bundle or (link.origin is Origin.SHARED and _is_there(own, head))
    return own if is_own else context.run.lenders[head.bundle]


def chosen(context: Context, name: str, of: str, read: Read) -> Operation:
    """What a name means in this run.

    Args:
        context: the run.
        name: of an operation or a link.
        of: the bundle that shall do it; "" for the one that does it here.
        read: reads data by key, path or pattern.

    Raises:
        UsageError: there is none; with the nearest names, or the bundles that could be meant.
    """
    links = context.run.links
    if name not in links:
        raise unknown(f"operation of {context.run.scope.bundle or 'this run'} called", name, links)
    found = [one for one in links[name] if of in {"", one.given.bundle}]
    if not found:
        raise unknown(f"link of {name!r} to a bundle called", of, _bundles(links[name]))
    if found[0].given.form is Form.TASK:
        raise UsageError(f"{name!r} is a task, which runs by itself: `plotter2 run`. Functions and data can be called.")
    return Operation(context, found[0], read)


def _bundles(links: Iterable[Link]) -> list[str]:
    return list(dict.fromkeys(one.given.bundle for one in links))


def data(context: Context, name: str, *, is_own: bool) -> Link | None:
    """The link by which data of this name is found, where it leads to data, or something expects data there.

    Args:
        context: the run.
        name: an operation or a link.
        is_own: only links that the bundle of this run has itself; else only those that it shares with others.
    """
    link = next(iter(context.run.links.get(name, ())), None)
    if link is None or (link.origin is Origin.SHARED) == is_own:
        return None
    if Form.DATA not in {link.expected.form, link.given.form} or link.given.form is Form.TASK:
        return None
    is_there = link.given.form is not Form.DATA or _is_there(_scope_of(context, link, link.given), link.given)
    return link if is_there else None


def _is_there(scope: Scope, head: Head) -> bool:
    declared = scope.package.data.get(head.place) if scope.package is not None else None
    path = declared.path if declared is not None else head.place
    return bool(find(scope.files, path)) if is_pattern(path) else path in scope.files
