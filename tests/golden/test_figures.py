from __future__ import annotations

import json

import pytest

from tests.golden.figures import FIGURES, HERE, specification


@pytest.mark.parametrize("name", sorted(FIGURES))
@pytest.mark.req("r134", "r135", "r138", "r140", "r141")
def test_the_specification_is_the_kept_one(name: str) -> None:
    assert specification(name) == json.loads((HERE / f"{name}.json").read_text())
