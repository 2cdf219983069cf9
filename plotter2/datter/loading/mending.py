"""What the columns of one text are, and how those that Arrow leaves as text become numbers and times.

One table's columns are written by one hand: what one of them shows of the decimal mark, or of the order of days,
holds for those that show nothing. What stays open stays text, and a note says how package.json can decide it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from plotter2.datter.loading.dates import Dates, dates_in
from plotter2.datter.loading.decimals import COMMA, POINT, Numbers, UnfitError, has_points, is_grouped, numbers_in
from plotter2.datter.loading.sheet import Sheet
from plotter2.model.package import Dialect

FEW = 256
"""Values that are looked at before all of a column is."""
NUMERIC_SHARE_MIN = 0.5
"""A column of words that holds so many numbers is told of."""
_NUMERIC = frozenset({"int64", "null"})
"""A column that begins so may still be one of numbers."""
TEXT_BELOW = "text, as values further down are no numbers"
_CODE = re.compile(r"\s*0\d{2,}\s*\Z")
"""Two digits are months, days and hours more often."""
Mend = Numbers | Dates


class Mends:
    """What each column of a text is taken for.

    Attributes:
        kinds: Arrow types by column, for its reader: those that are declared and fit, and text that is mended.
    """

    Unfit = UnfitError

    def __init__(self, found: Sheet, names: list[str], dialect: Dialect, kinds: dict[str, Any]) -> None:
        """Look at the first rows for what they show."""
        self._declared = kinds
        self._dialect = dialect
        self._mends: dict[str, Mend] = {}
        self._said: dict[str, str] = {}
        self._is_stuck: set[str] = set()
        arrow = import_module("pyarrow")
        cells = {name: [row[place] for row in found.rows if place < len(row)] for place, name in enumerate(names)}
        self._suspects = {name for name, values in cells.items() if name not in kinds and is_grouped(values)}
        self._has_points = any(has_points(values) for name, values in cells.items() if name not in self._suspects)
        is_open = found.delimiter != COMMA or dialect.decimal == COMMA
        self._suspects = self._suspects if is_open else set()
        self._codes = {name for name, values in cells.items() if name not in kinds and any(map(_CODE.match, values))}
        self._said |= dict.fromkeys(self._codes, "numbers that begin with 0, as codes do, were kept as text")
        texts = {name: arrow.string() for name, kind in kinds.items() if arrow.types.is_timestamp(kind)}
        self.kinds = {**kinds, **texts, **dict.fromkeys(self._suspects | self._codes, arrow.string())}

    def whole(self, table: Any) -> Any:
        """The table with its columns mended; declared kinds are met.

        Raises:
            ValueError: a declared kind cannot be met.
        """
        self._choose(table)
        mended = [self._mended(name, table.column(place)) for place, name in enumerate(table.column_names)]
        return import_module("pyarrow").table(mended, names=table.column_names)

    def foresee(self, table: Any) -> None:
        """Learn from the first rows of a text what to do with all of them."""
        self._choose(table)
        self.kinds |= dict.fromkeys(self._mends, import_module("pyarrow").string())

    def batches(self, reader: Any) -> Iterator[Any]:
        """The schema, then the mended batches of a reader.

        Raises:
            UnfitError: a value further down does not fit; the column is taken for something wider now.
        """
        arrow = import_module("pyarrow")
        for place, batch in enumerate(reader):
            columns = [self._mended(name, batch.column(at)) for at, name in enumerate(batch.schema.names)]
            made = arrow.record_batch(columns, names=batch.schema.names)
            if not place:
                yield made.schema
            yield made

    def widen(self, name: str, kind: str, value: str) -> bool:
        """Take a column for the next wider kind than the one that a value in it did not fit; False: there is none."""
        arrow = import_module("pyarrow")
        if name in self._is_stuck:
            return False
        if name not in self._declared and kind in _NUMERIC:
            self.kinds[name] = arrow.float64()
            return True
        self._is_stuck.add(name)
        self.kinds[name] = arrow.string()
        found = numbers_in(arrow.array([value]), self._mark())
        if isinstance(found, Numbers):
            self._mends[name] = Numbers(found.mark)
        return name not in self._declared or isinstance(found, Numbers)

    def notes(self, name: str) -> list[str]:
        """What was done and what was left, one sentence a kind."""
        done: dict[str, list[str]] = {}
        for column, mend in self._mends.items():
            done.setdefault(mend.said, []).append(column)
        for column, said in self._said.items():
            done.setdefault(said, []).append(column)
        return [f"{name}: {', '.join(columns)}: {said}." for said, columns in done.items()]

    def _mark(self) -> str:
        """The decimal mark of this text, as far as anything shows it; "" for none, or both."""
        if self._dialect.decimal:
            return self._dialect.decimal
        shown = {mend.mark for mend in self._mends.values() if isinstance(mend, Numbers) and not mend.is_whole}
        shown |= {POINT} if self._has_points else set()
        return shown.pop() if len(shown) == 1 else ""

    def _order(self) -> str:
        shown = {mend.order for mend in self._mends.values() if isinstance(mend, Dates)} & {"dmy", "mdy"}
        return self._dialect.dates or (shown.pop() if len(shown) == 1 else "")

    def _choose(self, table: Any) -> None:
        """How each column of text is mended: first those that show it, then those that others decide."""
        texts = {
            name: column
            for name, column in zip(table.column_names, table.columns, strict=True)
            if self._is_open(name) and _is_text(column)
        }
        open_ones = [name for name, column in texts.items() if not self._decide(name, column, "", "")]
        mark, order = self._mark(), self._order()
        for name in open_ones:
            if not self._decide(name, texts[name], mark, order):
                self._said[name] = self._open(name, _values(texts[name].slice(0, FEW)))

    def _is_open(self, name: str) -> bool:
        arrow = import_module("pyarrow")
        is_told = name in self._mends or name in self._codes
        return not is_told and not (name in self._declared and arrow.types.is_string(self._declared[name]))

    def _decide(self, name: str, column: Any, mark: str, order: str) -> bool:
        """Whether it is clear now what a column is; a few values rule most out."""
        mark, order = mark or self._dialect.decimal, order or self._dialect.dates
        few = _values(column.slice(0, FEW))
        for told, decides in ((numbers_in, mark), (dates_in, order)):
            if told(few, decides) is None and _has_words(few):
                continue
            found = told(_values(column), decides)
            if found == "":
                return False
            if isinstance(found, Numbers | Dates):
                self._mends[name] = found
                return True
        share = _numeric_share(few)
        if share >= NUMERIC_SHARE_MIN and name not in self._declared:
            self._said[name] = f"text, as {1 - share:.0%} of its values are no numbers" if share < 1 else TEXT_BELOW
        return True

    def _open(self, name: str, values: Any) -> str:
        """What to say of a column that stays text, or is read as Arrow does."""
        sample = next((one for one in values.to_pylist() if one), "")
        if name in self._suspects:
            self._mends[name] = Numbers(POINT)
            return f"{sample} has a decimal point here; where it parts thousands, declare a dialect with decimal ','"
        if isinstance(dates_in(values), str):
            return f"text, as nothing shows which part of {sample} is the day; declare a dialect with dates dmy or mdy"
        return f"text, as nothing shows whether {sample} has a decimal comma; declare a dialect with decimal ',' or '.'"

    def _mended(self, name: str, column: Any) -> Any:
        """A column, or a batch of it, as what it is taken for.

        Raises:
            ValueError: its kind is declared, and it does not fit.
            UnfitError: it does not fit; it is taken for something wider from now on.
        """
        mend, kind = self._mends.get(name), self._declared.get(name)
        try:
            if mend is not None:
                column = _applied(mend, column)
            return column if kind is None or column.type == kind else _cast(column, kind)
        except (UnfitError, import_module("pyarrow").ArrowInvalid) as wrong:
            if kind is not None:
                said = str(wrong).splitlines()[0] if str(wrong) else "a value is none"
                raise ValueError(f"the column {name!r} is declared {kind}, but {said}") from None
            wider = mend.wider() if mend is not None else None
            self._mends.pop(name)
            if wider is not None:
                self._mends[name] = wider
            else:
                self._said[name] = "text, as some of its values are no numbers or times"
            raise UnfitError from None


def _is_text(column: Any) -> bool:
    types: Any = import_module("pyarrow").types
    is_text: bool = types.is_dictionary(column.type) or types.is_string(column.type)
    return is_text


def _values(column: Any) -> Any:
    """The texts of a column: of one that is kept by its different ones, those."""
    arrow = import_module("pyarrow")
    if arrow.types.is_dictionary(column.type):
        parts = column.unify_dictionaries().chunks
        return parts[0].dictionary if parts else arrow.array([], arrow.string())
    found = column.drop_null().combine_chunks()
    return arrow.concat_arrays(found.chunks) if isinstance(found, arrow.ChunkedArray) else found


def _has_words(values: Any) -> bool:
    """Whether there are any letters, which rule out what has none: signs for missing values may come first."""
    compute = import_module("pyarrow.compute")
    return bool(compute.any(compute.match_substring_regex(values, "[^\\s?.*\u2013\u2014-]")).as_py())


def _applied(mend: Mend, column: Any) -> Any:
    arrow = import_module("pyarrow")
    if not arrow.types.is_dictionary(column.type):
        parts = column.chunks if isinstance(column, arrow.ChunkedArray) else None
        return mend.apply(column) if parts is None else arrow.chunked_array([mend.apply(one) for one in parts])
    column = column.unify_dictionaries()
    whole = column.chunks
    made = mend.apply(whole[0].dictionary)
    return arrow.chunked_array([made.take(one.indices) for one in whole])


def _cast(column: Any, kind: Any) -> Any:
    """To a declared kind; texts that are ISO times need no mend."""
    if import_module("pyarrow").types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    types, arrow = import_module("pyarrow").types, import_module("pyarrow")
    if types.is_string(column.type) and types.is_timestamp(kind):
        column = column.cast(arrow.timestamp("us", "UTC" if _has_zone(column) else None))
    return column.cast(kind)


def _has_zone(texts: Any) -> bool:
    compute = import_module("pyarrow.compute")
    return bool(compute.any(compute.match_substring_regex(texts, r":\d\d.*(?:Z|[+-]\d\d:?(?:\d\d)?)$")).as_py())


def _numeric_share(values: Any) -> float:
    """The share of numbers among the first values."""
    compute = import_module("pyarrow.compute")
    few = values.slice(0, FEW)
    matching = compute.match_substring_regex(compute.utf8_trim_whitespace(few), r"^[+-]?\d[\d.,]*(?:[eE][+-]?\d+)?$")
    return float(compute.mean(matching.cast("int8")).as_py() or 0.0)
