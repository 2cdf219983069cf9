"""Which broker is taken, and what it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from plotter2.errors import ConfigError
from plotter2.layout import Layout
from watchdogs import broker


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout.at(tmp_path / "h")
    made.create()
    return made


def no_programs(_name: str, path: str | None = None) -> None:
    del path


def test_mosquitto_comes_first_and_keeps_nothing(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker.shutil, "which", lambda name: f"/usr/sbin/{name}")
    program, option, settings = broker.prepare(layout, "127.0.0.1", 1883)
    assert (program, option) == ("/usr/sbin/mosquitto", "-c")
    lines = Path(settings).read_text().splitlines()
    assert "listener 1883 127.0.0.1" in lines
    assert "persistence false" in lines


def test_else_the_server_of_the_wheel_speaks_mqtt_where_we_say(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker.shutil, "which", no_programs)
    program, _, settings = broker.prepare(layout, "127.0.0.1", 1999)
    assert Path(program).name == "nats-server"
    text = Path(settings).read_text()
    assert "mqtt { host: 127.0.0.1, port: 1999" in text
    assert str(layout.registry / "broker") in text


def test_no_broker_at_all_is_said(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker.shutil, "which", no_programs)
    monkeypatch.setattr(broker, "WHEEL", "no_such_wheel")
    with pytest.raises(ConfigError, match="No MQTT broker was found"):
        broker.prepare(layout, "127.0.0.1", 1883)
