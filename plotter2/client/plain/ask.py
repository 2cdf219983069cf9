"""Ask for something: each is a request, remembered whatever happens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plotter2.client.plain.thread import Thread
from plotter2.client.sources import Given, JsonText
from plotter2.client.verbs.core import OnChange
from plotter2.client.views import Request


class Ask(Thread):
    """The verbs that make requests."""

    def run(
        self,
        task: Given,
        on: str | None = None,
        *,
        source: Given | None = None,
        parameters: Mapping[str, Any] | JsonText | None = None,
        wait: bool = True,
        on_change: OnChange | None = None,
    ) -> Request:
        """Run a task on a bundle: a declared name, or a .py or .json file. `.check()` raises if it did not end well."""
        return self._do(
            lambda p2: p2.run(task, on, source=source, parameters=parameters, wait=wait, on_change=on_change)
        )

    def redo(
        self,
        bundle: str,
        axes: Mapping[str, Any] | None = None,
        *,
        parallel: int = 1,
        force: bool = False,
        wait: bool = True,
        on_change: OnChange | None = None,
        **more: Any,
    ) -> Request:
        """Run an experiment again, once a value: `redo("experiments/digits", lr=[0.1, 0.2], parallel=2)`."""
        return self._do(
            lambda p2: p2.redo(bundle, axes, parallel=parallel, force=force, wait=wait, on_change=on_change, **more)
        )

    def cancel(self, request_id: str) -> Request:
        """End what a request still has running."""
        return self._do(lambda p2: p2.cancel(request_id))

    def wait(self, request_id: str, *, on_change: OnChange | None = None) -> Request:
        """The request when it has ended."""
        return self._do(lambda p2: p2.wait(request_id, on_change=on_change))
