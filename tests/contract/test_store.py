"""One suite for every store: what is committed is there, all of it or nothing, and once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from manager.store import Batch, Snapshot, Store
from plotter2.errors import ConflictError, UsageError
from plotter2.ids import RequestId
from plotter2.model.record import JOURNAL
from plotter2.model.request import RequestKind, RequestState, Skip
from plotter2.model.service import ServiceState
from plotter2.model.task import Output, RunState
from tests.contract.conftest import World
from tests.contract.samples import at, batch, child, delivery, note, put, request, run, service, task, version, worker

DONE = RequestState.DONE


async def test_a_new_store_is_empty(store: Store) -> None:
    assert await store.load() == Snapshot((), (), (), (), (), ())
    assert (await store.list_requests(0, 10)).total == 0
    assert (await store.list_bundles(0, 10)).items == ()
    assert await store.get_bundle("digits") is None
    assert await store.files_of("digits", 1) == ()
    assert await store.get_delivery(delivery(1).id) is None


@pytest.mark.req("r016")
async def test_a_request_is_there_after_a_restart_with_everything_it_had(world: World) -> None:
    asked = request(
        1, bundle="digits", ask_json='{"lr": [0.1, 0.20]}', client_key="mine", cause=RequestId("req-0"), reason="why",
        reason_code="refused", total=3, finished=2, failed=1, finished_at=at(9),
        children=(child(0), child(1, tail="x")),
    )  # fmt: skip
    await put(world.store, asked)
    store = await world.open()
    assert await store.get_request(asked.id) == asked
    assert (await store.load()).requests == (asked,)


async def test_committing_the_same_batch_twice_changes_nothing(store: Store) -> None:
    twice = batch(request(1), version("digits"), note(1), note(2))
    await store.commit(twice)
    await put(store, request(1, state=DONE))
    await store.commit(twice)
    assert await store.end(JOURNAL, 0) == 2
    found = await store.get_request(request(1).id)
    assert found is not None
    assert found.state is DONE


async def test_a_batch_without_a_turn_is_a_mistake(store: Store) -> None:
    with pytest.raises(UsageError, match="turn"):
        await store.commit(Batch(requests={request(1).id: request(1)}))
    assert (await store.list_requests(0, 10)).total == 0


async def test_a_batch_that_conflicts_leaves_nothing_behind(store: Store) -> None:
    await put(store, version("digits"))
    with pytest.raises(ConflictError):
        await put(store, request(1), note(1), version("flights"), version("digits"))
    assert await store.get_request(request(1).id) is None
    assert await store.get_bundle("flights") is None
    assert await store.end(JOURNAL, 0) == 0
    await put(store, request(1), note(1))  # and the store goes on
    assert await store.end(JOURNAL, 0) == 1


async def test_commits_from_many_sides_are_all_in(store: Store) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(30):
            group.create_task(put(store, request(number), note(number)))
    assert (await store.list_requests(0, 0)).total == 30
    assert await store.verify(JOURNAL, 0) == 30


async def test_changed_children_are_written_and_the_others_stay(world: World) -> None:
    children = tuple(child(index) for index in range(300))
    await put(world.store, request(1, children=children))
    for index in (299, 7):
        changed = child(index, ServiceState.DONE, reused=True)
        children = (*children[:index], changed, *children[index + 1 :])
        await put(world.store, request(1, children=(changed,)))
    store = await world.open()
    children = (child(0, ServiceState.FAILED, error="went wrong"), *children[1:])
    await put(store, request(1, children=children[:1], state=DONE))
    found = await store.get_request(request(1).id)
    assert found is not None
    assert found.children == children


async def test_requests_are_listed_newest_first_in_pages(store: Store) -> None:
    await put(store, *(request(number, children=(child(0),)) for number in range(5)))
    page = await store.list_requests(1, 2)
    assert [one.id for one in page.items] == [request(3).id, request(2).id]
    assert page.total == 5
    assert page.items[0].children == ()
    beyond = await store.list_requests(50, 10)
    assert (beyond.items, beyond.total) == ((), 5)


async def test_requests_are_found_by_bundle_and_by_cause(store: Store) -> None:
    first = request(1, bundle="lab/digits")
    await put(
        store,
        first,
        request(2, bundle="lab/digits/bundles/lr=1", cause=first.id),
        request(3, bundle="lab/digits2"),
        request(4, bundle="lab"),
    )
    about = await store.list_requests(0, 10, bundle="lab/digits")
    assert [one.id for one in about.items] == [request(2).id, first.id]
    caused = await store.list_requests(0, 10, cause=first.id)
    assert [one.id for one in caused.items] == [request(2).id]
    assert (await store.list_requests(0, 10, bundle="lab/digits", cause=first.id)).total == 1


@pytest.mark.req("r016")
async def test_a_client_key_belongs_to_one_request(store: Store) -> None:
    await put(store, request(1, client_key="k"), request(2), request(3))
    assert await store.find_request("k") == request(1, client_key="k")
    assert await store.find_request("") is None
    assert await store.find_request("other") is None
    with pytest.raises(ConflictError):
        await put(store, request(4, client_key="k"))
    await put(store, request(1, client_key="k", state=DONE))


@pytest.mark.req("M14", "M15", "M18")
async def test_runs_come_in_index_order_with_their_outputs(world: World) -> None:
    asked = request(1)
    made = (Output("digits/a.html", "figure", "A", 10, bytes([3]) * 32), Output("digits/b.html", "report"))
    runs = [run(asked, index) for index in range(12)]
    runs[2] = run(
        asked, 2, state=RunState.DONE, epoch=3, attempts=2, worker_id="w1", results_json='{"x": 1.50}', error="e",
        error_code="task_failed", outputs=made, started_at=at(3), finished_at=at(4), parameters_json='{"a": "é"}',
    )  # fmt: skip
    await put(world.store, asked, *runs)
    store = await world.open()
    assert await store.runs_of(asked.id) == tuple(runs)
    assert await store.runs_of(request(2).id) == ()


async def test_a_thousand_runs_go_in_and_on_as_one(world: World) -> None:
    asked = request(1)
    waiting = [run(asked, index) for index in range(1_000)]
    await put(world.store, asked, *waiting)
    ended = [replace(one, state=RunState.DONE, results_json="1", finished_at=at(5)) for one in waiting[:600]]
    more = [run(asked, 1_000 + index) for index in range(400)]
    bound = replace(waiting[600], parameters_json='{"k": "m_1"}')
    await put(world.store, *ended, bound, *more)
    store = await world.open()
    assert await store.runs_of(asked.id) == (*ended, bound, *waiting[601:], *more)
    assert (await store.load()).runs == (bound, *waiting[601:], *more)


async def test_the_keys_of_a_run_and_what_is_left_out_come_after_both_were_made(world: World) -> None:
    asked, waiting = request(1), run(request(1), 0)
    await put(world.store, asked, waiting)
    bound = replace(waiting, parameters_json='{"k": "m_1"}')
    empty = replace(asked, skipped=(Skip("lab", "there is no data called 'm'"),))
    await put(world.store, empty, bound)
    store = await world.open()
    assert await store.runs_of(asked.id) == (bound,)
    assert await store.get_request(asked.id) == empty


async def test_how_far_an_open_stream_of_calls_is_its_runs_tell(store: Store) -> None:
    calls, other = request(1, kind=RequestKind.CALL), request(2)
    await put(store, calls, other, run(calls, 0, state=RunState.DONE), run(calls, 1, state=RunState.FAILED))
    await put(store, run(calls, 2), run(calls, 3, state=RunState.GAVEUP), run(other, 0))
    assert (await store.load()).requests == (replace(calls, total=4, finished=3, failed=1), other)


@pytest.mark.req("M13", "M14", "M15", "M16", "M17")
async def test_a_restart_finds_what_has_not_ended_and_what_that_speaks_of(world: World) -> None:
    live, over = request(1), request(2, state=DONE)
    rows = [task("task-1", 1, is_hidden=True), task("old", 2, is_hidden=True), task("http", 3, wire_json="{}")]
    workers = [worker("w1"), worker("w2", metadata_json='{"a": 1}', is_ours=True, pid=7, incarnation="i")]
    await put(world.store, live, over, *rows, *workers)
    await put(world.store, run(live, 0), run(over, 0, state=RunState.FAILED), version("b"), version("a"))
    await put(world.store, service(live, 0), service(live, 1, ServiceState.DONE), service(live, 10))
    found = await (await world.open()).load()
    assert found.requests == (live,)
    assert found.runs == (run(live, 0),)
    assert found.tasks == (rows[0], rows[2])
    assert found.workers == tuple(workers)
    assert found.services == (service(live, 0), service(live, 10))
    assert [one.path for one in found.bundles] == ["a", "b"]


async def test_a_service_run_keeps_its_ask_and_changes_its_state(world: World) -> None:
    asked = request(1)
    await put(world.store, asked, service(asked, 0))
    running = service(asked, 0, ServiceState.RUNNING, pid=12, started_at=at(1), tail="so far", child="c")
    await put(world.store, running)
    store = await world.open()
    assert (await store.load()).services == (running,)
    await put(store, service(asked, 0, ServiceState.FAILED, exit_status=-9, error="killed"))
    assert (await store.load()).services == ()


@pytest.mark.req("r018")
async def test_the_run_that_made_a_version_is_found_by_it(world: World) -> None:
    asked = request(1)
    made = service(asked, 0, ServiceState.DONE, delivery_id=delivery(2).id)
    other = service(asked, 1, ServiceState.RUNNING)
    await put(world.store, asked, made, other, delivery(1), delivery(2))
    store = await world.open()
    assert await store.find_maker("digits", 2) == made
    assert await store.find_maker("digits", 1) is None
    assert await store.find_maker("digits", 3) is None
    assert await store.get_service(other.spec.service_id) == other
    assert await store.get_service(service(asked, 9).spec.service_id) is None


@pytest.mark.req("M14", "M15", "M16")
async def test_definitions_made_over_http_are_listed_newest_first(store: Store) -> None:
    await put(store, task("t1", 1), task("t2", 2), task("t3", 3, is_hidden=True), task("t4", 4, results_json="[1]"))
    page = await store.list_tasks(0, 2)
    assert [row.task.id for row in page.items] == ["t4", "t2"]
    assert page.total == 3
    found = await store.get_task(task("t4").task.id)
    assert found == task("t4", 4, results_json="[1]")


@pytest.mark.req("r006", "r027")
async def test_a_new_version_supersedes_and_the_old_one_stays(world: World) -> None:
    old = version("lab/digits", 1, package_json='{"a": 1}', request_id=request(1).id)
    new = version("lab/digits", 2, old.files[:1], parameters_json="{}", run_key=bytes([7]) * 32, ok=False)
    await put(world.store, old)
    await put(world.store, new)
    store = await world.open()
    assert await store.get_bundle("lab/digits") == new.bundle
    assert await store.get_bundle("lab/digits", 1) == old.bundle
    assert await store.get_bundle("lab/digits", 3) is None
    assert await store.files_of("lab/digits", 1) == old.files
    assert await store.files_of("lab/digits", 2) == old.files[:1]
    page = await store.list_versions("lab/digits", 0, 1)
    assert (page.items, page.total) == ((new.bundle,), 2)
    assert (await store.load()).bundles == (new.bundle,)


async def test_bundles_are_listed_by_path_below_a_place(store: Store) -> None:
    names = ["lab", "lab/a", "lab/a/bundles/x", "lab/ab", "lab-2", "other"]
    await put(store, *(version(name) for name in names))
    await put(store, version("lab/a", 2))
    page = await store.list_bundles(0, 10)
    assert [one.path for one in page.items] == sorted(names)
    below = await store.list_bundles(0, 10, under="lab/a")
    assert [(one.path, one.version) for one in below.items] == [("lab/a", 2), ("lab/a/bundles/x", 1)]
    assert (await store.list_bundles(2, 2)).items == page.items[2:4]


@pytest.mark.req("r006")
async def test_an_archived_bundle_is_hidden_and_can_be_shown_again(store: Store) -> None:
    await put(store, version("a"), version("b"))
    for is_archived in (True, False):
        hiding = batch()
        hiding.archived["a"] = is_archived
        await store.commit(hiding)
        shown = await store.list_bundles(0, 10)
        assert [one.path for one in shown.items] == (["b"] if is_archived else ["a", "b"])
        everything = await store.list_bundles(0, 10, archived=True)
        assert [(one.path, one.archived) for one in everything.items] == [("a", is_archived), ("b", False)]
        found = await store.get_bundle("a", 1)
        assert found is not None
        assert found.archived is is_archived


@pytest.mark.req("r018")
async def test_what_was_run_before_is_found_by_its_key_unless_it_failed(store: Store) -> None:
    key = bytes([5]) * 32
    await put(store, version("a", run_key=key, ok=False, seconds=9), version("b", run_key=key, seconds=1))
    await put(store, version("c", run_key=key, seconds=2), version("d", seconds=3))
    other = bytes([6]) * 32
    await put(store, version("e", run_key=other, seconds=4))
    found = await store.find_run_keys([key, b"", bytes(32), other])
    assert {run_key: one.path for run_key, one in found.items()} == {key: "c", other: "e"}
    assert await store.find_run_keys([]) == {}


async def test_what_became_of_a_delivery_is_remembered(store: Store) -> None:
    await put(store, delivery(1), delivery(2, "flights"))
    assert await store.get_delivery(delivery(2).id) == delivery(2, "flights")


async def test_outputs_are_listed_newest_first_with_where_they_came_from(store: Store) -> None:
    first, second = request(1), request(2)
    figure, report = Output("f.html", "figure", size_bytes=1), Output("r.html", "report")
    await put(
        store,
        run(first, 0, state=RunState.DONE, outputs=(figure, report), finished_at=at(1)),
        run(second, 0, state=RunState.DONE, outputs=(figure,), finished_at=at(2), bundle="flights"),
    )
    page = await store.list_outputs(0, 2)
    assert [(row.request_id, row.output) for row in page.items] == [(second.id, figure), (first.id, report)]
    assert (page.total, page.items[0].created_at, page.items[0].task_name) == (3, at(2), "curve")
    assert (await store.list_outputs(0, 9, bundle="flights")).total == 1
    assert (await store.list_outputs(0, 9, request=first.id)).total == 2
    assert (await store.list_outputs(0, 9, kind="report", bundle="digits")).items == page.items[1:]


async def test_text_that_no_database_can_hold_holds_up_nothing(store: Store) -> None:
    asked = request(1, children=(child(0, tail="a\0b"),))
    bad = run(asked, 0, state=RunState.FAILED, error="nul \0, half \ud83d, whole 😀", results_json="\udc00")
    await put(store, asked, bad, note(1, payload_json='"\ud800"', key="\0"))
    (found,) = await store.runs_of(asked.id)
    assert (found.error, found.results_json) == ("nul \ufffd, half \ufffd, whole 😀", "\ufffd")
    (record,) = await store.read(JOURNAL, 0, 0, 1)
    assert (record.key, record.payload_json) == ("\ufffd", '"\ufffd"')
    assert await store.verify(JOURNAL, 0) == 1
    again = await store.get_request(asked.id)
    assert again is not None
    assert again.children[0].tail == "a\ufffdb"


async def test_strange_words_from_outside_hold_up_nothing_either(store: Store) -> None:
    long_key = "k" * 50_000 + "\0"
    asked = request(1, bundle="a\0b", client_key=long_key, state=RequestState.REFUSED, reason="\ud800")
    await put(store, asked, worker("w\0", metadata_json='"\ud800"', slots=1 << 32))
    assert (await store.load()).workers == (worker("w\ufffd", metadata_json='"\ufffd"', slots=1 << 32),)
    assert await store.get_request(RequestId("no\0")) is None
    assert (await store.list_requests(0, 9)).items[0].bundle == "a\ufffdb"
    found = await store.find_request("k" * 50_000 + "\ufffd")
    assert found is not None
    with pytest.raises(ConflictError):
        await put(store, request(2, client_key=long_key))
