"""Every word of mathematics beside every kind of value that people hold: an answer, or a sentence that teaches."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from plotter2.datter.builtins import TABLE
from plotter2.datter.mathematics import cluster, products, stats, trigonometry
from plotter2.datter.mathematics.calculus import derivative, integral
from plotter2.datter.mathematics.expression import expr
from plotter2.datter.values import ordering
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.points import Labels, Points
from plotter2.datter.values.table import Table
from plotter2.errors import Plotter2Error, UsageError

CHANCE = np.random.default_rng(2)
M = CHANCE.normal(size=(12, 3))
MASKED: Any = np.ma.MaskedArray([1.0, 2, 99, 4, 7], [False, False, True, False, False])
READ_ONLY = M.copy()
READ_ONLY.flags.writeable = False
DAYS = np.array(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05", "2024-01-09"], "M8[D]")
VALUES: dict[str, Any] = {
    "nan": [1.0, math.nan, 2.0, 4.0, 7.0], "none": [1, None, 2, 4, 7], "empty": [], "no rows": np.empty((0, 3)),
    "constant": [7, 7, 7, 7], "complex": [1 + 2j, 3 - 1j, 2j, 1], "whole": [3, 1, 2, 2, 9],
    "beyond 64 bits": [2**70, 3, 1],
    "ends of int64": np.array([2**63 - 1, 2, -(2**63), 5]), "uint64": np.array([2**64 - 1, 2, 1, 2], np.uint64),
    "uint8": np.array([200, 100, 7, 0], np.uint8), "huge": [1e308, -1e308, 1e308, 1.5e308],
    "beyond floats": [10**400, 1],
    "endless": [1.0, math.inf, 2.0, 3.0], "tiny": [5e-324, 1e-320, 0, 5e-324], "flags": [True, False, True, True],
    "text": "hello", "texts": ["a", "b"], "mixed": [1, "a", 2],
    "one": [5.0], "number": 5.0, "no axis": np.array(3),
    "not contiguous": M[::2, ::-1], "fortran": np.asfortranarray(M), "float32": M.astype(np.float32),
    "float16": np.array([60000, 60000, 1], np.float16), "longdouble": np.array([1, 2, 4], np.longdouble),
    "other end first": np.array([1, 2, 4], ">f8"), "read only": READ_ONLY,
    "three axes": np.arange(24.0).reshape(2, 3, 4),
    "group": DataGroup.of(list(M)), "uneven group": DataGroup.of([M[0], M[1, :2]]), "empty group": DataGroup.of([]),
    "group of numbers": DataGroup.of([1.0, 2.0, 5.0]),
    "group of tables": DataGroup.of([Table({"x": M[:, 0]})] * 2),
    "group of groups": DataGroup.of([DataGroup.of(list(M)), DataGroup.of(list(M))]),
    "group of text": DataGroup.of(["a"]),
    "table": Table({"x": [1.0, 2, 3, 4], "y": [2.0, 4, 7, 9], "who": list("abab")}), "no row": Table({"x": []}),
    "table of text": Table({"who": list("abab")}), "table of times": Table({"t": DAYS, "y": [1.0, 2, 6, 7, 9]}),
    "points": Points(M, ("a", "b", "c"), groups=Labels("k", ("u", "v"), np.arange(12) % 2)), "masked": MASKED,
    "pandas": pd.DataFrame({"x": [1.0, 2, 3, 4], "y": [2.0, 4, 7, 9]}), "polars": pl.Series([1, 2, 9]),
    "pandas missing": pd.Series([1, None, 3], dtype="Int64"), "arrow": pa.array([1, 2, None, 3]), "nothing": None,
    "categories": pd.Series(list("aab"), dtype="category"), "times": DAYS, "spans": DAYS - DAYS[0],
    "dates": [dt.date(2024, 1, 1), dt.date(2024, 1, 3)],
    "decimals": [Decimal("1.5"), Decimal(2), Decimal(3)],
    "fractions": [Fraction(1, 3), 1, 2], "dictionary": {"a": 1}, "set": {1, 2}, "range": range(5),
    "ragged": [[1, 2], [3]],
    "bytes": b"abc", "records": np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]), "all missing": [math.nan] * 4,
}  # fmt: skip
TWO: dict[str, Callable[[Any], Any]] = {"atan2": lambda one: TABLE["atan2"].call(one, 2.0)}
WORDS = [
    "mean", "median", "mode", "stddev", "product", "l2norm", "l1norm", "cosine_simularity", "derivative", "integral",
    "pca", "kmean", "fit", "boxer", "scale", "order", "copy", *sorted(trigonometry.TRIGONOMETRY),
]  # fmt: skip


@pytest.mark.req("r111", "r112", "r113", "r114", "r115", "r116", "r117", "r118", "r122", "r123", "r124", "r125", "r126")
@pytest.mark.parametrize("word", WORDS)
def test_each_word_answers_or_teaches_whatever_it_is_given(word: str, context: object) -> None:
    """Warnings are errors in this suite, so nothing warns either."""
    assert context
    call = TWO.get(word, TABLE[word].call)
    for kind, value in VALUES.items():
        try:
            call(value)
        except Plotter2Error as wrong:
            said = str(wrong)
            assert said.endswith("."), (kind, said)
            assert len(said.split()) > 3, (kind, said)
            assert "ndarray" not in said, (kind, said)
            assert "not list" not in said, (kind, said)


@pytest.mark.parametrize("word", ["mean", "median", "stddev", "product", "l2norm", "l1norm", "sin", "scale"])
@pytest.mark.parametrize(
    ("value", "same"),
    [
        (MASKED, [1.0, 2, math.nan, 4, 7]), (M[::2, ::-1], M[::2, ::-1].copy()), (np.array([1, 2], ">f8"), [1.0, 2]),
        (pd.Series([1.5, 2]), [1.5, 2]), ([Decimal("1.5"), 2], [1.5, 2]), (np.array([1, 2], np.longdouble), [1.0, 2]),
        (pa.array([1, None]), [1.0, math.nan]), ((1, 2), [1, 2]), (range(3), [0, 1, 2]), ([Fraction(1, 2)], [0.5]),
    ],
)  # fmt: skip
def test_what_holds_the_same_numbers_gives_the_same(word: str, value: Any, same: Any, context: object) -> None:
    assert context
    call = TABLE[word].call
    assert np.asarray(call(value)) == pytest.approx(np.asarray(call(same)), nan_ok=True)
    assert type(np.asarray(call(value)).ravel().tolist()[0]) in {float, int}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "not nothing"), ({1, 2}, "not a set; make a list of it"),
        ((one for one in [1]), "not a generator; make"),
        (["a", 1], "not what holds text, as 'a'"), (DAYS, "not times; as places of derivative, integral and fit"),
        (DAYS - DAYS[0], "divide them by a unit"), (np.zeros((2, 2), "i4,f8"), "make a datter.Table"),
        (DAYS.astype(object), "not what holds date, as '2024-01-01'"), ([[1], [1, 2]], "rows have different lengths"),
        (b"1", "not bytes"), ({"a": 1}, "not a dictionary"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_said_with_what_would_be(value: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        stats.mean(value)


@pytest.mark.req("r115")
@pytest.mark.parametrize(
    ("values", "exact"),
    [
        ([1e308, 1e308, 1e-308, 1e-308], 1.0), ([1e-160, 1e-160, 1e160, 1e160], 1.0), ([1e200] * 3 + [0.0], 0.0),
        ([2**40] * 40 + [0], 0.0), ([1e200j, 1e200, 1e-200, 1e-200], 1j), ([1e300, -1e300], -math.inf),
        ([1e-200, -1e-200], -0.0), ([math.inf, 0.0], math.nan), ([1.5] * 5_000 + [1 / 1.5] * 5_000, 1.0),
    ],
)  # fmt: skip
def test_a_product_is_right_whatever_lies_on_its_way(values: list[Any], exact: complex) -> None:
    assert stats.product(values) == pytest.approx(exact, rel=1e-12, abs=0, nan_ok=True)
    if isinstance(values[0], float):
        assert stats.product(np.array([values, values]).T, axis=0).tolist() == pytest.approx([exact] * 2, nan_ok=True)
        parts, power = products.apart(np.array(values))
        assert float(products.whole(parts, power)) == pytest.approx(exact, rel=1e-12, abs=0, nan_ok=True)


@pytest.mark.req("r118")
def test_similarities_of_many_rows_and_unlike_vectors_are_refused() -> None:
    with pytest.raises(UsageError, match="compares 10,000 rows at most, each with each, not 10,001"):
        stats.cosine_simularity(np.ones((10_001, 2)))
    with pytest.raises(UsageError, match="have different lengths, so no angles"):
        stats.cosine_simularity(VALUES["uneven group"])
    assert stats.cosine_simularity(M).diagonal().tolist() == [1.0] * 12
    assert stats.cosine_simularity(VALUES["group of tables"]).shape == (2, 2)


@pytest.mark.req("r122")
def test_an_angle_of_two_takes_groups_numbers_and_what_broadcasts() -> None:
    group = DataGroup.of([np.array([1.0, 2.0]), np.array([3.0, 4.0])], ["a", "b"])
    for ups, acrosses in ((group, 2.0), (2.0, group), (group, group)):
        found = trigonometry.atan2(ups, acrosses)
        assert found.names == ["a", "b"]
        first = [np.asarray(one[0] if isinstance(one, DataGroup) else one) for one in (ups, acrosses)]
        assert found[0] == pytest.approx(np.arctan2(*first))
    assert trigonometry.atan2([1, 2], 3) == pytest.approx(np.arctan2([1, 2], 3))
    assert trigonometry.atan2(1, [1, 2]) == pytest.approx(np.arctan2(1, [1, 2]))
    assert trigonometry.atan2(1, -1) == math.atan2(1, -1)
    with pytest.raises(UsageError, match=r"y has the shape \(2,\) and x \(3,\)"):
        trigonometry.atan2([1, 2], [1, 2, 3])
    with pytest.raises(UsageError, match="a group of 2 and one of 3"):
        trigonometry.atan2(group, VALUES["group of numbers"])


@pytest.mark.req("r125", "r126")
def test_places_may_be_times_which_are_seconds() -> None:
    slope = derivative([0.0, 1, 3, 4, 8], DAYS)
    assert slope * 86_400 == pytest.approx([1.0] * 5)
    assert derivative(Table({"t": DAYS, "y": [0.0, 1, 3, 4, 8]})) == pytest.approx(slope)
    assert integral([1.0] * 5, DAYS)[-1] == pytest.approx(8 * 86_400)
    assert integral([1.0] * 5, DAYS.astype(object), bounds=(0, 86_400)) == pytest.approx(86_400)
    assert derivative([0.0, 1, 3, 4, 8], DAYS - DAYS[0]) == pytest.approx(slope)
    with pytest.raises(UsageError, match="Every time is missing"):
        derivative([0.0, 1], np.array(["NaT", "NaT"], "M8[s]"))


@pytest.mark.req("r125")
@pytest.mark.parametrize("of_x", [1e-300, 1e-200, 1.0, 1e200, 1e300])
def test_slopes_do_not_depend_on_the_unit(of_x: float) -> None:
    x = np.array([0.0, 1, 3, 4, 9])
    expected = np.gradient(x**2, x)
    assert derivative(x**2 * of_x, x * of_x) == pytest.approx(expected)
    assert derivative(np.array([-1e308, 1e308, 1e308]), np.array([0.0, 10, 30]))[0] == pytest.approx(2e307)


@pytest.mark.req("r126")
def test_only_what_lies_between_the_bounds_counts() -> None:
    values = np.array([math.nan, 1.0, 1e300, 3.0, math.inf])
    assert integral([math.nan, 1.0, 2.0, 3.0, math.inf], bounds=(1, 3)) == pytest.approx(4.0)
    assert integral(values[:4], [0, 1, 1.5, 2], bounds=(1.75, 2)) == pytest.approx((5e299 + 3) / 2 * 0.25)
    assert integral([1.0, 2.0, 3.0], bounds=(1.5, 1.5)) == 0
    assert integral([1e16, 1.0, 1.0, 1.0], bounds=(1, 3)) == 2, "nothing cancels"
    assert integral(M, bounds=(2, 5)) == pytest.approx(np.trapezoid(M[2:6], axis=0))
    assert integral(M, bounds=(0, 1.5), axis=1) == pytest.approx(M[:, 0] / 2 + M[:, 1] * 0.875 + M[:, 2] * 0.125)


@pytest.mark.req("r126")
def test_formulas_have_integrals_between_any_bounds_or_say_that_they_have_none() -> None:
    assert integral(expr("exp(-x^2)"), bounds=(-math.inf, math.inf)) == pytest.approx(math.sqrt(math.pi))
    assert integral(expr("a x", a=3, x=(0, 1)), bounds=(0, 2)) == pytest.approx(6)
    for text, low in (("1/x", -1), ("1/x", 0), ("log(x)", -2)):
        with pytest.raises(UsageError, match="infinite or undefined in there"):
            integral(expr(text), bounds=(low, 1))
    with pytest.raises(UsageError, match="a must be given a value, as a=1"):
        integral(expr("a x", x=(0, 1)), bounds=(0, 1))
    for bounds in ((0, math.nan), (0,), "ab", 3):
        with pytest.raises(UsageError, match="bounds are two numbers"):
            integral(expr("x"), bounds=bounds)  # type: ignore[arg-type] # what people write


@pytest.mark.parametrize(
    ("x", "said"), [([0, math.nan, 1], "a place is missing or infinite"), ([0, 1, math.inf], "a place is missing")]
)
def test_places_that_are_not_known_are_said_to_be(x: list[float], said: str) -> None:
    for word in (derivative, integral):
        with pytest.raises(UsageError, match=said):
            word([1.0, 2.0, 3.0], x)


@pytest.mark.req("r133")
def test_order_keeps_rows_together_and_labels_in_step() -> None:
    matrix = np.array([[3.0, 1], [1, 2], [2, 0]])
    assert ordering.ordered(matrix).tolist() == [[1, 2], [2, 0], [3, 1]]
    assert ordering.ordered(matrix, 1).tolist() == [[2, 0], [3, 1], [1, 2]]
    labelled = Points(matrix, ("a", "b"), groups=Labels("k", ("u", "v", "w"), np.array([0, 1, 2])))
    found = ordering.ordered(labelled, "b")
    assert (found.matrix[:, 1].tolist(), found.groups.codes.tolist()) == ([0, 1, 2], [2, 0, 1])
    table = Table({"s": ["step10", None, "step9"], "v": [1, 2, 3]})
    assert ordering.ordered(table)["v"].tolist() == [3, 1, 2]
    assert ordering.ordered(table, 1)["v"].tolist() == [1, 2, 3]
    assert ordering.ordered(["b10", "b9", None]).tolist() == ["b9", "b10", None]
    assert ordering.ordered([2, None, 1]).tolist() == [1, 2, None]
    assert ordering.ordered({"b": 1, "a": 2}).names == ["a", "b"]
    assert ordering.ordered(MASKED)[:4].tolist() == [1, 2, 4, 7]


@pytest.mark.parametrize(
    ("value", "by", "said"),
    [
        (np.zeros((2, 2, 2)), None, "an array of 3 axes is in the order of its first one already"),
        ([1, "a"], None, "int and str have no common order"), (5.0, None, "not on one value"),
        ([[1], [1, 2]], None, "lengths"),
        ([1, 2], "a", "a list of values has none"), (np.eye(2), 5, "there are 2 columns, so there is no column 5"),
        (Table({"temp": [1]}), "tmp", "the nearest is 'temp'"),
    ],
)  # fmt: skip
def test_what_has_no_order_says_why(value: Any, by: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ordering.ordered(value, by)


@pytest.mark.req("r171")
def test_a_copy_of_a_list_is_a_list(context: object) -> None:
    assert context
    held = [3, [1, 2]]
    made = TABLE["copy"].call(held)
    assert (made, made is held, made[1] is held[1]) == (held, False, False)
    with pytest.raises(UsageError, match="a generator cannot be copied"):
        TABLE["copy"].call(one for one in held)


@pytest.mark.req("r124")
def test_clusters_that_cannot_be_told_apart_are_said_so_and_two_values_are_two() -> None:
    assert cluster.kmean([0, 1, 0, 1, 1]).sizes == [3, 2]
    rare = cluster.kmean(np.r_[np.zeros(5_000), 1.0])
    assert rare.sizes == [5_001]
    assert "k = 1: 2,000 rows that are alike" in rare.notes[-1]
    with pytest.raises(UsageError, match="only 2 of 3 clusters can be told apart"):
        cluster.kmean(np.array([1e308, 1, 2, 3]), 3)
    for word in (cluster.pca, cluster.kmean):
        with pytest.raises(UsageError, match="needs at least 2 rows, not 1"):
            word(np.array([[1.0, 2.0]]))
        with pytest.raises(
            UsageError, match=r"needs at least 2 complete rows, not 1\. 9 of 10 rows left out: a value is missing"
        ):
            word(np.vstack([np.arange(9.0), np.where(np.eye(9) > 0, math.nan, CHANCE.normal(size=(9, 9)))]))


@pytest.fixture
def columns() -> np.ndarray:
    found: np.ndarray = CHANCE.normal(size=(60, 2)) @ np.array([[1.0, 0.4], [0.0, 1.0]])
    return found


@pytest.mark.req("r123", "r154")
@pytest.mark.parametrize("units", [(1e300, 1e-300), (1e160, 1.0), (1e-200, 1e200)])
def test_columns_of_any_unit_weigh_alike_once_they_are_standardised(
    columns: np.ndarray, units: tuple[float, float]
) -> None:
    plain, found = (cluster.pca(one, standardise=True) for one in (columns, columns * units))
    assert found.explained == pytest.approx(plain.explained)
    assert cluster.scale(columns * units) == pytest.approx(cluster.scale(columns))


@pytest.mark.req("r153")
def test_whiskers_never_end_inside_their_box(context: object) -> None:
    assert context
    summary = TABLE["boxer"].call([1.0, 2, 3, 9]).boxes[0].summary
    assert (summary.third, summary.top, summary.outside.tolist()) == (4.5, 4.5, [9])
    huge = TABLE["boxer"].call([1e308, -1e308, 1e308, 1.5e308]).boxes[0].summary
    assert (huge.first, huge.low, huge.high) == (5e307, -1e308, 1.5e308)
