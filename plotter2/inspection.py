"""What the files of a bundle declare, read and checked as a whole: for the manager at each install, and for `check`.

Reads text only; imports and executes nothing of what came. Where the files lie is the caller's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from plotter2 import scan
from plotter2.datter.check import check_source
from plotter2.datter.values.keys import find, is_pattern
from plotter2.datter.vocabulary import NONE, Additions
from plotter2.errors import PackageError, ScriptError
from plotter2.model import document, package
from plotter2.model.bundle import CODE, PACKAGE_FILE
from plotter2.model.names import did_you_mean, listed
from plotter2.model.package import Head, Package, TaskDeclaration
from plotter2.model.task import PIPELINE_SUFFIX, SCRIPT_SUFFIX, SOURCE_BYTES_MAX, TaskKind
from plotter2.scan import Function

NEAR_FILES_MAX = 5_000

Read = Callable[[str], bytes]
"""The content of one file of the bundle, by its path."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What was found.

    Attributes:
        package_json: the text of package.json, "" for none.
        functions: for each head that is a function: the file that defines it, and its signature.
    """

    package_json: str = ""
    package: Package = field(default_factory=Package)
    functions: Mapping[str, tuple[str, Function]] = field(default_factory=dict)


def inspect(sizes: Mapping[str, int], read: Read, own: Additions = NONE) -> Declared:
    """Read package.json, and check that what it names is there and can be understood.

    Args:
        sizes: every file of the bundle, with its bytes.
        read: reads one of them; asked only for files that are small enough.
        own: what the installation adds that it is for.

    Raises:
        PackageError: package.json is wrong, or names what is not there; with line and key.
        ScriptError: a task's source has a fault; file and line.
    """
    if PACKAGE_FILE not in sizes:
        return Declared()
    files = _Files(sizes, read)
    text = files.text(PACKAGE_FILE, package.BYTES_MAX)
    declared = package.parse(text)
    for i, task in enumerate(declared.tasks):
        with _Place(text, ("tasks", i)):
            _check_task(task, files, own)
    functions: dict[str, tuple[str, Function]] = {}
    for name, head in declared.heads.items():
        with _Place(text, ("heads", name)):
            if head.function:
                functions[name] = _function(head, files)
            elif head.file and declared.service is None and not _is_there(head.file, sizes):
                raise PackageError(f"there is no file {head.file!r} in the bundle{files.hint(head.file)}")
    return Declared(text, declared, functions)


class _Files:
    """The files of a bundle, as text."""

    def __init__(self, sizes: Mapping[str, int], read: Read) -> None:
        self.sizes = sizes
        self._read = read

    def text(self, path: str, bytes_max: int) -> str:
        if self.sizes[path] > bytes_max:
            raise PackageError(f"{path} has {self.sizes[path]} bytes; at most {bytes_max} can be read.")
        try:
            return self._read(path).decode()
        except UnicodeDecodeError as wrong:
            raise PackageError(f"{path} is not UTF-8 text: {wrong.reason} at byte {wrong.start}.") from None

    def hint(self, path: str) -> str:
        """The end of a sentence about a file that is not there; a bundle may have a million others."""
        return did_you_mean(path, islice(self.sizes, NEAR_FILES_MAX))

    def code(self, path: str) -> str:
        try:
            return self.text(path, scan.SOURCE_BYTES_MAX)
        except PackageError as wrong:
            raise ScriptError(wrong.message) from None


class _Place:
    """Says of what is wrong inside where package.json speaks of it."""

    def __init__(self, text: str, path: document.Path) -> None:
        self._text = text
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, wrong: BaseException | None, _trace: object) -> None:
        if isinstance(wrong, PackageError):
            line = document.line_of(self._text, self._path)
            raise PackageError(f"package.json, line {line}, {document.spell(self._path)!r}: {wrong.message}") from None


def _check_task(task: TaskDeclaration, files: _Files, own: Additions) -> None:
    if task.pipeline is not None:
        check_source(package.pipeline_json(task), package.pipeline_place(task), TaskKind.PIPELINE, own)
        return
    path = task.task_src
    if path not in files.sizes:
        raise PackageError(f"task {task.name!r} names {path!r}, which is not in the bundle{files.hint(path)}")
    if not path.endswith((PIPELINE_SUFFIX, SCRIPT_SUFFIX)):
        raise PackageError(f"task {task.name!r} names {path!r}; a task is a .py script or a .json pipeline.")
    kind = TaskKind.PIPELINE if path.endswith(PIPELINE_SUFFIX) else TaskKind.SCRIPT
    check_source(files.text(path, SOURCE_BYTES_MAX), path, kind, own)


def _function(head: Head, files: _Files) -> tuple[str, Function]:
    path, found = scan.find(head.function, files.sizes, CODE, files.code)
    misfit = next(_misfits(head, found), "")
    if misfit:
        signature = f"{found.name}({', '.join(one.name for one in found.params)})"
        raise PackageError(f"{path}, line {found.line}: {signature} {misfit}")
    return path, found


def _misfits(head: Head, found: Function) -> Iterator[str]:
    """In what the declared parameters are not those of the function; a head may leave all of them out."""
    names = [one.name for one in found.params]
    for name in head.params:
        if name not in names and not found.takes_more:
            yield f"takes no {name!r}{did_you_mean(name, names)}"
    missing = [one.name for one in found.params if head.params and not one.has_default and one.name not in head.params]
    if missing:
        yield f"also needs {listed(repr(one) for one in missing)}; declare all that it needs in 'params', or none."


def _is_there(path: str, sizes: Mapping[str, int]) -> bool:
    return bool(find(sizes, path)) if is_pattern(path) else path in sizes
