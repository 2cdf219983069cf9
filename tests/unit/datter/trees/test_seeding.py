"""Where random choices come from."""

from __future__ import annotations

import numpy as np
import pytest

from plotter2.datter.trees import seeding


@pytest.mark.req("r124")
def test_a_generator_without_a_seed_draws_what_was_sown() -> None:
    def draws() -> list[float]:
        seeding.sow(3)
        return [
            float(seeding.default_rng().random()),
            float(seeding.default_rng().random()),
            float(seeding.default_rng().random()),
        ]

    first = draws()
    assert first == draws()
    assert len(set(first)) == 3
    assert seeding.default_rng(5).random() == np.random.default_rng(5).random()
