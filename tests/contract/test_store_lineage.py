"""What every store says of where things came from."""

from __future__ import annotations

from dataclasses import replace

from manager.store.ancestry import FileAt, Follower, MadeReport, RanCode, Reuse
from plotter2.ids import DeliveryId
from plotter2.model.lineage import Edge, EdgeKind, NodeKind, ReadFile
from plotter2.model.request import RequestKind
from plotter2.model.service import ServiceState
from plotter2.model.task import Output
from tests.contract.conftest import World
from tests.contract.samples import FILES, at, delivery, put, request, run, service, task, version
from tests.contract.test_store_reports import report

PAGE, SCRIPT = (
    Output("o/1.html", "figure", "One", 3, bytes([7]) * 32),
    Output("o/b.js", "asset", "", 1, bytes([8]) * 32),
)
ASK = request(1)
READ = Edge("digits@1", f"{ASK.id}.0", EdgeKind.READ, (ReadFile("a/x.csv", "01" * 32), ReadFile("ü@\t", "02" * 32)), 5)


async def test_what_was_read_is_known_by_who_read_and_by_what_was_read(world: World) -> None:
    code = Edge("digits@1", f"{ASK.id}.1", EdgeKind.CODE)
    gave = Edge("digits@1", "other@2", EdgeKind.GAVE)
    await put(world.store, READ, code, gave, Edge("digits@2", f"{ASK.id}.0", EdgeKind.READ))
    await put(world.store, READ)  # once more changes nothing
    store = await world.open()
    other = replace(READ, src="digits@2", files=(), more_files=0)
    assert set(await store.edges_into([f"{ASK.id}.0", "other@2"])) == {READ, gave, other}
    assert await store.followers([("digits", 1), ("digits", 3)], 9) == [
        Follower(("digits", 1), EdgeKind.CODE, NodeKind.RUN, f"{ASK.id}.1", 1),
        Follower(("digits", 1), EdgeKind.GAVE, NodeKind.VERSION, "other@2", 1),
        Follower(("digits", 1), EdgeKind.READ, NodeKind.RUN, f"{ASK.id}.0", 1),
    ]


async def test_what_came_of_a_version_is_counted_and_the_first_of_each_kind_are_given(world: World) -> None:
    runs = [run(ASK, index) for index in range(12)]
    services = [service(ASK, index) for index in (2, 10, 1)]
    await put(world.store, ASK, READ, *runs, *services)
    found = await world.store.followers([("digits", 1)], 2)
    assert [(one.kind, one.what, one.id.rpartition(".")[2], one.total) for one in found] == [
        ("on", "run", "1", 11), ("on", "run", "2", 11), ("on", "service", "s1", 3), ("on", "service", "s2", 3),
        ("read", "run", "0", 1),
    ]  # fmt: skip


async def test_a_run_is_told_with_its_code_and_without_its_outputs(world: World) -> None:
    made, bare = run(ASK, 0, outputs=(PAGE,)), run(ASK, 1)
    row = task("task-1")
    row = replace(row, task=replace(row.task, source_digest=bytes([5]) * 32, bundle="other", version=4))
    await put(world.store, ASK, made, row)
    await put(world.store, replace(bare, task_id="gone"))
    by_id = {one.run.id: one for one in await world.store.runs_named([made.id, bare.id, "nobody"])}
    assert by_id[made.id] == RanCode(replace(made, outputs=()), "t.py", bytes([5]) * 32, ("other", 4))
    assert by_id[bare.id].code_digest == b""


