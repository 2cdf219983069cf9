"""Modules that ship beside a script: found by name in its bundle, whatever they are called, and gone after the run.

They are read from the content of the very version that the run stands on (their files lie somewhere under the name of
their digest), so a finder serves them and nothing is added to `sys.path`. Only `.py` files; what else a bundle holds is
data, reached through `access`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from typing_extensions import override

_PLACE = "bundle:/"
_BESIDE = "bundle file "


class _Loader(SourceLoader):
    """Loads one bundle's modules; their code is compiled once a program, executed once a run."""

    def __init__(
        self, names: dict[str, str], files: Mapping[str, str], label: str, code: dict[str, CodeType],
        words: Mapping[str, Any] | None,
    ) -> None:  # fmt: skip
        self._words = words
        self._names = names
        self._files = files
        self._label = label
        self._compiled = code

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
    def exec_module(self, module: ModuleType) -> None:
        if self._words is not None:
            module.__dict__["__builtins__"] = self._words
        super().exec_module(module)

    @override
    def get_code(self, fullname: str) -> CodeType | None:
        name = self._names[fullname]
        if name not in self._compiled:
            self._compiled[name] = self.source_to_code(self.get_data(name), self._label + name)
        return self._compiled[name]


class UserModules(MetaPathFinder):
    """A context in which the modules of one bundle can be imported, before any others that are not loaded yet."""

    def __init__(
        self,
        roots: Sequence[str],
        files: Mapping[str, str],
        label: str = "",
        code: dict[str, CodeType] | None = None,
        words: Mapping[str, Any] | None = None,
    ) -> None:
        """Serve the modules of some files.

        Args:
            roots: folders to import from.
            files: name in the bundle to local path.
            label: stands before their names in tracebacks.
            code: what others have compiled of them already, by name; takes what is compiled now.
            words: the built-ins that they see; None: Python's.
        """
        self._roots = [root.strip("/") for root in roots]
        self._files = files
        self._folders = _folders(files)
        self._names: dict[str, str] = {}
        self._given: set[str] = set()
        self._kept: dict[str, ModuleType] = {}
        self._loader = _Loader(self._names, files, label, {} if code is None else code, words)

    def __enter__(self) -> None:
        self.step_back()

    def __exit__(self, *_: object) -> None:
        self.forget()

    def forget(self) -> None:
        """Be found no more, and let everything go that was imported."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for name in self._given:
            sys.modules.pop(name, None)
        self._given.clear()
        self._kept.clear()

    def step_aside(self) -> None:
        """Let another bundle's modules be the ones that are found; these are kept as they are."""
        self._kept = {name: sys.modules.pop(name) for name in self._given if name in sys.modules}
        sys.meta_path.remove(self)

    def step_back(self) -> None:
        """Be found again, where `step_aside` or nothing was called before."""
        sys.modules.update(self._kept)
        sys.meta_path.insert(0, self)

    def module(self, path: str) -> ModuleType:
        """The module that a file of the bundle is, imported as the bundle's own code would import it.

        A file outside all roots is loaded by itself, and one that is called like a library that is loaded
        already stands beside that under a name of its own.
        """
        inside = [root for root in self._roots if path.startswith(f"{root}/" if root else "")]
        root = max(inside, key=len) if inside else path.rpartition("/")[0]
        parts = path.removeprefix(f"{root}/").removesuffix(".py").removesuffix("/__init__").split("/")
        name = ".".join(parts)
        is_taken = name in sys.modules and name not in self._given
        if not inside or is_taken or any("." in part for part in parts):
            return self._beside(path, f"{_BESIDE}{path}")
        return import_module(name)

    def _beside(self, path: str, name: str) -> ModuleType:
        if name in sys.modules:
            return sys.modules[name]
        spec = self._spec(name, path, None)
        module = module_from_spec(spec)
        sys.modules[name] = module
        self._loader.exec_module(module)
        return module

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
