"""What the installation adds by files of its config directory."""

from __future__ import annotations

from plotter2.api.v1 import manager_pb2
from plotter2.client import asks
from plotter2.client.verbs.core import Core
from plotter2.client.views import Config
from plotter2.model.additions import Entry


class Configuring(Core):
    """The verb about what is added."""

    async def config(self) -> Config:
        """Templates, words and visual types of the installation's own, as its files are now; and what is left out.

        Raises:
            ConfigError: the directory cannot be read.
        """
        message = manager_pb2.GetConfigRequest()
        found = await self._link.ask(lambda stub: stub.GetConfig(message, timeout=asks.TIMEOUT_S))
        entries = tuple(
            Entry(one.kind, one.name, one.file, one.line, one.params, one.description, one.suits, one.digest.hex())
            for one in found.entries
        )
        return Config(found.digest.hex(), found.folder, entries, tuple((one.file, one.reason) for one in found.faults))
