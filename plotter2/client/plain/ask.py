"""Ask for something: each is a request, remembered whatever happens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plotter2.client.plain.thread import Thread
from plotter2.client.sources import Given, JsonText
from plotter2.client.verbs.core import OnChange
from plotter2.client.views import Plan, Request, RunPlan


class Ask(Thread):
    """The verbs that make requests."""

    def run(  # noqa: PLR0913 -- what one may say about a run
        self,
        task: Given,
        on: str | None = None,
        *,
        source: Given | None = None,
        parameters: Mapping[str, Any] | JsonText | None = None,
        over: str = "self",
        forced: bool = False,
        force: bool = False,
        config: str = "",
        key: str = "",
        wait: bool = True,
        on_change: OnChange | None = None,
    ) -> Request:
        """Run a task on a bundle: a declared name, or a .py or .json file. `.check()` raises if it did not end well."""
        return self._do(
            lambda p2: p2.run(
                task,
                on,
                source=source,
                parameters=parameters,
                over=over,
                forced=forced,
                force=force,
                config=config,
                key=key,
                wait=wait,
                on_change=on_change,
            )
        )

    def redo(  # noqa: PLR0913 -- what one may say about a redo
        self,
        bundle: str = "",
        axes: Mapping[str, Any] | None = None,
        *,
        failed_of: str = "",
        parallel: int = 1,
        force: bool = False,
        key: str = "",
        wait: bool = True,
        on_change: OnChange | None = None,
        **more: Any,
    ) -> Request:
        """Run an experiment again, once a value: `redo("experiments/digits", lr=[0.1, 0.2], parallel=2)`."""
        return self._do(
            lambda p2: p2.redo(
                bundle, axes, failed_of=failed_of, parallel=parallel, force=force, key=key, wait=wait,
                on_change=on_change, **more,
            )
        )  # fmt: skip

    def plan(
        self,
        bundle: str = "",
        axes: Mapping[str, Any] | None = None,
        *,
        failed_of: str = "",
        force: bool = False,
        **more: Any,
    ) -> Plan:
        """What `redo` would run with the same words, and what it would reuse. Nothing is asked for."""
        return self._do(lambda p2: p2.plan(bundle, axes, failed_of=failed_of, force=force, **more))

    def plan_run(self, task: Given, on: str, *, parameters: Mapping[str, Any] | JsonText | None = None) -> RunPlan:
        """What `run` would come to with the same words: its axes and instances. Nothing is asked for."""
        return self._do(lambda p2: p2.plan_run(task, on, parameters=parameters))

    def replay(
        self, request_id: str, *, key: str = "", wait: bool = True, on_change: OnChange | None = None
    ) -> Request:
        """Ask the same as that request again, on what is current now."""
        return self._do(lambda p2: p2.replay(request_id, key=key, wait=wait, on_change=on_change))

    def cancel(self, request_id: str) -> Request:
        """End what a request still has running."""
        return self._do(lambda p2: p2.cancel(request_id))

    def wait(self, request_id: str, *, on_change: OnChange | None = None) -> Request:
        """The request when it has ended."""
        return self._do(lambda p2: p2.wait(request_id, on_change=on_change))
