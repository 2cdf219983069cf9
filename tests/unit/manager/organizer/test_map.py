"""The memory map: content lies once, by its digest, and whoever reads it maps the same pages (requirement 087)."""

from __future__ import annotations

import io
import mmap
from pathlib import Path

import numpy as np
import pytest

from tests.unit.datter.kit import Bench, scope_of
from tests.unit.manager.organizer.conftest import Home, digest

READ = """
def task():
    one, other = access("here"), access("there")
    root = one
    while getattr(root, "base", None) is not None:
        root = root.base
    return [one.flags.writeable, type(root).__name__, float(one[-1, 0]), float(other[-1, 0])]
"""


@pytest.mark.req("r087")
def test_what_is_stored_once_is_mapped_by_all_and_written_by_none(home: Home, tmp_path: Path) -> None:
    raw = io.BytesIO()
    np.save(raw, np.arange(1 << 20, dtype=float).reshape(-1, 4))
    home.install({"one/m.npy": raw.getvalue(), "two/m.npy": raw.getvalue()})
    blob = home.layout.blob(digest(raw.getvalue()))
    assert [path for path in home.layout.blobs.rglob("*") if path.is_file()] == [blob]
    scope = scope_of(tmp_path, declared={"data": {"here": {"path": "one/m.npy"}, "there": {"path": "two/m.npy"}}})
    scope.files.update({"one/m.npy": blob, "two/m.npy": blob})
    last = float((1 << 20) - 4)
    assert Bench(tmp_path / "out").run(READ, scope).results == [False, mmap.mmap.__name__, last, last]
    assert blob.stat().st_mode & 0o222 == 0
