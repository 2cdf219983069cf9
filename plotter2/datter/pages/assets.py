"""What all pages share: Bokeh's script, one file a version. Loads nothing of Bokeh."""

from __future__ import annotations

import base64
import re
import zlib
from functools import lru_cache
from importlib import metadata, util
from pathlib import Path

from plotter2.errors import FailedError

FOLDER = "_assets"
"""Beside the pages; in an installation one for all, at the top of `output/`."""
HEAD_BYTES = 64 << 10
"""Of a page: what names the script stands there."""
LEVELS_MAX = 100
NAME = re.compile(r"bokeh-[0-9][0-9a-z.]{0,30}\.min\.js")
_NAMED = re.compile(rf'<script src="((?:\.\./){{0,{LEVELS_MAX}}}){FOLDER}/({NAME.pattern})">'.encode())


@lru_cache(maxsize=1)
def version() -> str:
    """Bokeh's version; its script carries it in its name, so that old pages keep theirs."""
    return metadata.version("bokeh")


def script_name() -> str:
    """The name of Bokeh's script in that folder."""
    return f"bokeh-{version()}.min.js"


def named_by(page: Path) -> tuple[int, str] | None:
    """How many levels above a page the folder lies, and the script that it wants there; None: it wants none."""
    with page.open("rb") as file:
        found = _NAMED.search(file.read(HEAD_BYTES))
    return (found[1].count(b"/"), found[2].decode()) if found else None


@lru_cache(maxsize=1)
def script_path() -> Path:
    """Where the installed Bokeh keeps its script.

    Raises:
        FailedError: Bokeh is not installed.
    """
    found = util.find_spec("bokeh")
    if found is None or not found.submodule_search_locations:
        raise FailedError("Bokeh is not installed; run `make setup`.")
    return Path(found.submodule_search_locations[0]) / "server/static/js/bokeh.min.js"


@lru_cache(maxsize=1)
def packed_script() -> str:
    """Bokeh's script for a page that shall need nothing beside it: deflated, in base64; a third of its size."""
    return base64.b64encode(zlib.compress(script_path().read_bytes(), 9)).decode()
