"""Functions behind links, loaded from the code of the bundle that has them (requirements 041, 045).

Each bundle is a world of its own: while a function of it runs, `import model` finds its `model.py`, whatever the script
or another bundle calls theirs. What was imported is kept for the length of a run, and gone after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from inspect import getattr_static, signature
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from plotter2 import scan
from plotter2.child.frames import Program
from plotter2.child.modules import UserModules
from plotter2.datter.additions import LABEL
from plotter2.datter.builtins import namespace
from plotter2.datter.scope import Scope
from plotter2.datter.vocabulary import NONE as NOTHING
from plotter2.datter.vocabulary import Additions, Word
from plotter2.errors import PackageError, UsageError
from plotter2.model.additions import OPERATIONS, PICTURES
from plotter2.model.bundle import CODE
from plotter2.model.link import Head


class Lenders:
    """The code of one program: its own modules while it runs, and those of the bundles that links lead to."""

    def __init__(
        self,
        program: Program,
        own: Scope,
        lenders: dict[str, Scope],
        code: defaultdict[str, dict[str, CodeType]] | None = None,
        added: Additions = NOTHING,
        built_in: Mapping[str, Any] | None = None,
    ) -> None:
        """Know where the code lies.

        Args:
            program: what runs.
            own: the bundle that it runs on.
            lenders: the bundles that links lead to, by path.
            code: what others have compiled of it, by bundle ("" for the program's own) and file.
            added: what the installation adds, read from the program's files of its own.
            built_in: the words that all this code can use but that of other bundles; made where others have not.
        """
        self._built_in = namespace(added.calls) if built_in is None else built_in
        self._program, self._own, self.scopes = program, own, lenders
        self.additions = added
        self._called: dict[str, Callable[..., Any]] = {}
        self.own_files = {LABEL + name: Path(path) for name, path in program.additions.items()}
        self._words = {
            folder: UserModules([folder], program.additions, LABEL, words=self._built_in)
            for folder in (OPERATIONS, PICTURES)
            if program.additions
        }
        self._files = {own.bundle: own, **lenders}
        self._modules = program.modules
        self._code = defaultdict(dict) if code is None else code
        self._host = (
            UserModules(program.roots, program.modules, "", self._code[""], self._built_in) if program.modules else None
        )
        self._rooms: dict[str, UserModules] = {}
        self._places: dict[tuple[str, str], tuple[str, str]] = {}
        self._made: dict[tuple[str, str], Any] = {}
        self._present: UserModules | None = None

    def __enter__(self) -> None:
        self._present = self._host
        if self._host is not None:
            self._host.step_back()

    def __exit__(self, *_: object) -> None:
        for room in (*self._words.values(), *self._rooms.values(), *([self._host] if self._host is not None else ())):
            room.forget()
        self._made.clear()
        self._called.clear()
        self._present = None

    def another(self) -> Lenders:
        """The same code for an instance by itself: modules of its own, compiled once for all."""
        return Lenders(self._program, self._own, self.scopes, self._code, self.additions, self._built_in)

    def step_aside(self) -> None:
        """Let others run: what this program has imported is found no more, and kept."""
        if self._present is not None:
            self._present.step_aside()

    def step_back(self) -> None:
        """Go on where `step_aside` was called."""
        if self._present is not None:
            self._present.step_back()

    def function(self, head: Head) -> Callable[..., Any]:
        """The function behind a head, to be called while this program runs.

        Raises:
            UsageError: the code has no such function, or it is a method of a class that cannot be made without values.
        """
        room = self._room(head.bundle)
        path, name = self._place(head)
        with self._inside(room):
            found = self._bound(room.module(path), name, head)
        return self._at_home(room, found)

    def word(self, word: Word) -> Callable[..., Any]:
        """The function of one of the installation's own words; each of their folders is a world of its own too.

        Raises:
            UsageError: it is no function once its file has run.
        """
        if word.name in self._called:
            return self._called[word.name]
        room = self._words[word.kind]
        with self._inside(room):
            found = getattr(room.module(word.file), word.name, None)
        if not callable(found):
            raise UsageError(f"config/{word.where}: {word.name!r} is no function once its file has run.")
        made = self._called[word.name] = self._at_home(room, found)
        return made

    def _at_home(self, room: UserModules, found: Callable[..., Any]) -> Callable[..., Any]:
        """The function, which finds its own modules whenever it is called."""

        @wraps(found)
        def called(*args: Any, **named: Any) -> Any:
            with self._inside(room):
                return found(*args, **named)

        return called

    def _room(self, bundle: str) -> UserModules:
        room = self._rooms.get(bundle)
        if room is None:
            scope = self._files[bundle]
            code = {name: str(path) for name, path in scope.files.items() if name.endswith(scan.CODE_SUFFIX)}
            if self._host is not None and code == self._modules:
                return self._host  # the script's own code: one world, so that its classes are the same ones
            room = self._rooms[bundle] = UserModules([CODE], code, scope.label, self._code[bundle])
        return room

    def _place(self, head: Head) -> tuple[str, str]:
        key = head.bundle, head.place
        if key not in self._places:
            files = self._files[head.bundle].files
            try:
                path, function = scan.find(head.place, files, CODE, lambda one: _text(files, one))
            except PackageError as wrong:
                raise UsageError(f"{head.name!r} of {head.bundle!r}: {wrong.message}") from None
            self._places[key] = path, function.name
        return self._places[key]

    @contextmanager
    def _inside(self, room: UserModules) -> Iterator[None]:
        before = self._present
        if room is before:
            yield
            return
        if before is not None:
            before.step_aside()
        room.step_back()
        self._present = room
        try:
            yield
        finally:
            room.step_aside()
            if before is not None:
                before.step_back()
            self._present = before

    def _bound(self, module: ModuleType, name: str, head: Head) -> Callable[..., Any]:
        owner: Any = None
        found: Any = module
        last = name.rpartition(".")[2]
        for part in name.split("."):
            owner, found = found, getattr(found, part, None)
        if not callable(found):
            raise UsageError(f"{head.name!r} of {head.bundle!r}: {name!r} is no function once its code has run.")
        is_method = isinstance(owner, type) and isinstance(getattr_static(owner, last, None), FunctionType)
        bound: Callable[..., Any] = getattr(self._instance(owner, head), last) if is_method else found
        return bound

    def _instance(self, owner: type, head: Head) -> Any:
        """One object of a class a run, made without values: a link can give it none."""
        key = head.bundle, f"{owner.__module__}.{owner.__qualname__}"
        if key not in self._made:
            try:
                signature(owner).bind()
            except TypeError:
                raise UsageError(
                    f"{head.name!r} of {head.bundle!r} is a method, and {owner.__name__} cannot be made without "
                    "values: give its __init__ defaults, or link a plain function."
                ) from None
            self._made[key] = owner()
        return self._made[key]


def _text(files: Mapping[str, Any], path: str) -> str:
    text: str = files[path].read_text(errors="replace")
    return text
