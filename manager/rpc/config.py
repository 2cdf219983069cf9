"""What the installation adds, as it is now."""

from __future__ import annotations

from manager.doors import Doors
from plotter2 import configured
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.errors import ConfigError
from plotter2.rpc import Context


class ConfigCalls:
    """Templates, words and visual types."""

    _doors: Doors

    async def GetConfig(self, request: pb.GetConfigRequest, context: Context) -> pb.GetConfigResponse:  # noqa: N802 -- gRPC's name
        """All that holds, and what is left out. What has changed since the last look is taken up."""
        del request, context
        keeper = self._doors.keeper
        await keeper.look()
        if keeper.fault:
            raise ConfigError(keeper.fault)
        own = keeper.current
        return pb.GetConfigResponse(
            digest=own.digest,
            folder=str(self._doors.layout.config),
            entries=[
                pb.ConfigEntry(
                    kind=one.kind,
                    name=one.name,
                    file=one.file,
                    line=one.line,
                    params=one.params,
                    description=one.description,
                    suits=one.suits,
                    digest=bytes.fromhex(one.digest),
                )
                for one in configured.entries(own)
            ],
            faults=[pb.ConfigFault(file=name, reason=why) for name, why in own.faults.items()],
        )
