"""Ask for something: each is a request, remembered whatever happens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from plotter2.api.v1 import manager_pb2
from plotter2.client import asks
from plotter2.client.sources import Given, JsonText, is_path, read
from plotter2.client.verbs.core import Core, OnChange
from plotter2.client.views import Axis, LinkedPlan, Plan, Request, RunPlan


class Ask(Core):
    """The verbs that make requests."""

    async def run(  # noqa: PLR0913 -- what one may say about a run
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
        """Run a task on a bundle.

        A pipeline that was run before on the same data is not run again: `Run.reused_of` names the run whose results
        and outputs are given instead.

        Args:
            task: a name that the bundle (or one above it) declares, or a .py or .json file, or a list of steps.
            on: the bundle, as `name` or `name@version`; none: the task runs on no bundle.
            source: the definition to run under the name `task`.
            parameters: given to the task.
            over: "self": on the bundle alone. "members": on it and on its members below, each by its own link, else
                by the bundle's own means. "all": the same, refused unless every bundle below links it. "any": on it
                and on those that link it. Who was left out is in `Request.skipped`.
            forced: forced links count for "all".
            force: run it, whatever is known from before.
            config: the digest of the templates, words and visual types that it shall have, as a sidecar names it;
                without it those that the installation has now.
            key: makes a repeat harmless, also from another process: it is answered with the first request. With
                another ask it is refused (ConflictError).
            wait: until it has ended. `Request.check()` raises if it did not end well.
            on_change: called with each new state and the lines printed since.
        """
        bundle, version = asks.bundle_and_version(on or "")
        ask = manager_pb2.RunAsk(bundle=bundle, version=version, parameters_json=asks.dumps(parameters or {}))
        ask.over = asks.over_of(over)
        ask.with_forced, ask.force, ask.config = forced, force, asks.digest_of(config)
        if source is None and (is_path(task) or not isinstance(task, str)):
            asks.put_source(ask, read(task))
        elif source is not None:
            asks.put_source(ask, read(source, str(task)))
        else:
            ask.task = str(task)
        return await self._submit(manager_pb2.SubmitRequest(run=ask), wait=wait, key=key, on_change=on_change)

    async def redo(  # noqa: PLR0913 -- what one may say about a redo
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
        """Run an experiment again, once a value: `redo("experiments/digits", lr=[0.1, 0.2])`.

        Args:
            bundle: the experiment, as `name` or `name@version`.
            axes: parameter to values, in the order given; several axes make a grid, the last one fastest. A text
                may be a range: `seed="1..3"`, `lr="log:1e-4:1e-1:5"`, `"lin:0:1:5"`, `"0..1..0.25"`.
            failed_of: instead of bundle and axes: run the failed points of that request again, and only those.
            parallel: at most so many at a time.
            force: run again what was already run with the same code and data.
            key: see `run`.
            wait: until all values have ended.
            on_change: called with each new state.
            more: axes as keywords.
        """
        ask = asks.redo(bundle, {**(axes or {}), **more}, failed_of)
        ask.parallel, ask.force = parallel, force
        return await self._submit(manager_pb2.SubmitRequest(redo=ask), wait=wait, key=key, on_change=on_change)

    async def plan(
        self,
        bundle: str = "",
        axes: Mapping[str, Any] | None = None,
        *,
        failed_of: str = "",
        force: bool = False,
        **more: Any,
    ) -> Plan:
        """What `redo` would run with the same words, and what it would reuse. Nothing is asked for."""
        ask = asks.redo(bundle, {**(axes or {}), **more}, failed_of)
        ask.force = force
        message = manager_pb2.PlanRedoRequest(redo=ask)
        answer = await self._link.ask(lambda stub: stub.PlanRedo(message, timeout=asks.TIMEOUT_S))
        return asks.plan_of(answer)

    async def plan_run(
        self, task: Given, on: str, *, parameters: Mapping[str, Any] | JsonText | None = None
    ) -> RunPlan:
        """What `run` would come to with the same words: its axes and instances. Nothing is asked for."""
        bundle, version = asks.bundle_and_version(on)
        ask = manager_pb2.RunAsk(bundle=bundle, version=version, parameters_json=asks.dumps(parameters or {}))
        if is_path(task) or not isinstance(task, str):
            asks.put_source(ask, read(task))
        else:
            ask.task = task
        message = manager_pb2.PlanRunRequest(run=ask)
        answer = await self._link.ask(lambda stub: stub.PlanRun(message, timeout=asks.TIMEOUT_S))
        axes = tuple(Axis(one.name, one.keys_of, one.keys) for one in answer.axes)
        first = tuple(map(json.loads, answer.parameters_json))
        linked = tuple(LinkedPlan(one.task, one.total, one.warning) for one in answer.linked)
        return RunPlan(
            answer.bundle, answer.version, axes, answer.total, first, answer.warning, linked, tuple(answer.known),
            answer.known_total,
        )  # fmt: skip

    async def replay(
        self, request_id: str, *, key: str = "", wait: bool = True, on_change: OnChange | None = None
    ) -> Request:
        """Ask the same as that request again, on what is current now."""
        ask = manager_pb2.ReplayAsk(request_id=request_id)
        return await self._submit(manager_pb2.SubmitRequest(replay=ask), wait=wait, key=key, on_change=on_change)

    async def cancel(self, request_id: str) -> Request:
        """End what a request still has running."""
        message = manager_pb2.CancelRequestRequest(request_id=request_id)
        answer = await self._link.ask(lambda stub: stub.CancelRequest(message, timeout=asks.TIMEOUT_S))
        return asks.request_of(answer.request)
