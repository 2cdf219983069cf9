"""`X as Y` in expose and impose, which is not Python: rewritten to `X =  Y` at token level, and what is wrong with one.

Every line and column stays where it was (requirement 183). An `as` elsewhere is left alone. Pure: runs nothing.
"""

from __future__ import annotations

import tokenize
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from typing import NamedTuple

from plotter2.datter.scripting import contract

CONTRACT = frozenset({contract.EXPOSE, contract.IMPOSE})
_WITH_AS = frozenset({"import", "from", "with", "async", "except", "case"})
"""Python's own statements with an `as`."""
_UNSEEN = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT})


class _As(NamedTuple):
    """An `as`: where, in a call of which word ("" for none), behind which two tokens, and before which."""

    row: int
    column: int
    word: str
    before: str
    name: str
    after: str

    @property
    def is_named(self) -> bool:
        """Whether it stands behind a plain name."""
        return self.before in {"(", ","} and self.name.isidentifier()


def rewritten(source: str) -> str:
    """The source with `X as Y` in expose and impose as `X =  Y`."""
    lines = source.splitlines(keepends=True)
    for one in _found(source):
        if one.word and one.is_named:
            text = lines[one.row - 1]
            lines[one.row - 1] = text[: one.column] + "= " + text[one.column + 2 :]
    return "".join(lines)


def hint(source: str, wrong: BaseException, filename: str) -> str:
    """What is wrong with an `as`, where that is what Python stumbles over; "" for nothing that we know better."""
    if not isinstance(wrong, SyntaxError):
        return ""
    return next((f"{filename}, line {one.row}: {said}" for one in _found(source) if one.row == wrong.lineno
                 and (said := _said(one, wrong.msg))), "")  # fmt: skip


def _said(one: _As, why: str) -> str:
    if not one.word:
        return "`as` gives a name in expose(...) and impose(...) only; elsewhere write `name = value`."
    if not one.is_named:
        return f"a plain name stands before `as`, and its value after it: {one.word}(first as values[0])."
    if one.after in {")", ",", ""}:
        return f"something has to stand after `as` in {one.word}({one.name} as ...)."
    if "positional" in why:
        return f"names by themselves come before those with `as`: {one.word}(other, {one.name} as {one.after})."
    return ""


def _found(source: str) -> Iterator[_As]:
    """Every `as` in a call of expose or impose, and in a statement that knows none."""
    tokens = _tokens(source)
    calls: list[str] = []
    statement = ""
    for place, token in enumerate(tokens):
        before, previous = (tokens[place - back].string if place >= back else "" for back in (2, 1))
        if token.type == tokenize.NEWLINE:
            statement = ""
            continue
        statement = statement or token.string
        if token.string in {"(", "[", "{"}:
            is_call = token.string == "(" and previous in CONTRACT and before not in {".", "def"}
            calls.append(previous if is_call else "")
        elif token.string in {")", "]", "}"} and calls:
            calls.pop()
        word = calls[-1] if calls else ""
        if token.string == "as" and (word or statement not in _WITH_AS):
            after = tokens[place + 1].string.strip() if place + 1 < len(tokens) else ""
            yield _As(*token.start, word, before, previous, after)


def _tokens(source: str) -> list[tokenize.TokenInfo]:
    found: list[tokenize.TokenInfo] = []
    with suppress(tokenize.TokenError, IndentationError):  # the parser will say what is wrong, and where
        found.extend(one for one in tokenize.generate_tokens(StringIO(source).readline) if one.type not in _UNSEEN)
    return found
