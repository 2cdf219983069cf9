import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from plotter2.errors import LimitError
from stager.deliveries import Delivery, DeliveryState
from stager.receiver import room
from stager.spool import Spool
from tests.unit.stager.kit import order


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool.open(tmp_path / "spool") as spool:
        yield spool


def there(spool: Spool, state: DeliveryState) -> Delivery:
    one = Delivery(order("b", a=b"abc"), state)
    receiver = spool.receiver(one)
    token, _ = receiver.take()
    receiver.write(token, [(0, 0, b"abc")])
    receiver.close(token)
    return one


def test_what_is_nobodys_is_removed_at_the_start(spool: Spool) -> None:
    receiving, sealed = there(spool, DeliveryState.RECEIVING), there(spool, DeliveryState.SEALED)
    nobodys = there(spool, DeliveryState.SEALED)
    assert spool.clean([receiving, sealed], is_same_boot=True) == []
    assert not spool.directory(nobodys.id).exists()
    assert spool.receiver(receiving).take()[1] == [3]
    assert (spool.directory(sealed.id) / "0").read_bytes() == b"abc"


def test_after_a_loss_of_power_only_what_was_sealed_counts(spool: Spool) -> None:
    receiving, sealed = there(spool, DeliveryState.RECEIVING), there(spool, DeliveryState.SEALED)
    assert spool.clean([receiving, sealed], is_same_boot=False) == [receiving.id]
    assert spool.receiver(receiving).take()[1] == [0]
    assert (spool.directory(sealed.id) / "0").read_bytes() == b"abc"


def test_a_full_disk_is_said_plainly() -> None:
    with pytest.raises(LimitError, match="disk is full"), room():
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(PermissionError), room():
        raise PermissionError
