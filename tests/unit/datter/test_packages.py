"""What a run is given: its bundle, those below, and of others just what links lend (requirement 101)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plotter2.datter.run import RunInput, execute
from plotter2.datter.scope import Scope
from plotter2.errors import TaskFailedError
from plotter2.lending import needed
from plotter2.model.link import Form, Head, Link
from plotter2.model.types import Mode
from tests.unit.datter.kit import scope_of, written

DECLARED = {"data": {"w": {"path": "weights.npy"}, "private": {"path": "private.npy"}}}
LENT = Head("lib/b", "w", Form.DATA, "w")
"""What the other bundle gives; `a` calls it `weights`."""
Calls = Callable[[str], Any]


@pytest.fixture
def run(tmp_path: Path) -> Calls:
    raw = {}
    for name in ("weights", "private", "mine", "deep"):
        np.save(tmp_path / f"{name}.npy", np.arange(3.0))
        raw[f"{name}.npy"] = (tmp_path / f"{name}.npy").read_bytes()
    below = scope_of(written(tmp_path / "below", {"deep.npy": raw["deep.npy"]}), "a/below")
    own = scope_of(written(tmp_path / "own", {"mine.npy": raw["mine.npy"]}), "a", descendants=[below])
    other = scope_of(
        written(tmp_path / "b", {name: raw[name] for name in ("weights.npy", "private.npy")}), "lib/b", DECLARED
    )
    names = needed(list(other.files), json.dumps(DECLARED), {LENT})
    lent = Scope("lib/b", 3, {name: other.files[name] for name in names}, other.package)
    link = Link(Head("a", "weights", Form.DATA, "weights"), LENT, Mode.MUTABLE)

    def calls(body: str) -> Any:
        given = RunInput(
            "r", "t", "script", f"def task():\n    return {body}\n", "t.py", {}, 7, own, tmp_path / "out",
            links={"weights": (link,)}, lenders={"lib/b": lent},
        )  # fmt: skip
        return execute(given, lambda _: None).results

    return calls


@pytest.mark.req("r101")
@pytest.mark.parametrize(
    "body", ["access('mine')", "access('deep')[0]", "load('a/below', 'deep')", "access('weights')"],
    ids=["its own", "below", "of a bundle below", "over a link"],
)  # fmt: skip
def test_what_is_in_the_package_is_there(run: Calls, body: str) -> None:
    assert run(f"[float(x) for x in {body}]") == [0.0, 1.0, 2.0]


@pytest.mark.req("r101")
@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("access('private')", "'private'"),
        ("access('private.npy')", "'private.npy'"),
        ("load('lib/b', 'private')", "'lib/b'"),
        ("load('other', 'mine')", "'other'"),
    ],
)
def test_what_no_link_leads_to_is_not(run: Calls, body: str, says: str) -> None:
    with pytest.raises(TaskFailedError, match=f"UsageError: There is no .*{says}"):
        run(body)
