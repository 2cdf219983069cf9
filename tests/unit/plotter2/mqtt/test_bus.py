import pytest

from plotter2.errors import ConfigError
from plotter2.mqtt.bus import Broker


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://127.0.0.1:1884", Broker("127.0.0.1", 1884)),
        ("mqtt://broker", Broker("broker", 1883)),
        ("tcp://broker:99/", Broker("broker", 99)),
        ("mqtt://me:secret@broker", Broker("broker", 1883, "me", "secret")),
        ("mqtt://[::1]:7", Broker("::1", 7)),
    ],
)
def test_a_brokers_address_is_read(url: str, expected: Broker) -> None:
    assert Broker.parse(url) == expected


@pytest.mark.parametrize("url", ["", "127.0.0.1:1883", "http://x", "mqtt://", "mqtt://x:port", "mqtt://x/topic"])
def test_what_is_no_address_is_said_in_one_sentence(url: str) -> None:
    with pytest.raises(ConfigError, match="not a broker's address: it would be mqtt://host:port"):
        Broker.parse(url)
