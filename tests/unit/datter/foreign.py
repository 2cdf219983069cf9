"""What users of pandas, polars, Arrow, numpy and scipy hold, each beside the plain values that it stands for.

Plain are lists and arrays of numpy, dictionaries of columns for frames, and None for what holds no numbers.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp

NAN = math.nan
GAPS, FLAGS, WHOLE = [1.0, NAN, 3.0, 4.0], [1.0, NAN, 0.0, 1.0], [3, 1, 2, 2]
SQUARE = np.array([[1.0, 0, 0, 2], [0, 5, 0, 1], [3, 0, 0, 0], [0, 0, 7, 1]])
WHO = ["a", "b", "a", None]
DAYS = pd.date_range("2024-01-01", periods=4, tz="Europe/Berlin")
SPANS = [dt.timedelta(seconds=3), None, dt.timedelta(seconds=1), dt.timedelta(days=1)]
SECONDS = [3.0, NAN, 1.0, 86_400.0]
PAIR: dict[str, Any] = {"x": [1.0, 2, 4, 8], "y": [3, 1, 2, 2]}
MONTHS = pd.period_range("2024-01", periods=4, freq="M")
TWO_LEVELS = pd.MultiIndex.from_product([[1, 2], ["a", "b"]])
MASK = [False, True, False, False]
FIELDS: list[tuple[str, str]] = [("x", "f8"), ("y", "i4")]
ROWS = np.array(list(zip(*PAIR.values(), strict=True)), FIELDS)
DECIMALS = [Decimal("1.5"), None, Decimal(3), Decimal("0.25")]
FROM_DECIMALS = [1.5, NAN, 3.0, 0.25]


def pandas_frame(**more: Any) -> pd.DataFrame:
    return pd.DataFrame(PAIR, **more)


SERIES: dict[str, tuple[Any, Any]] = {
    "pandas Int64": (pd.Series([1, None, 3, 4], dtype="Int64"), GAPS),
    "pandas boolean": (pd.Series([True, None, False, True], dtype="boolean"), FLAGS),
    "pandas Float32": (pd.Series([1, None, 3, 4], dtype="Float32"), GAPS),
    "pandas by Arrow": (pd.Series([1, None, 3, 4], dtype="int64[pyarrow]"), GAPS),
    "pandas float16": (pd.Series(np.array(WHOLE, np.float16)), WHOLE),
    "pandas big": (pd.Series([2**70, 1, 5, 2]), [2.0**70, 1, 5, 2]),
    "pandas sparse": (pd.Series(pd.arrays.SparseArray([0.0, 1.5, 0, 2])), [0.0, 1.5, 0, 2]),
    "pandas objects": (pd.Series([1, None, 3.0, 4], dtype=object), GAPS),
    "pandas NA among objects": (pd.Series([1, pd.NA, 3, 4], dtype=object), GAPS),
    "a list with NA": ([1, pd.NA, 3, 4], GAPS),
    "pandas decimals": (pd.Series(DECIMALS, dtype=object), FROM_DECIMALS),
    "pandas categories of numbers": (pd.Series(WHOLE, dtype="category"), WHOLE),
    "pandas other rows": (pd.Series(WHOLE, index=[9, 4, 7, 5]), WHOLE),
    "pandas named rows": (pd.Series(WHOLE, index=list("abcd"), name="n"), WHOLE),
    "pandas two levels": (pd.Series(WHOLE, index=TWO_LEVELS), WHOLE),
    "pandas Index": (pd.Index(WHOLE), WHOLE), "pandas array": (pd.array([1, None, 3, 4], dtype="Int64"), GAPS),
    "pandas lists": (pd.Series([[1, 2], [3, 4], [5, 6], [0, 1]]), [[1, 2], [3, 4], [5, 6], [0, 1]]),
    "polars": (pl.Series([1, None, 3, 4]), GAPS), "polars flags": (pl.Series([True, None, False, True]), FLAGS),
    "polars decimals": (pl.Series(DECIMALS), FROM_DECIMALS), "polars UInt8": (pl.Series(WHOLE, dtype=pl.UInt8), WHOLE),
    "polars Int128": (pl.Series([2**100, 1, 5, 2], dtype=pl.Int128), [2.0**100, 1, 5, 2]),
    "polars lists": (pl.Series([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    "polars Array": (pl.Series([[1.0, 2], [3, 4]], dtype=pl.Array(pl.Float64, 2)), [[1.0, 2], [3, 4]]),
    "polars sliced": (pl.Series([9, 1, None, 3, 4])[1:], GAPS), "polars nothing": (pl.Series([None] * 4), [NAN] * 4),
    "arrow": (pa.array([1, None, 3, 4]), GAPS), "arrow in pieces": (pa.chunked_array([[1, None], [3, 4]]), GAPS),
    "arrow dictionary": (pa.array([1, None, 3, 4]).dictionary_encode(), GAPS),
    "arrow decimals": (pa.array(DECIMALS, pa.decimal256(40, 2)), FROM_DECIMALS),
    "arrow half": (pa.array(np.array(WHOLE, np.float16)), WHOLE), "arrow nulls": (pa.nulls(4), [NAN] * 4),
    "arrow runs": (pc.run_end_encode(pa.array(WHOLE)), WHOLE),
    "arrow lists": (pa.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    "arrow fixed lists": (pa.array([[1, 2], [3, 4]], pa.list_(pa.int64(), 2)), [[1, 2], [3, 4]]),
    "numpy masked": (np.ma.array([1, 99, 3, 4], mask=MASK), GAPS), "numpy matrix": (np.matrix(SQUARE), SQUARE),
    "numpy objects": (np.array([1, None, 3.0, 4], object), GAPS),
    "numpy arrays in objects": (pd.Series([np.arange(2), np.arange(2, 4)]).to_numpy(), [[0, 1], [2, 3]]),
    "numpy longdouble": (np.array(WHOLE, np.longdouble), WHOLE), "numpy big endian": (np.array(WHOLE, ">i8"), WHOLE),
    "numpy stepped": (SQUARE[::-1, ::2], SQUARE[::-1, ::2].copy()), "numpy float16": (np.array(WHOLE, "f2"), WHOLE),
    "scipy csr": (sp.csr_matrix(SQUARE), SQUARE), "scipy bsr": (sp.bsr_array(SQUARE), SQUARE),
    "scipy dok": (sp.dok_array(SQUARE), SQUARE), "scipy dia": (sp.dia_matrix(SQUARE), SQUARE),
}  # fmt: skip
FRAMES: dict[str, tuple[Any, Any]] = {
    "pandas frame": (pandas_frame(), PAIR),
    "pandas tail": (pd.DataFrame({"x": [0.0, *PAIR["x"]]}).tail(4), {"x": PAIR["x"]}),
    "pandas frame of other rows": (pandas_frame(index=[9, 4, 7, 5]), PAIR),
    "pandas frame of steps": (pandas_frame(index=pd.Index([1, 2, 5, 9], name="step")), PAIR),
    "pandas frame of texts": (pandas_frame(index=list("abcd")), PAIR),
    "pandas frame of days": (pandas_frame(index=DAYS), PAIR),
    "pandas frame of months": (pandas_frame(index=MONTHS), PAIR),
    "pandas frame of levels": (pandas_frame(index=TWO_LEVELS), PAIR),
    "pandas frame of a clash": (pandas_frame(index=pd.Index([5, 6, 7, 8], name="x")), PAIR),
    "pandas nullable": (
        pd.DataFrame({"x": pd.array([1, None, 3, 4], dtype="Int64"), "who": pd.array(WHO, dtype="string")}),
        {"x": GAPS},
    ),
    "pandas flags": (pd.DataFrame({"x": pd.array([True, None, False, True], dtype="boolean")}), {"x": FLAGS}),
    "pandas twice a name": (pd.DataFrame(np.column_stack(list(PAIR.values())), columns=["x", "x"]), PAIR),
    "pandas names of levels": (
        pd.DataFrame(np.column_stack(list(PAIR.values())), columns=pd.MultiIndex.from_product([["a"], ["b", "c"]])),
        PAIR,
    ),
    "pandas spans": (pd.DataFrame({"d": pd.to_timedelta(SPANS), "y": WHOLE}), {"d": SECONDS, "y": WHOLE}),
    "pandas intervals": (pd.DataFrame({"bin": pd.cut(PAIR["x"], 2), "y": WHOLE}), {"y": WHOLE}),
    "pandas days": (pd.DataFrame({"day": DAYS, "y": WHOLE}), {"y": WHOLE}),
    "pandas months": (pd.DataFrame({"m": MONTHS, "y": WHOLE}), {"y": WHOLE}),
    "pandas mixed objects": (pd.DataFrame({"o": [1, "a", None, 2.5], "y": WHOLE}), {"y": WHOLE}),
    "pandas dictionaries": (pd.DataFrame({"d": [{"a": 1}] * 4, "y": WHOLE}), {"d.a": [1] * 4, "y": WHOLE}),
    "pandas sparse frame": (pd.DataFrame({"x": pd.arrays.SparseArray([0.0, 1.5, 0, 2])}), {"x": [0.0, 1.5, 0, 2]}),
    "polars frame": (pl.DataFrame(PAIR), PAIR), "polars lazy": (pl.LazyFrame(PAIR), PAIR),
    "polars of all kinds": (
        pl.DataFrame({
            "e": pl.Series(WHO, dtype=pl.Enum(["a", "b"])), "c": pl.Series(WHO, dtype=pl.Categorical), "d": SPANS,
            "l": [[1], [2, 3], [], None], "s": [{"a": 1, "b": "u"}] * 4, "n": DECIMALS, "t": [dt.time(1, 2)] * 4,
        }), {"d": SECONDS, "s.a": [1] * 4, "n": FROM_DECIMALS},
    ),
    "polars structs": (pl.Series([{"x": 1.0, "y": 3}, {"x": 2.0, "y": 1}]), {"x": [1.0, 2], "y": [3, 1]}),
    "arrow table": (pa.table(PAIR), PAIR), "arrow batch": (pa.RecordBatch.from_pydict(PAIR), PAIR),
    "arrow twice a name": (pa.Table.from_arrays([pa.array(one) for one in PAIR.values()], ["x", "x"]), PAIR),
    "arrow of all kinds": (
        pa.table({
            "w": pa.array(WHO, pa.large_string()), "v": pa.array(WHO, pa.string_view()),
            "k": pa.array(WHO).dictionary_encode(),
            "m": pa.array([[("a", 1)]] * 4, pa.map_(pa.string(), pa.int64())), "y": pa.array(WHOLE),
            "i": pa.array([(1, 2, 3)] * 4, pa.month_day_nano_interval()), "b": pa.array([b"a"] * 4),
        }), {"y": WHOLE},
    ),
    "arrow of pandas": (pa.Table.from_pandas(pandas_frame(index=[9, 4, 7, 5])), PAIR),
    "numpy records": (ROWS, PAIR), "numpy recarray": (ROWS.view(np.recarray), PAIR),
    "numpy masked records": (
        np.ma.array(ROWS, mask=[(True, False), *[(False, False)] * 3]), {"x": [NAN, 2.0, 4, 8], "y": PAIR["y"]},
    ),
    "a column masked": ({"x": np.ma.array([1, 99, 3, 4], mask=MASK)}, {"x": GAPS}),
}  # fmt: skip
NO_NUMBERS: dict[str, Any] = {
    "pandas string": pd.Series(WHO, dtype="string"), "pandas categories": pd.Series(WHO, dtype="category"),
    "pandas days with a zone": pd.Series(DAYS), "pandas periods": pd.Series(MONTHS), "pandas PeriodIndex": MONTHS,
    "pandas spans": pd.Series(SPANS), "pandas intervals": pd.Series(pd.interval_range(0, 3)),
    "pandas bytes": pd.Series([b"a"]),
    "pandas mixed": pd.Series([1, "a"], dtype=object), "pandas ragged": pd.Series([[1, 2], [3]]),
    "pandas Timestamp": pd.Timestamp("2024-01-01"), "pandas NaT": pd.NaT, "pandas NA": pd.NA,
    "pandas empty": pd.Series([], dtype="Int64"), "pandas no column": pd.DataFrame(),
    "pandas no row": pd.DataFrame({"x": []}),
    "pandas MultiIndex": TWO_LEVELS, "pandas complex": pd.Series([1 + 2j, 3]),
    "pandas complex frame": pd.DataFrame({"z": [1 + 2j, 3]}),
    "pandas grouped": pandas_frame().groupby("y"), "pandas class": pd.DataFrame,
    "polars texts": pl.Series(WHO), "polars Enum": pl.Series(WHO, dtype=pl.Enum(["a", "b"])),
    "polars expression": pl.col("x"),
    "polars Categorical": pl.Series(WHO, dtype=pl.Categorical), "polars spans": pl.Series(SPANS),
    "polars ragged": pl.Series([[1, 2], [3]]), "polars days": pl.Series([dt.date(2024, 1, 1)]),
    "polars moments": pl.Series([dt.datetime(2024, 1, 1, tzinfo=dt.UTC)]).dt.convert_time_zone("Europe/Berlin"),
    "polars clock": pl.Series([dt.time(1)]), "polars objects": pl.Series([object()]),
    "polars bytes": pl.Series([b"a"]),
    "polars no column": pl.DataFrame(), "polars grouped": pl.DataFrame(PAIR).group_by("y", maintain_order=True),
    "arrow texts": pa.array(WHO, pa.large_string()), "arrow views": pa.array(WHO, pa.string_view()),
    "arrow words": pa.array(WHO).dictionary_encode(), "arrow clock": pa.array([dt.time(1)]),
    "arrow bytes": pa.array([b"a"]),
    "arrow map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), "arrow text": pa.scalar("a"),
    "arrow type": pa.int64(),
    "numpy days masked": np.ma.array(np.array(["2024-01-01", "2024-01-02"], "M8[D]"), mask=[False, True]),
    "numpy StringDType": np.array(["a", "b"], np.dtypes.StringDType()), "numpy bytes": np.array([b"a"]),
    "numpy records of two axes": np.zeros((2, 2), FIELDS), "numpy void": np.zeros(2, "V4"),
    "numpy texts masked": np.ma.array(["a", "b"], mask=[False, True]),
    "numpy complex": np.array([1j, 2], np.clongdouble),
    "scipy empty": sp.csr_matrix((0, 3)), "scipy complex": sp.csr_matrix(np.eye(2) * 1j),
}  # fmt: skip
