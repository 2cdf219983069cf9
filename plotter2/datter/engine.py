"""pca, kmean and fit as scripts and pipelines call them: with the run's seed, and keeping names.

The mathematics is in `cluster` and `fitting`, which know nothing of runs.
"""

from __future__ import annotations

from typing import Any

from plotter2.datter import cluster, fitting
from plotter2.datter.context import current
from plotter2.datter.expression import Expr, expr
from plotter2.datter.points import Clusters, Projection


def _passed_on(before: Any, after: Any) -> Any:
    context = current()
    return context.know(after, context.name_of(before))


def pca(data: Any, k: int = 2, *, standardise: bool | None = None) -> Projection:
    """Principal components: centred, largest loading positive; columns of a table get unit variance first.

    Rows x columns in; rows x k out, with `.explained` (shares of variance), `.components` (k x columns), `.loadings`.
    What is missing is left out, and said. See `cluster.pca`.
    """
    found: Projection = _passed_on(data, cluster.pca(data, k, standardise=standardise))
    return found


def kmean(data: Any, k: int | None = None, *, standardise: bool | None = None, starts: int | None = None) -> Clusters:
    """Clusters by k-means, largest first; without k, the best silhouette of 2 to 8.

    Rows x columns in; `.labels` (one a row), `.centres` (k x columns), `.inertia`, `.sizes`. See `cluster.kmean`.
    """
    made = cluster.kmean(data, k, seed=current().run.seed, standardise=standardise, starts=starts)
    found: Clusters = _passed_on(data, made)
    return found


def fit(data: Any, other: Any = None, model: str | Expr = "linear") -> fitting.Fit:
    """A curve through data by least squares: linear, poly:2 to poly:10, exp, or a formula as expr("y = a x^b").

    y, or x and y, or two columns in; `.params` (lowest power first, or the formula's names), `.errors` (one standard
    error each), `.r2`, `.residuals`, and a `.curve` with its 95 % band. Call it to compute. Definition: see `fitting`.
    """
    if isinstance(other, Expr) or (isinstance(other, str) and other.startswith(("linear", "poly", "exp"))):
        other, model = None, other
    if isinstance(model, str) and "=" in model:
        model = expr(model)
    return fitting.fit(data, other, model)
