"""Data keys: the names by which a bundle's data is asked for (requirement 069), and their natural order (pure).

A key comes from package.json's `data` section, or from a file's name without its endings. Code, tasks and what
plotter2 itself keeps in a bundle are no data; they can still be read by their path. Opens no file.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import translate
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from msgspec.structs import replace

from plotter2.datter.scope import Scope
from plotter2.errors import UsageError
from plotter2.model.bundle import CODE, MANIFEST_FILE, PACKAGE_FILE
from plotter2.model.package import Dialect

NOT_DATA = frozenset({CODE, "tasks", "meta", "shared", "bundles"})
PACKED = frozenset({".gz", ".zip", ".zst"})
TEXTS = frozenset({".txt", ".md", ".log"})
IMAGES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"})
ENDINGS = (
    TEXTS
    | IMAGES
    | frozenset(
        {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".npy", ".npz", ".parquet", ".feather", ".arrow", ".arrows"}
    )
)
NAMED_MAX = 12
PLAIN = Dialect()
_DIGITS = re.compile(r"(\d+)")
_NUMBER = re.compile(r"^(.*?)[ _.=-]*(-?\d+(?:\.\d+)?)$")
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Key:
    """A name, the paths behind it in natural order, and the declared type ("" for: by the file's ending).

    Attributes:
        columns: the declared dtypes of a table's columns, by name.
        folder: of the files of a folder: its path.
        units: what columns are measured in, by name; "" for the values themselves.
        visual: the picture that is declared for it.
        dialect: what is declared of how its text is written.
    """

    name: str
    paths: tuple[str, ...]
    type: str = ""
    is_group: bool = False
    columns: tuple[tuple[str, str], ...] = ()
    folder: str = ""
    units: tuple[tuple[str, str], ...] = ()
    visual: str = ""
    dialect: Dialect = PLAIN


def natural(text: str) -> list[tuple[int, int, str]]:
    """A sort key under which step10 stands after step9."""
    return [(0, int(part), part) if part.isdigit() and part.isascii() else (1, 0, part) for part in _DIGITS.split(text)]


def ending(path: str) -> tuple[str, str]:
    """How a file is written and how it is packed, by its name: `a/flights.csv.gz` is ("csv", ".gz")."""
    name = PurePosixPath(path)
    packed = name.suffix.lower() if name.suffix.lower() in PACKED else ""
    return (name.with_suffix("") if packed else name).suffix.lower().lstrip("."), packed


def stem(path: str) -> str:
    """The file's name without the endings that say how it is written: `a/flights.csv.zip` is `flights`."""
    name = PurePosixPath(path)
    if name.suffix.lower() in PACKED:
        name = name.with_suffix("")
    return name.stem if name.suffix.lower() in ENDINGS else name.name


def ordinal(name: str) -> tuple[str, float] | None:
    """The axis and place that a name carries: `step_00020` is ("step", 20); None for a name without a number."""
    found = _NUMBER.match(name)
    return (found[1], float(found[2])) if found else None


def is_pattern(path: str) -> bool:
    """Whether a path stands for many files."""
    return bool(_WILD.search(path))


@lru_cache(maxsize=1024)
def matcher(pattern: str) -> re.Pattern[str]:
    """A glob over paths: `*` stays inside a folder, `**` crosses folders."""
    parts = []
    for segment in pattern.strip("/").split("/"):
        inner = translate(segment)[4:-3].replace(".*", "[^/]*")  # without (?s: and )\Z
        parts.append("(?:[^/]+/)*" if segment == "**" else inner + "/")
    text = "".join(parts)
    return re.compile((text[:-1] if text.endswith("/") else text + "[^/]+") + r"\Z")


def find(paths: Iterable[str], pattern: str) -> tuple[str, ...]:
    """The paths that a pattern matches, in natural order."""
    found = matcher(pattern)
    return tuple(sorted((path for path in paths if found.match(path)), key=natural))


def inside(paths: Iterable[str], folder: str) -> tuple[str, ...]:
    """The data files of a folder and of those in it, in natural order."""
    start = folder.strip("/") + "/"
    found = (path for path in paths if path.startswith(start) and path != start)
    return tuple(
        sorted((path for path in found if PurePosixPath(path).suffix.lower() in ENDINGS | PACKED), key=natural)
    )


def catalog(scope: Scope) -> dict[str, Key]:
    """Every key of one bundle: declared ones first, then the undeclared files that are data, by name."""
    keys: dict[str, Key] = {}
    covered: set[str] = set()
    for name, declared in (scope.package.data if scope.package else {}).items():
        many = is_pattern(declared.path)
        paths = find(scope.files, declared.path) if many else tuple({declared.path} & scope.files.keys())
        folder = "" if paths or many else declared.path.strip("/")
        paths = paths or inside(scope.files, folder) if folder else paths
        keys[name] = Key(
            name, paths, declared.loads_as, many or bool(folder and paths), declared.columns, folder,
            declared.measured_in, declared.visual, replace(declared.dialect, comment=""),
        )  # fmt: skip
        covered.update(paths)
    for path in sorted(scope.files, key=natural):
        if path not in covered and is_data(path):
            name = stem(path)
            keys.setdefault(name if name not in keys else path, Key(name if name not in keys else path, (path,)))
    return keys


def undeclared(scope: Scope, name: str) -> Key:
    """The key of a path, a pattern or a folder; without paths where the bundle has none of it."""
    if name in scope.files:
        return Key(name, (name,))
    if is_pattern(name):
        return Key(name, find(scope.files, name), is_group=True)
    return Key(name, inside(scope.files, name), is_group=True, folder=name.strip("/"))


_CATALOGS_MAX = 64
_catalogs: OrderedDict[int, tuple[Scope, dict[str, Key]]] = OrderedDict()


def catalog_of(scope: Scope) -> dict[str, Key]:
    """`catalog`, kept for the next runs on the same scope: ten thousand instances do not sort its files anew."""
    kept = _catalogs.get(id(scope))
    if kept is None:  # the scope is kept beside its catalog, so its id stays its own
        kept = _catalogs[id(scope)] = scope, catalog(scope)
        if len(_catalogs) > _CATALOGS_MAX:
            _catalogs.popitem(last=False)
    return kept[1]


def is_data(path: str) -> bool:
    """Whether an undeclared file counts as data of its bundle."""
    parts = PurePosixPath(path)
    if parts.parts[0] in NOT_DATA or parts.name.startswith(".") or path in {PACKAGE_FILE, MANIFEST_FILE}:
        return False
    inner = parts.with_suffix("") if parts.suffix.lower() in PACKED else parts
    return inner.suffix.lower() in ENDINGS


def below(scope: Scope) -> list[Scope]:
    """All bundles below one, parents first."""
    return [one for child in scope.descendants for one in (child, *below(child))]


def run_titles(scopes: Sequence[Scope]) -> list[str]:
    """What tells bundles apart: the parameters in which they differ, else the ends of their names."""
    names = dict.fromkeys(name for one in scopes for name in one.parameters)
    differ = [name for name in names if len({str(one.parameters.get(name)) for one in scopes}) > 1]
    titles = [", ".join(f"{name} = {one.parameters.get(name)}" for name in differ) for one in scopes]
    is_telling = bool(differ) and len(set(titles)) == len(titles)
    return titles if is_telling else [one.bundle.rpartition("/")[2] for one in scopes]


def distinct(names: Sequence[str]) -> Iterator[str]:
    """Names for all columns, each its own."""
    found: set[str] = set()
    taken = {name.strip() for name in names}
    for place, name in enumerate(names):
        plain = name.strip() or f"column {place}"
        wanted, count = plain, 1
        while wanted in found or (count > 1 and wanted in taken):
            count += 1
            wanted = f"{plain} {count}"
        found.add(wanted)
        yield wanted


SHOWN_MAX = 60
_KINDS = {
    "ndarray": "an array", "dict": "a dictionary", "builtin_function_or_method": "a function", "DataGroup": "a group",
    "MaskedArray": "a masked array", "Shape": "what was drawn already",
}  # fmt: skip


def nearest(name: Any, known: Iterable[str], otherwise: str = "") -> str:
    """The end of a sentence about an unknown name: what is near, else what is said `otherwise`, or all there is."""
    names = list(known)
    close = get_close_matches(name, names, n=3, cutoff=0.6) if isinstance(name, str) else []
    listed = ", ".join(repr(one) for one in (close or names)[:NAMED_MAX])
    if close:
        return f"the nearest are {listed}" if len(close) > 1 else f"the nearest is {listed}"
    if otherwise:
        return otherwise
    return f"there are {listed}{' and more' if len(names) > NAMED_MAX else ''}" if names else "there are none"


def unknown(what: str, name: Any, known: Iterable[str]) -> UsageError:
    """The error for a name that nothing answers to."""
    return UsageError(
        f"There is no {what} {name!r}; {nearest(name, known)}."
        if isinstance(name, str)
        else f"A {what} is said by its name, not by {shown(name)}; {nearest(name, known)}."
    )


def shown(value: Any) -> str:
    """What stands in a sentence for a value that was given: itself where it is short, else what kind it is of."""
    if value is None or isinstance(value, str | int | float | complex):
        try:
            written = repr(value)
        except ValueError:  # Python writes no whole number of more than 4,300 digits
            return "a number of thousands of digits"
        return written if len(written) <= SHOWN_MAX else f"{written[:SHOWN_MAX]}..."
    name = type(value).__name__
    if name in _KINDS:
        return _KINDS[name]
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
