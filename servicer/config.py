"""Settings of the servicer: PLOTTER2_SERVICER_… or <home>/config/servicer.toml."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from plotter2.config import DaemonConfig


class ServicerConfig(DaemonConfig):
    """What the servicer can be told.

    Attributes:
        grpc_port: where the manager calls; 0 for any free one.
        probe_port: /health, /ready and /metrics; 0 for any free one.
        manager_address: where every change of a service run is reported.
        stager_address: where output goes.
        services_max: how many service runs may be alive at a time.
        ended_kept_max: how many ended runs are remembered, so that asking for one again starts nothing.
        failed_kept_max: how many directories of failed runs are kept for people to look at.
        leave_services: whether service runs live on when the servicer is told to stop (a crash always leaves them).
    """

    model_config = SettingsConfigDict(env_prefix="PLOTTER2_SERVICER_", extra="ignore")

    name: str = "servicer"
    grpc_port: int = Field(default=7073, ge=0, le=65535)
    probe_port: int = Field(default=0, ge=0, le=65535)
    manager_address: str = "127.0.0.1:7071"
    stager_address: str = "127.0.0.1:7072"
    services_max: int = Field(default=256, gt=0)
    ended_kept_max: int = Field(default=10_000, gt=0)
    failed_kept_max: int = Field(default=100, ge=0)
    leave_services: bool = False
