"""What every store says of versions: what differs, and what was asked over time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from manager.store import HistoryRow, Store
from plotter2.model.bundle import FileEntry
from plotter2.model.difference import ChangeKind, FileChange
from plotter2.model.request import RequestKind, RequestState
from tests.contract.conftest import World
from tests.contract.samples import batch, child, delivery, put, request, task, version

OLD = tuple(FileEntry(name, 1, bytes([1]) * 32) for name in ("a", "b/c", "d", "e", "Ü"))
NEW = (OLD[0], replace(OLD[1], mode=0o755), replace(OLD[3], size_bytes=2, digest=bytes([2]) * 32), OLD[4],
       FileEntry("f", 0, bytes([3]) * 32))  # fmt: skip


@pytest.mark.req("r006")
async def test_files_that_differ_are_told_by_path_and_from_any_path_on(store: Store) -> None:
    await put(store, version("data/x", 1, OLD), version("data/x", 2, NEW))
    found = await store.changed_files(("data/x", 1), ("data/x", 2), "", 10)
    assert [(one.path, one.kind) for one in found] == [
        ("b/c", ChangeKind.CHANGED), ("d", ChangeKind.GONE), ("e", ChangeKind.CHANGED), ("f", ChangeKind.ADDED),
    ]  # fmt: skip
    assert found[0] == FileChange(OLD[1], NEW[1])
    assert await store.changed_files(("data/x", 1), ("data/x", 2), "", 2) == found[:2]
    assert await store.changed_files(("data/x", 1), ("data/x", 2), found[1].path, 10) == found[2:]
    assert await store.changed_files(("data/x", 2), ("data/x", 2), "", 10) == ()


@pytest.mark.req("r198")
async def test_a_long_list_of_files_is_read_in_parts(store: Store) -> None:
    await put(store, version("data/x", 1, OLD), version("data/x", 2, NEW))
    assert await store.files_after("data/x", 1, "", 2) == OLD[:2]
    assert await store.files_after("data/x", 1, "b/c", 2) == OLD[2:4]
    assert await store.files_after("data/x", 1, "e", 2) == OLD[4:]
    assert await store.files_after("data/x", 1, "Ü", 2) == ()
    assert await store.files_after("data/none", 1, "", 2) == ()


async def test_versions_of_two_bundles_can_be_compared(store: Store) -> None:
    await put(store, version("data/x", 1, OLD), version("data/y", 1, OLD[:2]))
    found = await store.changed_files(("data/x", 1), ("data/y", 1), "", 10)
    assert [(one.path, one.kind) for one in found] == [(one, ChangeKind.GONE) for one in ("d", "e", "Ü")]


@pytest.mark.req("r006", "r016")
async def test_history_is_everything_asked_about_a_bundle_oldest_first_and_what_pushes_came_to(store: Store) -> None:
    push = {"kind": RequestKind.PUSH, "state": RequestState.DONE}
    made, same = request(1, bundle="digits", **push), request(2, bundle="digits", **push)
    redo = request(3, bundle="digits", kind=RequestKind.REDO, children=(child(0),))
    below, beside = request(4, bundle="digits/bundles/a", **push), request(5, bundle="digits2", **push)
    await put(store, below, redo, same, made, beside)
    await put(store, delivery(1), replace(delivery(2), version=1, is_new=False), delivery(5))
    found = await store.list_history("digits", 0, 10)
    assert found.items == (
        HistoryRow(made, 1, is_new=True, delivery_id=delivery(1).id), HistoryRow(same, 1, delivery_id=delivery(2).id),
        HistoryRow(replace(redo, children=())),
        HistoryRow(below),
    )  # fmt: skip
    page = await store.list_history("digits", 1, 2)
    assert (page.items, page.total) == (found.items[1:3], 4)
    assert (await store.list_history("nothing", 0, 10)).total == 0


@pytest.mark.req("r034")
async def test_what_is_inherited_is_written_once_and_found_by_its_digest(world: World) -> None:
    digest, other = bytes([7]) * 32, bytes([8]) * 32
    first = batch(version("lab/a", inherited=digest), version("lab/b", inherited=digest), version("lab/c"))
    first.inheritances[digest] = '{"line": []}'
    await world.store.commit(first)
    again = batch(version("lab/d", inherited=digest))
    again.inheritances[digest] = '{"line": []}'
    await world.store.commit(again)
    store = await world.open()
    assert await store.get_inheritance(digest) == '{"line": []}'
    assert await store.get_inheritance(other) == await store.get_inheritance(b"") == ""
    found = await store.load()
    assert [one.inherited for one in found.bundles] == [digest, digest, b"", digest]
    assert found.inheritances == {digest: '{"line": []}'}
    newer = batch(*(version(f"lab/{name}", 2) for name in ("a", "b", "d")))
    await store.commit(newer)
    assert (await store.load()).inheritances == {}
    old = await store.get_bundle("lab/a", 1)
    assert old is not None
    assert old.inherited == digest


async def test_a_task_remembers_the_version_that_declares_it(store: Store) -> None:
    row = task("task-1")
    row = replace(row, task=replace(row.task, version=3))
    await put(store, row)
    assert await store.get_task(row.task.id) == row


@pytest.mark.req("r059", "r062")
async def test_a_delivery_keeps_its_manifest_and_is_found_by_its_push(store: Store) -> None:
    kept = replace(delivery(1), manifest_json='{"user": "ann"}')
    await put(store, delivery(2), kept)
    assert await store.get_delivery(kept.id) == kept
    assert await store.get_delivery_of(kept.request_id) == kept
    assert await store.get_delivery_of(request(9).id) is None


async def test_many_bundles_and_their_files_are_found_in_one_go(store: Store) -> None:
    await put(store, version("a", 1, OLD), version("a", 2, NEW), version("b", 1, OLD[:1]), version("empty", 1, ()))
    found = await store.newest_of(["b", "a", "nothing", "empty", "a"])
    assert sorted((one.path, one.version) for one in found) == [("a", 2), ("b", 1), ("empty", 1)]
    files = await store.files_of_many([("a", 1), ("b", 1), ("b", 7), ("empty", 1)])
    assert files == {("a", 1): OLD, ("b", 1): OLD[:1]}
    assert await store.files_of_many([]) == {}
    first = OLD[0]
    asked = [("a", 1, first.path), ("b", 1, first.path), ("b", 1, "gone"), ("b", 7, first.path), ("c", 1, first.path)]
    assert await store.digests_of(asked) == {("a", 1, first.path): first.digest, ("b", 1, first.path): first.digest}
    assert await store.digests_of([]) == {}
    assert await store.newest_of([]) == ()
