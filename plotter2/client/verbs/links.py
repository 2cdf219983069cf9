"""Links: what one bundle does, another does. Nothing is deleted: to unlink is a newer word."""

from __future__ import annotations

from typing import Literal

from plotter2.api.v1 import manager_pb2
from plotter2.client import asks
from plotter2.client.verbs.core import Core
from plotter2.client.views import Operations, Request
from plotter2.model.types import Mode
from plotter2.wire.links import mode_to_proto

_OF = {
    "": manager_pb2.OPERATIONS_OF_UNSPECIFIED,
    "all": manager_pb2.OPERATIONS_OF_ALL,
    "any": manager_pb2.OPERATIONS_OF_ANY,
}


class Links(Core):
    """The verbs about links."""

    async def link(  # noqa: PLR0913 -- the words of one ask, all but three by keyword
        self,
        src: str,
        dst: str,
        operation: str,
        *,
        to: str = "",
        mutable: bool = False,
        forward: str = "",
        backward: str = "",
        force: bool = False,
        key: str = "",
    ) -> Request:
        """Link an operation of `src` to `dst`: "whatever src does there, dst does".

        Args:
            src: the bundle whose operation it is.
            dst: the bundle that does it.
            operation: a head or task of `src`.
            to: the head or task of `dst`; by default the one of the same name.
            mutable: sizes may differ.
            forward: a function head, of either bundle, that translates the arguments.
            backward: one that translates what comes back.
            force: although it does not fit; flagged from then on.
            key: makes a repeat harmless.

        Raises:
            RefusedError: it does not fit; both types are in the message.
        """
        ask = manager_pb2.LinkAsk(
            src=src,
            dst=dst,
            operation=operation,
            out_head=to,
            mode=mode_to_proto(Mode.MUTABLE if mutable else Mode.CONSTANT),
            forward=forward,
            backward=backward,
            force=force,
        )
        return await self._submit(manager_pb2.SubmitRequest(link=ask), wait=True, key=key)

    async def unlink(self, src: str, dst: str, operation: str = "", *, key: str = "") -> Request:
        """Have an operation of `src` linked to `dst` no more; all of them where none is named."""
        ask = manager_pb2.UnlinkAsk(src=src, dst=dst, operation=operation)
        return await self._submit(manager_pb2.SubmitRequest(unlink=ask), wait=True, key=key)

    async def ops(self, bundle: str, of: Literal["", "all", "any"] = "", *, forced: bool = False) -> Operations:
        """What a bundle does; of that, what all or any of the bundles below it do; and what each of these is to it.

        Args:
            bundle: the one above.
            of: "" for its own operations, "all" for the intersection, "any" for the union.
            forced: forced links count too.
        """
        path, _ = asks.bundle_and_version(bundle)
        message = manager_pb2.ListOperationsRequest(bundle=path, of=_OF[of], with_forced=forced)
        answer = await self._link.ask(lambda stub: stub.ListOperations(message, timeout=asks.TIMEOUT_S))
        return asks.operations_of(path, answer)

    async def calls(self, bundle: str, *, task_of: str = "") -> Operations:
        """What a script or pipeline can call when it runs on a bundle, `operation(name)`, and how each is done.

        Args:
            bundle: where it runs, `name` or `name@version`.
            task_of: the bundle that declares the task; "" for the same one.
        """
        path, version = asks.bundle_and_version(bundle)
        task_bundle, task_version = asks.bundle_and_version(task_of)
        message = manager_pb2.GetBundleRequest(
            bundle=path, version=version, with_ways=True, task_bundle=task_bundle, task_version=task_version
        )
        return asks.calls_of(await self._link.ask(lambda stub: stub.GetBundle(message, timeout=asks.TIMEOUT_S)))
