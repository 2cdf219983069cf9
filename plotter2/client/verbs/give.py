"""Give information: data into bundles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plotter2.client import upload
from plotter2.client.verbs.core import Core, OnProgress


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
    ) -> upload.Pushed:
        """Send a directory or a file into a bundle; a new version, unless nothing has changed.

        Args:
            path: what to send.
            bundle: where it goes.
            wait: until the manager has it; else until it is safe on the stager's disk.
            on_progress: called with bytes sent and bytes in all.
            meta: goes into the manifest.
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
        )
