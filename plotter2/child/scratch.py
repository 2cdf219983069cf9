"""The directory a run works in: the child's own, empty at each start, given the run's name only when it is used.

So a tiny run costs no directory of its own, and what a crashed run left is never found by the next.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from blake3 import blake3

from plotter2.child.frames import Made

FILES_MAX = 10_000
DIGEST_CHUNK_BYTES = 1 << 20


class Scratch:
    """One child's working directory below `temp/runs/`."""

    def __init__(self, runs: Path, name: str, common: Path | None = None) -> None:
        """`common`: where children leave what others need too."""
        self._runs = runs
        self.common = common
        self.path = runs / name
        self._aside = runs / f"{name}-aside"
        self._handle = -1
        self._renew()

    def enter(self) -> None:
        """Be the current directory, wherever the last run went."""
        os.fchdir(self._handle)

    @property
    def is_empty(self) -> bool:
        """Whether the run has left nothing."""
        return not os.listdir(self._handle)  # noqa: PTH208 -- of a descriptor: one call to the kernel

    def clear(self) -> None:
        """Throw away what is there."""
        if not self.is_empty:
            self._renew()

    def files(self) -> list[str]:
        """Regular files that lie there, by name, sorted; hidden ones and links are passed over.

        Raises:
            ValueError: more than anybody would look at.
        """
        found: list[str] = []
        for folder, folders, names in os.walk(self.path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            base = Path(folder)
            for name in names:
                path = base / name
                if not name.startswith(".") and path.is_file() and not path.is_symlink():
                    found.append(path.relative_to(self.path).as_posix())
            if len(found) > FILES_MAX:
                raise ValueError(f"It left more than {FILES_MAX} files.")
        return sorted(found)

    def measure(self, name: str, kind: str, title: str) -> Made:
        """A file as it will be reported.

        Raises:
            OSError: it is not there or cannot be read.
        """
        hasher = blake3()
        size = 0
        with (self.path / name).open("rb") as file:
            while chunk := file.read(DIGEST_CHUNK_BYTES):
                hasher.update(chunk)
                size += len(chunk)
        return Made(name, kind, title, size, hasher.digest())

    def hand_over(self, name: str) -> None:
        """Give all that is there the run's own name, and begin with an empty directory."""
        target = self._runs / name
        if target.exists():  # a repeat of the same run and epoch
            shutil.rmtree(target)
        self.path.rename(target)
        self._renew()

    @property
    def values(self) -> Path:
        """Where instances write what others may read."""
        return self._aside / "values"

    def set_aside(self, name: str) -> bool:
        """Keep what is there until `take_up`, and begin with an empty directory; False: nothing is there."""
        if self.is_empty:
            return False
        self._aside.mkdir(exist_ok=True)
        self.path.rename(self._aside / name)
        self._renew()
        return True

    def take_up(self, name: str) -> None:
        """Have what was set aside, at the very path that it had."""
        shutil.rmtree(self.path)
        (self._aside / name).rename(self.path)
        self._open()

    def _renew(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True, exist_ok=True)
        self._open()

    def _open(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.enter()
