"""Each drawing of a page holds all that it needs: the page draws one when it is seen, and lets it go again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from plotter2.datter.context import Context
from plotter2.datter.figures.frame import Report
from plotter2.datter.pages import compose
from plotter2.datter.values.table import Table


def ids(part: Any) -> Iterator[tuple[str, bool]]:
    """Each id of a model, and whether it is defined there."""
    if isinstance(part, dict):
        if isinstance(part.get("id"), str):
            yield part["id"], "name" in part
        for one in part.values():
            yield from ids(one)
    elif isinstance(part, list):
        for one in part:
            yield from ids(one)


@pytest.mark.req("r134", "r164")
def test_each_drawing_defines_every_model_that_it_names(context: Context) -> None:
    page = Report("many")
    for scale in range(4):
        page.add(np.arange(9.0) * scale, title=f"series {scale}")
        page.add(np.eye(3) * scale, Table({"a": [1.0, 2, 3], "b": [1.0, 3, 2]}), title=f"others {scale}")
    written = (context.run.output_dir / compose.send_report(context, page).path).read_text()
    found = re.search(r'<script type="application/json" id="doc">(.*?)</script>', written, re.DOTALL)
    assert found is not None
    roots = json.loads(found[1])["roots"]
    assert len(roots) == 12
    for root in roots:
        known = list(ids(root))
        assert {one for one, _ in known} == {one for one, is_defined in known if is_defined}
