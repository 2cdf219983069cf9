"""The files in a config directory that add to plotter2: read as bytes, a bounded number of bounded ones. Blocking.

For the manager, which keeps them, and for `check` and `config` of the command line. What they say is read elsewhere
(`plotter2.datter.additions`); nothing of them is imported.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from plotter2.datter import additions
from plotter2.datter.vocabulary import Additions, Word
from plotter2.errors import ConfigError
from plotter2.model.additions import ENDINGS, FILE_BYTES_MAX, FILES_MAX, TEMPLATES, Entry, is_one

Seen = tuple[tuple[str, int, int], ...]
"""Names, times of change in nanoseconds, and sizes: as long as they are the same, nobody reads the files again."""


def look(folder: Path) -> Seen:
    """Which files there are. A folder that is not there has none.

    Raises:
        ConfigError: it cannot be read, or there are more than 1,000 files.
    """
    found: list[tuple[str, int, int]] = []
    try:
        for name in ENDINGS:
            if not (folder / name).is_dir():
                continue
            for path in islice((folder / name).iterdir(), FILES_MAX + 1):
                status = path.stat()
                if is_one(f"{name}/{path.name}") and path.is_file():
                    found.append((f"{name}/{path.name}", status.st_mtime_ns, status.st_size))
    except OSError as wrong:
        raise ConfigError(f"{wrong.filename or folder} cannot be read: {wrong.strerror}.") from None
    if len(found) > FILES_MAX:
        raise ConfigError(f"{folder} adds more than {FILES_MAX:,} files; that is more than can be kept.")
    return tuple(sorted(found))


def contents(folder: Path, seen: Seen) -> dict[str, bytes]:
    """What is in these files, of each no more than the most it may have and a byte; one that is gone is left out."""
    found: dict[str, bytes] = {}
    for name, _, __ in seen:
        try:
            with (folder / name).open("rb") as file:
                found[name] = file.read(FILE_BYTES_MAX + 1)
        except OSError:
            continue
    return found


def read(folder: Path) -> Additions:
    """What a config directory adds.

    Raises:
        ConfigError: it cannot be read.
    """
    return additions.read(contents(folder, look(folder)))


def entries(own: Additions) -> tuple[Entry, ...]:
    """Templates, then operations, then visual types, each by name."""
    templates = (
        Entry("template", name, f"{TEMPLATES}/{name}.toml", description=one.description, digest=one.digest)
        for name, one in sorted(own.templates.items())
    )
    operations = (_word("operation", one, own) for _, one in sorted(own.operations.items()))
    return (*templates, *operations, *(_word("visual", one, own) for _, one in sorted(own.visuals.items())))


def _word(kind: str, word: Word, own: Additions) -> Entry:
    return Entry(kind, word.name, word.file, word.line, word.params, word.doc, word.suits, own.files[word.file].hex())
