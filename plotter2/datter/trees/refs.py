"""What a reference to a value says of the content that must be at hand before it can be followed (pure).

`plotter2.datter.trees.laying` makes references and follows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

PLAIN = "json:"
"""How a reference begins that is the value itself."""
DIGEST = re.compile(r"[#:]([0-9a-f]{64})(?:=([a-z]*))?$")


def digest_of(ref: str) -> str:
    """The digest of the content that a reference needs, hexadecimal; "" for none."""
    found = None if ref.startswith(PLAIN) else DIGEST.search(ref)
    return found[1] if found else ""


def digests_of(refs: Iterable[str]) -> list[str]:
    """The digests of all content that some references need, each once."""
    return list(dict.fromkeys(digest for ref in refs if (digest := digest_of(ref))))
