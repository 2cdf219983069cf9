"""Links: what one bundle does, another does. Nothing is deleted: to unlink is a newer word."""

from __future__ import annotations

from typing import Literal

from plotter2.client.plain.thread import Thread
from plotter2.client.views import Operations, Request


class Links(Thread):
    """The verbs about links."""

    def link(  # noqa: PLR0913 -- the words of one ask, all but three by keyword
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
        """Link an operation of `src` to `dst`: "whatever src does there, dst does"."""
        return self._do(
            lambda p2: p2.link(
                src, dst, operation, to=to, mutable=mutable, forward=forward, backward=backward, force=force, key=key
            )
        )

    def unlink(self, src: str, dst: str, operation: str = "", *, key: str = "") -> Request:
        """Have an operation of `src` linked to `dst` no more; all of them where none is named."""
        return self._do(lambda p2: p2.unlink(src, dst, operation, key=key))

    def ops(self, bundle: str, of: Literal["", "all", "any"] = "", *, forced: bool = False) -> Operations:
        """What a bundle does; of that, what all or any of the bundles below it do; and what each of these is to it."""
        return self._do(lambda p2: p2.ops(bundle, of, forced=forced))

    def calls(self, bundle: str, *, task_of: str = "") -> Operations:
        """What a script or pipeline can call when it runs on a bundle, `operation(name)`, and how each is done."""
        return self._do(lambda p2: p2.calls(bundle, task_of=task_of))
