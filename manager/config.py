"""Settings of the manager: PLOTTER2_MANAGER_… or <home>/config/manager.toml. Units are last in the names."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from plotter2.config import DaemonConfig
from plotter2.model.automatic import ASKS_HOURLY, ASKS_HOURLY_MAX
from plotter2.model.membership import THRESHOLD


class ManagerConfig(DaemonConfig):
    """What the manager can be told.

    Attributes:
        http_port: Propeller's API, pages and probes; 0 for any free one.
        grpc_port: plotter2.api.v1; 0 for any free one.
        dsn: PostgreSQL; empty: nothing is kept beyond the process (for trials only).
        broker_url: the MQTT broker.
        servicer_address: where experiments are started.
        tenant_id, channel_id: whose topics are listened to.
        tick_s: how often silence is judged.
        config_s: how often the config directory is looked at for templates, words and pictures that have changed.
        verify_tree_s: how often the managed tree is searched for what nobody explains; 0: only when asked.
        verify_contents_s: how often all content at rest is read and compared as well; 0: only when asked.
        membership_min: the part of its parent's operations that a bundle must link to be taken for a member, 0 to 1.
        automatic_hourly_max: what all automatic users (`ai:…`) together may ask within an hour, where they may at all.
    """

    model_config = SettingsConfigDict(env_prefix="PLOTTER2_MANAGER_", extra="ignore")

    name: str = "manager"
    http_port: int = 7070
    grpc_port: int = 7071
    dsn: str = ""
    broker_url: str = "mqtt://127.0.0.1:1883"
    servicer_address: str = "127.0.0.1:7073"
    tenant_id: str = "plotter2"
    channel_id: str = "main"
    tick_s: float = 0.5
    config_s: float = Field(default=2.0, gt=0.0)
    verify_tree_s: float = 3_600.0
    verify_contents_s: float = 604_800.0
    membership_min: float = Field(default=THRESHOLD, ge=0.0, le=1.0)
    automatic_hourly_max: int = Field(default=ASKS_HOURLY, ge=0, le=ASKS_HOURLY_MAX)
