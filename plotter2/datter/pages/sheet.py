"""One Bokeh document under construction, in the JSON form that BokehJS reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from plotter2.datter.pages import assets, styling
from plotter2.datter.template import NONE, Template

Json = dict[str, Any]


@dataclass(slots=True)
class Sheet:
    """A document: its roots, how it looks, and the ids given so far."""

    roots: list[Json]
    template: Template = NONE
    count: int = 0
    _shared: dict[str, str] = field(default_factory=dict)

    def make(self, model: str, /, **attributes: Any) -> Json:
        """A new model."""
        self.count += 1
        return {"type": "object", "name": model, "id": f"m{self.count}", "attributes": attributes}

    def begin(self) -> None:
        """A new root: it holds all that it needs, because the page draws each on its own, when it is seen."""
        self._shared.clear()

    def once(self, model: str, code: str) -> Json:
        """A model that runs one of the page's functions: written where a root first needs it, then named by its id."""
        if code in self._shared:
            return {"id": self._shared[code]}
        made = self.make(model, code=code)
        self._shared[code] = made["id"]
        return made

    def to_json(self, title: str) -> bytes:
        """The document."""
        written = msgspec.json.encode({"version": assets.version(), "title": title, "roots": self.roots})
        return styling.of_document(written, self.template)
