"""Pages, times and JSON, for all views."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from typing_extensions import override

from plotter2.clock import Instant, rfc3339

T = TypeVar("T")


def when(instant: Instant) -> str:
    """An instant for people, "" for never."""
    return rfc3339(instant) if instant else ""


def json_or(text: str, default: Any) -> Any:
    """The value of a JSON text, or `default` for an empty one."""
    return json.loads(text) if text else default


@dataclass(frozen=True, slots=True)
class Page(Sequence[T], Generic[T]):
    """A slice of a longer list, with the length of the whole."""

    items: tuple[T, ...]
    total: int

    @override
    def __len__(self) -> int:
        return len(self.items)

    @override
    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    @override
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self.items[index]
