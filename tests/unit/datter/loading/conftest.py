"""What tests of readers share: a folder whose files are read whole, and once more by blocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from plotter2.datter.values import spill


@pytest.fixture(params=["in memory", "by blocks"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Both readers have to say the same."""
    if request.param == "by blocks":
        monkeypatch.setattr(spill, "LARGE_BYTES", 1)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path
