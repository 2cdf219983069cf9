"""The words in braces that a service's templates may have, as in `--lr {lr}` (pure)."""

from __future__ import annotations

import re

_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
BUILT_IN_PLACES = frozenset({"python", "output", "bundle", "work"})
"""Placeholders that plotter2 fills: interpreter, output directory, the bundle's read-only tree, working directory."""


def places(text: str) -> list[str]:
    """The placeholder names in a template, in order."""
    return _PLACE.findall(text)


def fill(text: str, values: dict[str, str]) -> str:
    """Put values into a template; other braces stay as they are."""
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), text)
