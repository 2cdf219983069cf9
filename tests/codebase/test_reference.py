"""Reference pages that are written from code say what the code says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from plotter2.model.package.declare import Package

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.req("r066", "r069")
def test_the_published_schema_of_package_json_is_what_its_reader_takes() -> None:
    done = subprocess.run(
        [sys.executable, "tools/package_schema.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    published = json.loads((ROOT / "docs" / "reference" / "package.schema.json").read_text())
    assert set(published["$defs"]["Package"]["properties"]) == set(Package.__struct_encode_fields__)
    assert published["$defs"]["Package"]["additionalProperties"] is False