async def test_outputs_are_found_by_place_and_by_content_and_scripts_that_pages_share_are_not(world: World) -> None:
    copy = replace(PAGE, path="o/2.html")
    first, second = (
        run(ASK, 0, outputs=(PAGE, SCRIPT), finished_at=at(1)),
        run(ASK, 1, outputs=(copy,), finished_at=at(2)),
    )
    await put(world.store, ASK, first, second)
    store = world.store
    assert [row.run_id for row in await store.outputs_at(["o/1.html", "o/3.html"])] == [first.id]
    assert [row.output.path for row in await store.outputs_like(PAGE.digest, 9)] == ["o/2.html", "o/1.html"]
    assert [row.output.path for row in await store.outputs_like(PAGE.digest, 1)] == ["o/2.html"]
    assert await store.outputs_like(SCRIPT.digest, 9) == []
    assert [(row.output, total) for row, total in await store.products([first.id], 1)] == [(PAGE, 1)]
    await put(store, run(request(2), 0, outputs=(PAGE, copy)))
    assert [total for _, total in await store.products([f"{request(2).id}.0"], 1)] == [2]


async def test_files_are_found_by_content_in_the_order_their_versions_came(world: World) -> None:
    await put(world.store, version("b", seconds=1), version("a", seconds=2), version("b", 2, FILES[1:], seconds=3))
    found = await world.store.files_like(FILES[1].digest, 9)
    places = [("b", 1), ("a", 1), ("b", 2)]
    assert found == [FileAt(*place, "b.txt", FILES[1].digest) for place in places]
    assert await world.store.files_like(FILES[1].digest, 1) == found[:1]


async def test_only_files_that_are_so_are_known(world: World) -> None:
    await put(world.store, version("b"))
    real = FileAt("b", 1, "b.txt", FILES[1].digest)
    lies = [
        replace(real, version=2),
        replace(real, bundle="c"),
        replace(real, path="x"),
        replace(real, digest=bytes(32)),
    ]
    assert await world.store.known_files([lies[0], real, *lies[1:]]) == {real}
    assert await world.store.known_files([]) == set()


async def test_versions_and_the_runs_that_left_them_are_found_from_both_sides(world: World) -> None:
    child = delivery(1, "digits/bundles/1")
    left = service(ASK, 1, ServiceState.DONE, delivery_id=child.id)
    again = service(ASK, 2, ServiceState.DONE, delivery_id=DeliveryId("dlv-again"))
    same = replace(child, id=DeliveryId("dlv-again"), is_new=False)
    made = version("digits/bundles/1")
    await put(world.store, ASK, left, again, child, same, made, service(ASK, 3))
    store = world.store
    assert await store.makers_of([("digits/bundles/1", 1), ("digits", 1)]) == {
        ("digits/bundles/1", 1): left.spec.service_id
    }
    names = [f"{ASK.id}.s{index}" for index in (1, 2, 3)]
    assert await store.made_by(names) == dict.fromkeys(names[:2], ("digits/bundles/1", 1))
    assert await store.versions_at([("digits/bundles/1", 1), ("digits", 1)]) == [made.bundle]
    assert await store.versions_at([]) == []
    (found,) = await store.services_named([names[0]])
    assert (found.spec.files, found.spec.code_digest, found.status.delivery_id) == ((), bytes(32), child.id)


async def test_requests_and_reports_are_found_many_at_a_time(world: World) -> None:
    await put(world.store, ASK, request(2, kind=RequestKind.PUSH), report("lab/a", 2))
    found = await world.store.requests_named([ASK.id, request(2).id, request(3).id])
    assert {one.id for one in found} == {ASK.id, request(2).id}
    assert await world.store.reports_of(["req-2.0", "req-3.0"]) == [
        MadeReport("lab/a", 2, report("lab/a", 2).run_id, at(2))
    ]


async def test_the_runs_that_were_answered_with_what_a_run_left_are_counted_and_the_first_are_given(
    world: World,
) -> None:
    made, other = run(ASK, 0), run(ASK, 1)
    answered = [replace(run(request(number), 0), reused_of=made.id) for number in (2, 3, 4)]
    await put(world.store, ASK, *(request(number) for number in (2, 3, 4)), made, other, *answered)
    store = await world.open()
    assert await store.reuses([made.id, other.id], 2) == [Reuse(made.id, one.id, 3) for one in answered[:2]]
    assert await store.reuses([], 2) == []
