"""The spool: `<spool>/<delivery_id>/<index>`, plain files, and nothing else but the journal.

A delivery without a row in the journal is nobody's and is removed at the start. The sizes of files of deliveries that
were never sealed are trusted after a crash of the process, and not after a crash of the machine: then the sender starts
over with them. What is sealed has been synced and is trusted always; its digests are checked again by the manager.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from plotter2.ids import DeliveryId
from stager.deliveries import Delivery, DeliveryState
from stager.receiver import Receiver, room

JOURNAL_NAME = "journal.db"
QUOTA_SHARE = 0.9


class Spool:
    """The files of all deliveries (blocking; call it in threads)."""

    def __init__(self, root: Path, flusher: ThreadPoolExecutor) -> None:
        self.root = root
        self._flusher = flusher

    @classmethod
    @contextmanager
    def open(cls, root: Path) -> Iterator[Spool]:
        """The spool below `root`, made when it is missing."""
        root.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(1, "write-back") as flusher:
            yield cls(root, flusher)

    @property
    def journal(self) -> Path:
        """Where the journal lies: on the same file system, so that one sync covers both."""
        return self.root / JOURNAL_NAME

    def directory(self, delivery_id: DeliveryId) -> Path:
        """Where the files of a delivery lie."""
        return self.root / delivery_id

    def receiver(self, delivery: Delivery) -> Receiver:
        """Make room for a delivery."""
        directory = self.directory(delivery.id)
        with room():
            directory.mkdir(exist_ok=True)
        return Receiver(directory, delivery.order, delivery.held, self._flusher)

    def remove(self, delivery_id: DeliveryId) -> None:
        """Remove the files of a delivery."""
        shutil.rmtree(self.directory(delivery_id), ignore_errors=True)

    def clean(self, known: Iterable[Delivery], *, is_same_boot: bool) -> list[DeliveryId]:
        """After a start: remove what is nobody's, and what cannot be trusted.

        Returns:
            Whose data were removed although they are known: they were not sealed.
        """
        names = {delivery.id: delivery for delivery in known}
        restarted = []
        for path in self.root.iterdir():
            delivery = names.get(DeliveryId(path.name))
            is_lost = delivery is not None and delivery.state is DeliveryState.RECEIVING and not is_same_boot
            if path.is_dir() and (delivery is None or is_lost):
                self.remove(DeliveryId(path.name))
                restarted += [delivery.id] if delivery is not None else []
        return restarted

    def free_bytes(self) -> int:
        """What the disk has left."""
        return shutil.disk_usage(self.root).free
