"""Where random choices come from: a seed for each instance, and for each time that it goes on after an op (R12).

Others have drawn numbers meanwhile, and an attempt that is lived through again must draw the same ones.
"""

from __future__ import annotations

import random
from functools import wraps
from typing import Any

import numpy as np
from blake3 import blake3

SEED_BYTES = 4
ENTROPY_BITS = 128
SEEDS = 1 << 32
"""numpy takes so many."""


def seed_of(*parts: object) -> int:
    """A seed that follows from these: an instance's from its run's seed, its definition and its keys' names."""
    return int.from_bytes(blake3("\0".join(map(str, parts)).encode()).digest(SEED_BYTES), "big")


_default_rng = np.random.default_rng


def settle() -> None:
    """Have numpy's newer generators follow from the seed as well where a script gives them none.

    For processes in which nothing but runs is done: it changes numpy.
    """
    vars(np.random)["default_rng"] = default_rng


@wraps(_default_rng)
def default_rng(seed: Any = None) -> np.random.Generator:
    """numpy's, but for one without a seed, whose numbers follow from what was sown."""
    return _default_rng(random.getrandbits(ENTROPY_BITS) if seed is None else seed)


def sow(seed: int) -> None:
    """From now on every random choice follows from this."""
    random.seed(seed)
    np.random.seed(seed % SEEDS)  # noqa: NPY002 -- it is the user's code that may use the old generator
