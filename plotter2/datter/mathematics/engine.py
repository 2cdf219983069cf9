"""pca, kmean, fit and boxer as scripts and pipelines call them: with the run's seed, and keeping names.

The mathematics is in `cluster` and `fitting`, which know nothing of runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from plotter2.datter.context import current
from plotter2.datter.figures.frame import Frame
from plotter2.datter.mathematics import boxes, cluster, fitting
from plotter2.datter.mathematics.boxes import Boxes
from plotter2.datter.mathematics.expression import Expr, expr
from plotter2.datter.values.points import Clusters, Projection


def _passed_on(before: Any, after: Any) -> Any:
    context = current()
    return context.know(after, context.name_of(before))


def pca(data: Any, k: int = 2, *, standardise: bool | None = None) -> Projection:
    """Principal components: centred, largest loading positive; columns of a table get unit variance first.

    Shapes: rows x columns in; rows x k out, with `.explained` (k shares of variance), `.components` (k x columns) and
    `.loadings` (the columns' names). Rows and columns that miss values are left out, and said in `.notes`.
    Units: those of the data; spreads of a column where columns are standardised.
    Definition: eigenvectors of the covariance, by blocks of rows and from differences to means (Chan, Golub, LeVeque
    1983), where rows are 10 times as many as columns and columns at most 1,000; else the singular value decomposition
    of the centred matrix (scikit-learn's PCA), where that takes a second and few components are wanted the randomised
    one (Halko, Martinsson, Tropp 2011). From 256 MiB on the former, or IncrementalPCA for more than 1,000 columns. The
    notes say which.

    Raises:
        UsageError: no numbers, complex ones, fewer than two rows, or k larger than what the data has.
    """
    found: Projection = _passed_on(data, cluster.pca(data, k, standardise=standardise))
    return found


def kmean(data: Any, k: int | None = None, *, standardise: bool | None = None, starts: int | None = None) -> Clusters:
    """Clusters by k-means, largest first; without k, the best silhouette of 2 to 8.

    Shapes: rows x columns in; the rows out, with `.labels` (one a row), `.centres` (k x columns), `.sizes` (k) and
    `.inertia`. Columns of a table get unit variance first.
    Units: centres in those of the columns; inertia in squared units of what was clustered.
    Definition: k-means++ (Arthur, Vassilvitskii 2007) seeded by the run, Lloyd's steps to convergence, the best of
    `starts` (scikit-learn's KMeans and its default: one start; a few clusters in a few columns by `lloyd`, which finds
    the same sooner); from 256 MiB on begun from 100,000 rows, then Lloyd's steps over all rows by blocks, 50 at most.

    Raises:
        UsageError: no numbers, complex ones, k not between 1 and the number of distinct rows, starts not of 1 to 100.
    """
    made = cluster.kmean(data, k, seed=current().run.seed, standardise=standardise, starts=starts)
    found: Clusters = _passed_on(data, made)
    return found


def fit(
    data: Any,
    other: Any = None,
    model: str | Expr = "linear",
    weights: Any = None,
    start: Mapping[str, float] | None = None,
) -> fitting.Fit | Frame:
    """A curve through data by least squares: linear, poly:2 to poly:10, exp, or a formula as "y = a x^b".

    Of a frame: its axes span what is drawn again, whatever ranges were said before; the frame comes back.

    Shapes: n values of y, or n of x and n of y, or n x 2, or a table of x and y in; a group of single numbers lies at
    its keys. `.params` and `.errors` (one standard error each) out, lowest power first or in the order of the formula's
    names, `.residuals` (n), `.r2`, `.notes`, and `.curve` (200 x 4: x, y, and the ends of the 95 % band). Call it to
    compute. `weights`: one a point, or the name of a table's column: 1 / variance of y, in any unit. `start`: values
    of a formula's names near which the search begins; without it many are tried.
    Units: those of y by those of x, as the model says; times are seconds since the first.
    Definition: ordinary least squares by QR of Chebyshev polynomials over x brought to -1..1; formulas by Levenberg and
    Marquardt (MINPACK) from the best beginnings, what is linear in them solved for (Golub, Pereyra 1973). Errors from
    the residual variance with n - p degrees of freedom; the band is the mean's, by Student's t, for formulas linearised
    at the solution (Bates, Watts 1988). Points that miss a value are left out, and said in `.notes`.

    Raises:
        UsageError: no numbers, complex ones, an unknown model, too few points, or a formula that no numbers fit.
    """
    if isinstance(data, Frame):
        data.look = replace(data.look, x_range=None, y_range=None)
        return data
    if isinstance(other, Expr | str):
        other, model = None, other
    if isinstance(model, str) and "=" in model:
        model = expr(model)
    return fitting.fit(data, other, model, weights, start)


def boxer(
    data: Any,
    by: str | Sequence[Any] | None = None,
    bins: int | None = None,
    edges: Sequence[float] | None = None,
    of: str = "",
) -> Boxes:
    """Boxes of values, by what they belong to or where they lie: five-number summaries and extents; a box plot.

    Shapes: rows in; `.boxes` out, each with `.name`, `.values`, `.summary`, `.extent` and `.rectangle` (as `rect` takes
    it), `.extents` (boxes x 4: left, right, bottom, top) and `.table`. `by`: a box for each value of a column, or of
    labels, one a row. `bins` or `edges`: a box for each interval of the first column (of one series: of its places),
    closed at its lower end, the last at both. None of these: one for each group, column, or item of a group. `of`: the
    column whose values are boxed, else the first that is not used otherwise.
    Units: those of the values.
    Definition: quartiles by linear interpolation (Hyndman, Fan 1996, type 7); whiskers to the last values within 1.5
    quartile distances of the box (Tukey 1977).

    Raises:
        UsageError: no numbers, complex ones, no such column, or intervals that are none.
    """
    found: Boxes = _passed_on(data, boxes.boxer(data, by, bins, edges, of))
    return found
