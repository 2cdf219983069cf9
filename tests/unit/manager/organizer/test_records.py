"""A delivery's record follows from its row and files, can be left again, and holds code apart from data."""

from __future__ import annotations

import json

import pytest

from manager.organizer.records import name_of, record_of
from manager.store import Delivery
from plotter2.clock import Instant
from plotter2.ids import DeliveryId, RequestId
from plotter2.model import manifest
from tests.unit.manager.organizer.conftest import Home

pytestmark = pytest.mark.req("r005", "r062")
PAPER = manifest.write("ann", Instant(1_700_000_000), {}, {"depends": ["data/y@2"]})
FILES = {"a.csv": b"1", "deep/b": b"2", "code_sources/run.py": b"print()", "manifest.json": PAPER.encode()}
DELIVERY = Delivery(
    DeliveryId(f"dlv-{1:032x}"), RequestId(f"req-{1:032x}"), "lab/x", 3, is_new=True,
    installed_at=Instant(1_700_000_000.5), manifest_json=PAPER,
)  # fmt: skip


def test_a_record_has_the_paperwork_what_became_of_it_the_data_and_the_code(home: Home) -> None:
    entries = home.show("lab/x", FILES)
    record = record_of(DELIVERY, entries)
    assert record.folder == f"lab/x/meta/history/20231114T221320Z-{DELIVERY.id}"
    assert name_of(DELIVERY) == record.folder.rpartition("/")[2]
    for _ in range(2):
        assert home.organizer.keep_record(record) == []
    found = home.folder(record.folder)
    said = json.loads(found.pop("delivery.json"))
    assert found == {
        "manifest.json": PAPER.encode(), "output_data/a.csv": b"1", "output_data/deep/b": b"2",
        "source_data/run.py": b"print()",
    }  # fmt: skip
    assert (home.layout.source / record.folder / "tbd").is_dir()
    assert (said["version"], said["new"], said["depends"]) == (3, True, ["data/y@2"])
    assert home.organizer.check_folder(record.folder, record.files) == []


def test_a_delivery_that_changed_nothing_leaves_its_paperwork_only(home: Home) -> None:
    entries = home.show("lab/x", FILES)
    same = Delivery(DELIVERY.id, DELIVERY.request_id, "lab/x", 3, is_new=False, installed_at=Instant(0.0))
    record = record_of(same, entries)
    home.organizer.keep_record(record)
    assert sorted(home.folder(record.folder)) == ["delivery.json"]


def test_what_stands_in_the_way_of_a_record_is_put_aside(home: Home) -> None:
    record = record_of(DELIVERY, home.show("lab/x", FILES))
    place = home.layout.source / record.folder
    place.mkdir(parents=True)
    (place / "manifest.json").write_bytes(b"by hand")
    (strange,) = home.organizer.keep_record(record)
    assert strange.place.endswith("/manifest.json")
    assert home.folder(record.folder)["manifest.json"] == PAPER.encode()
