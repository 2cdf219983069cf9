"""Where the search for a formula's numbers begins: many places tried at once, the best of them kept.

Names that the formula is linear in follow from the others by least squares (Golub, Pereyra 1973), so only the others
are tried: at rates, widths and places that the span of x suggests. The same data always gives the same beginnings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Curve = Callable[..., Floats]
TRIED_MAX = 4_096
POINTS_MAX = 64
BEST = 4
TURNS = 32
PLAIN = (0.1, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
ALIKE = 1e-12
"""Of the share that a combination of names may have of the largest one; below it, it is left out."""


def beginnings(
    curve: Curve, linear: Sequence[str], names: Sequence[str], x: Floats, y: Floats, start: Mapping[str, float]
) -> Floats:
    """The values of the names that come nearest to the data, best first: at most 5 x names.

    Args:
        curve: its values at places, given those of all names; all broadcast.
        linear: names of which it is a sum of multiples.
        names: all that are looked for.
        x: places.
        y: values there, so large that squares of them are floats.
        start: names whose beginning is given.
    """
    linear = [name for name in linear if name not in start]
    others = [name for name in names if name not in linear]
    chosen = np.unique(np.linspace(0, len(x) - 1, POINTS_MAX).astype(int))
    x, y = x[chosen], y[chosen]
    tried = _tried([_values(x, start.get(name)) for name in others])

    def computed(**values: float) -> Floats:
        given = {name: tried[:, [place]] for place, name in enumerate(others)} | values
        return curve(np.broadcast_to(x, (len(tried), len(x))), *(given[name] for name in names))

    with np.errstate(all="ignore"):
        nothing = dict.fromkeys(linear, 0.0)
        ground = computed(**nothing)
        rest = y - ground
        shapes = [computed(**nothing | {name: 1.0}) - ground for name in linear]
        solved, misfit = _solved(np.stack(shapes, axis=2), rest) if shapes else (tried[:, :0], (rest**2).sum(axis=1))
    both = dict(zip([*others, *linear], [*tried.T, *solved.T], strict=True))
    found: Floats = np.stack([both[name] for name in names], axis=1)
    misfit = np.where(np.isfinite(found).all(axis=1) & np.isfinite(misfit), misfit, np.inf)
    order = np.argsort(misfit, kind="stable")[:BEST]
    plain = np.array([[start.get(name, 1.0) for name in names]])
    return np.concatenate([found[order[np.isfinite(misfit[order])]], plain])


def _values(x: Floats, given: float | None) -> Floats:
    """What one name is tried as."""
    if given is not None:
        return np.array([given])
    span = float(x.max() / 2 - x.min() / 2) * 2 or 1.0
    with np.errstate(over="ignore"):
        rates = np.concatenate([np.logspace(-3, 3, 25), 2 * np.pi * np.arange(1, TURNS + 1)]) / span
        sizes = np.concatenate([PLAIN, rates, span * np.array([0.03, 0.1, 0.3, 1.0])])
    places = np.quantile(x / span, [0, 0.25, 0.5, 0.75, 1]) * span
    found = np.unique(np.concatenate([sizes, -sizes, places]))
    finite: Floats = found[np.isfinite(found)]
    return finite


def _tried(values: Sequence[Floats]) -> Floats:
    """All combinations, or as many of them, evenly drawn, as are tried at most."""
    total = prod(len(one) for one in values)
    if total <= TRIED_MAX:
        return np.stack([one.ravel() for one in np.meshgrid(*values)], axis=1) if values else np.empty((1, 0))
    chance = np.random.default_rng(0)
    return np.stack([chance.choice(one, TRIED_MAX) for one in values], axis=1)


def _solved(shapes: Floats, rest: Floats) -> tuple[Floats, Floats]:
    """The linear names of each try, and how far it is from the data."""
    sizes = np.abs(shapes).max(axis=1)
    usable = np.isfinite(sizes).all(axis=1) & (sizes > 0).all(axis=1) & np.isfinite(rest).all(axis=1)
    units, aims = shapes[usable] / sizes[usable][:, None], rest[usable]
    products = np.einsum("tnl,tnm->tlm", units, units)
    shares = np.einsum("tlm,tnm,tn->tl", np.linalg.pinv(products, ALIKE, hermitian=True), units, aims)
    solved, misfit = np.full(sizes.shape, np.nan), np.full(len(sizes), np.inf)
    solved[usable] = shares / sizes[usable]
    misfit[usable] = ((aims - np.einsum("tnl,tl->tn", units, shares)) ** 2).sum(axis=1)
    return solved, misfit
