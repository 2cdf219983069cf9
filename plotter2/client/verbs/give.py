"""Give information: data into bundles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plotter2.client import upload
from plotter2.client.verbs.core import Core, OnProgress
from plotter2.model.ask import check_key
from plotter2.model.delivery import delivery_of_key


class Give(Core):
    """The verbs that bring data."""

    async def push(
        self,
        path: str | Path,
        bundle: str,
        *,
        wait: bool = True,
        on_progress: OnProgress | None = None,
        meta: dict[str, Any] | None = None,
        key: str = "",
    ) -> upload.Pushed:
        """Send a directory or a file into a bundle; a new version, unless nothing has changed.

        Args:
            path: what to send.
            bundle: where it goes.
            wait: until the manager has it; else until it is safe on the stager's disk.
            on_progress: called with bytes sent and bytes in all.
            meta: goes into the manifest.
            key: a repeat with the same key and content is answered with the first push; with other content it is a
                conflict.
        """
        return await upload.push(
            Path(path),
            bundle,
            stager_address=self._link.stager_address(),
            user=self._user,
            clock=self._clock,
            ids=self._ids,
            wait=wait,
            on_progress=on_progress,
            meta=meta,
            delivery_id=delivery_of_key(check_key(key)) if key else None,
        )
