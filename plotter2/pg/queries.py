"""Named queries: every statement of a store lives in one .sql file, each under a name and with a comment.

::

    -- name: find_request
    -- The request made under a client key.
    select ...
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from plotter2.errors import ConfigError

_NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)$", re.MULTILINE)


class Queries:
    """Statements by name; asking for one that is not there is a mistake of the programmer and raises KeyError."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = dict(texts)

    @classmethod
    def load(cls, path: Path) -> Queries:
        """Read a file of named queries.

        Raises:
            ConfigError: a name is there twice, or has no statement.
        """
        _, *parts = _NAME.split(path.read_text())
        texts: dict[str, str] = {}
        for name, body in zip(parts[::2], parts[1::2], strict=True):
            text = "\n".join(line for line in body.splitlines() if not line.startswith("--")).strip().removesuffix(";")
            if name in texts or not text:
                raise ConfigError(f"{path.name}: query {name!r} {'is there twice' if text else 'has no statement'}.")
            texts[name] = text
        return cls(texts)

    def __getitem__(self, name: str) -> str:
        return self._texts[name]

    @property
    def names(self) -> frozenset[str]:
        """What is there."""
        return frozenset(self._texts)
