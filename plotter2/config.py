"""Settings: environment first, then `<home>/config/<daemon>.toml`, then defaults. Every name ends in its unit.

The only reader of the environment. Wrong values are one sentence, never a trace.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from plotter2.errors import ConfigError

HOME_VARIABLE = "PLOTTER2_HOME"
HOME_DEFAULT = "~/.plotter2"
C = TypeVar("C", bound="DaemonConfig")


class DaemonConfig(BaseSettings):
    """What every daemon can be told.

    Attributes:
        name: how this process is called in logs and records, as `manager` or `worker-1`.
        home: the root of the seven directories.
        host: where servers bind; loopback unless told otherwise.
        log_level: debug, info, warning or error.
    """

    model_config = SettingsConfigDict(env_prefix="PLOTTER2_", extra="ignore")

    name: str = "daemon"
    home: Path = Field(default_factory=lambda: default_home())  # noqa: PLW0108 -- defined below
    host: str = "127.0.0.1"
    log_level: str = "info"


def environment() -> dict[str, str]:
    """A copy of this process's environment."""
    return dict(os.environ)  # noqa: TID251 -- the one place


def daemons_environment() -> dict[str, str]:
    """That of a daemon of ours: gRPC keeps silent, and does nothing in a process that forked and is not yet another.

    What gRPC does there, it does with threads of its own, which could keep the new program from ever beginning.
    """
    return {**environment(), "GRPC_VERBOSITY": "NONE", "GRPC_ENABLE_FORK_SUPPORT": "0"}


def default_home() -> Path:
    """`$PLOTTER2_HOME`, else `~/.plotter2`, made absolute."""
    return Path(environment().get(HOME_VARIABLE) or HOME_DEFAULT).expanduser().absolute()


def load(kind: type[C], **overrides: Any) -> C:
    """Read the settings of one daemon.

    Raises:
        ConfigError: a value cannot be used; the message names it and says what would be right.
    """
    try:
        home = Path(overrides.get("home") or default_home()).expanduser().absolute()
        return kind(**{**_file(kind, home), "home": home, **overrides})
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "settings"
        raise ConfigError(f"The setting {where!r} cannot be {first.get('input')!r}: {first['msg']}.") from None


def _file(kind: type[DaemonConfig], home: Path) -> dict[str, Any]:
    """Values of the file that the environment does not override."""
    daemon = kind.__name__.removesuffix("Config").lower()
    path = home / "config" / f"{daemon}.toml"
    if not path.is_file():
        return {}
    try:
        values = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as wrong:
        raise ConfigError(f"{path} is not TOML: {wrong}.") from None
    unknown = sorted(set(values) - set(kind.model_fields))
    if unknown:
        raise ConfigError(f"{path} has the unknown setting {unknown[0]!r}; known are: {', '.join(kind.model_fields)}.")
    prefix = kind.model_config.get("env_prefix", "")
    given = {name.upper() for name in environment()}
    return {key: value for key, value in values.items() if f"{prefix}{key}".upper() not in given}
