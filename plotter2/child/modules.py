"""Modules that ship beside a script: found by name in its bundle, whatever they are called, and gone after the run.

They are read from the content of the very version that the run stands on (their files lie somewhere under the name of
their digest), so a finder serves them and nothing is added to `sys.path`. Only `.py` files; what else a bundle holds is
data, reached through `access`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

from typing_extensions import override

_PLACE = "bundle:/"


class _Loader(SourceLoader):
    """Loads one bundle's modules; their code is compiled once a program, executed once a run."""

    def __init__(self, names: dict[str, str], files: Mapping[str, str], compiled: dict[str, CodeType]) -> None:
        self._names = names
        self._files = files
        self._compiled = compiled

    @override
    def get_filename(self, fullname: str) -> str:
        return self._names[fullname]

    @override
    def get_data(self, path: str) -> bytes:
        try:
            return Path(self._files[path]).read_bytes()
        except KeyError:
            raise FileNotFoundError(path) from None

    @override
    def get_code(self, fullname: str) -> CodeType | None:
        name = self._names[fullname]
        if name not in self._compiled:
            self._compiled[name] = self.source_to_code(self.get_data(name), name)
        return self._compiled[name]


class UserModules(MetaPathFinder):
    """A context in which the modules of one bundle can be imported, before any others that are not loaded yet."""

    def __init__(self, roots: Sequence[str], files: Mapping[str, str]) -> None:
        self._roots = [root.strip("/") for root in roots]
        self._files = files
        self._folders = _folders(files)
        self._names: dict[str, str] = {}
        self._given: set[str] = set()
        self._loader = _Loader(self._names, files, {})

    def __enter__(self) -> None:
        sys.meta_path.insert(0, self)

    def __exit__(self, *_: object) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for name in self._given:
            sys.modules.pop(name, None)
        self._given.clear()

    @override
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """As the import system asks it."""
        folders = self._roots if path is None else [one.removeprefix(_PLACE) for one in path if one.startswith(_PLACE)]
        last = fullname.rpartition(".")[2]
        namespace: list[str] = []
        for folder in folders:
            place = f"{folder}/{last}" if folder else last
            if f"{place}/__init__.py" in self._files:
                return self._spec(fullname, f"{place}/__init__.py", place)
            if f"{place}.py" in self._files:
                return self._spec(fullname, f"{place}.py", None)
            if place in self._folders:
                namespace.append(_PLACE + place)
        if not namespace:
            return None
        self._given.add(fullname)
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = namespace
        return spec

    def _spec(self, fullname: str, name: str, package: str | None) -> ModuleSpec:
        self._names[fullname] = name
        self._given.add(fullname)
        spec = ModuleSpec(fullname, self._loader, origin=name, is_package=package is not None)
        spec.has_location = True
        if package is not None:
            spec.submodule_search_locations = [_PLACE + package]
        return spec


def _folders(files: Mapping[str, str]) -> set[str]:
    found: set[str] = set()
    for name in files:
        if name.endswith(".py"):
            parts = name.split("/")[:-1]
            found.update("/".join(parts[: n + 1]) for n in range(len(parts)))
    return found
