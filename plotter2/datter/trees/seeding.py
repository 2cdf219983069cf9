"""Where random choices come from: a seed for each instance, and for each time that it goes on after an op (R12).

Others have drawn numbers meanwhile, and an attempt that is lived through again must draw the same ones.
"""

from __future__ import annotations

import random

import numpy as np
from blake3 import blake3

SEED_BYTES = 4
SEEDS = 1 << 32
"""numpy takes so many."""


def seed_of(*parts: object) -> int:
    """A seed that follows from these: an instance's from its run's seed, its definition and its keys' names."""
    return int.from_bytes(blake3("\0".join(map(str, parts)).encode()).digest(SEED_BYTES), "big")


def sow(seed: int) -> None:
    """From now on every random choice follows from this."""
    random.seed(seed)
    np.random.seed(seed % SEEDS)  # noqa: NPY002 -- it is the user's code that may use the old generator
