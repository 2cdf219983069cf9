"""Give information: data into bundles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plotter2.client.plain.thread import Thread
from plotter2.client.upload import Pushed
from plotter2.client.verbs.core import OnProgress


class Give(Thread):
    """The verbs that bring data."""

    def push(
        self,
        path: str | Path,
        bundle: str,
        *,
        wait: bool = True,
        on_progress: OnProgress | None = None,
        meta: dict[str, Any] | None = None,
        key: str = "",
    ) -> Pushed:
        """Send a directory or a file into a bundle; a new version, unless nothing has changed."""
        return self._do(lambda p2: p2.push(path, bundle, wait=wait, on_progress=on_progress, meta=meta, key=key))
