"""Settings of the stager: PLOTTER2_STAGER_… or <home>/config/stager.toml. Units are last in the names."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from plotter2.config import DaemonConfig


class StagerConfig(DaemonConfig):
    """What the stager can be told.

    Attributes:
        grpc_port: where uploads arrive; 0 for any free one.
        probe_port: /health, /ready and /metrics; 0 for any free one.
        manager_address: where deliveries go; empty: looked up in the home, again after each loss.
        quota_bytes: how much may wait here; 0: nine tenths of what is free at the start, and what waits already.
        deliveries_max: how many deliveries may be open at a time.
        idle_s_max: a delivery that was never sealed and has not moved for so long is removed.
        forward_parallel_max: deliveries on their way to the manager at a time.
        dropbox_settle_s: how long a tree in the drop box must be still before it is taken.
    """

    model_config = SettingsConfigDict(env_prefix="PLOTTER2_STAGER_", extra="ignore")

    name: str = "stager"
    grpc_port: int = Field(default=7072, ge=0, le=65535)
    probe_port: int = Field(default=0, ge=0, le=65535)
    manager_address: str = "127.0.0.1:7071"
    quota_bytes: int = Field(default=0, ge=0)
    deliveries_max: int = Field(default=10_000, gt=0)
    idle_s_max: float = Field(default=86_400.0, gt=0)
    forward_parallel_max: int = Field(default=4, gt=0)
    dropbox_settle_s: float = Field(default=1.0, ge=0)
