"""Propeller's three data flows through HTTP, the bus and the store (requirements M01 to M45)."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from manager.events import Ticked, WorkerAnnounced
from manager.store.memory import MemoryStore
from plotter2.errors import UnreachableError
from plotter2.ids import WorkerId
from plotter2.model.task import RunState
from plotter2.mqtt import payloads
from plotter2.mqtt.payloads import Report, ReportBatch
from tests.unit.manager.http.plane import TOPICS, Plane, plane

P1, P2, P3 = (f"0000000{number}-0000-4000-8000-000000000000" for number in (1, 2, 3))
WASM = {"name": "add", "file": base64.b64encode(b"\0asm\1\0\0\0").decode(), "inputs": [20, 22]}
PENDING, SCHEDULED, RUNNING, COMPLETED, FAILED = range(5)


async def join(made: Plane, *proplets: str) -> None:
    for one in proplets:
        await made.proplet.say(TOPICS.create, proplet_id=one, namespace="lab", metadata={"os": "linux"})
        await made.until(lambda one=one: WorkerId(one) in made.machine.state.workers)


async def created(made: Plane, **more: Any) -> str:
    answer = await made.http.post("/tasks", json={**WASM, **more})
    assert (answer.status_code, answer.headers["location"]) == (201, f"/tasks/{answer.json()['id']}")
    return str(answer.json()["id"])


@pytest.mark.req("M02", "M08", "M33", "M34", "M35", "M36")
async def test_a_task_is_created_stored_and_given_back_and_no_two_have_one_id(tmp_path: Path) -> None:
    async with plane(tmp_path) as made:
        first, second = await created(made), await created(made, id="mine", state=3)
        assert len({first, second, "mine"}) == 3
        assert (await made.get(f"/tasks/{second}"))["state"] == PENDING
        assert [one["id"] for one in (await made.get("/tasks"))["tasks"]] == [second, first]
        stored = await made.store.get_task(made.machine.state.tasks[next(iter(made.machine.state.tasks))].task.id)
        assert stored is not None
        refused = await made.http.post("/tasks", json={})
        assert (refused.status_code, "name" in refused.json()["error"]) == (400, True)


@pytest.mark.req("M04", "M17", "M22", "M24", "M25", "M44", "M45")
async def test_a_proplet_that_tells_of_itself_is_taken_in_and_told_again_it_is_renewed(tmp_path: Path) -> None:
    async with plane(tmp_path) as made:
        await join(made, P1)
        for system in ("linux", "linux", "zephyr"):
            await made.proplet.say(
                TOPICS.create, proplet_id=P1, namespace="lab", metadata={"os": system, "tags": ["a"]}
            )
        known = made.machine.state.workers
        await made.until(lambda: "zephyr" in known[WorkerId(P1)].metadata_json)
        shown = await made.get("/proplets")
        assert shown["total"] == 1
        assert shown["proplets"][0]["metadata"] == {"os": "zephyr", "tags": ["a"]}
        await made.until(lambda: not made.loop.backlog)
        assert [one.id for one in (await made.store.load()).workers] == [P1]
        assert (await made.http.get(f"/proplets/{P2}")).status_code == 404


@pytest.mark.req("M04", "M24", "M26", "M42", "M43")
async def test_life_signs_keep_a_proplet_and_silence_or_a_last_will_ends_it(tmp_path: Path) -> None:
    async with plane(tmp_path) as made:
        await join(made, P1, P2, P3)
        for _ in range(7):
            made.clock.advance(6)
            for one in (P1, P2):
                seen = made.clock.now()
                await made.proplet.say(TOPICS.alive, proplet_id=one, status="alive", namespace="lab")
                await made.until(
                    lambda one=one, seen=seen: made.machine.state.workers[WorkerId(one)].last_seen_at == seen
                )
            await made.settle(Ticked())
        await made.proplet.say(TOPICS.alive, proplet_id=P2, status="offline")
        await made.until(lambda: made.machine.state.workers[WorkerId(P2)].state == "lost")
        for status, expected in (("active", [P1]), ("inactive", [P2, P3])):
            assert [one["id"] for one in (await made.get(f"/proplets?status={status}"))["proplets"]] == expected


@pytest.mark.req("M01", "M03", "M18", "M19", "M23", "M37", "M38", "M40", "M41")
async def test_a_start_reaches_the_proplet_whose_turn_it_is_and_its_result_the_task(tmp_path: Path) -> None:
    async with plane(tmp_path) as made:
        assert (await made.http.post(f"/tasks/{await created(made)}/start")).status_code >= 400, "nobody is there"
        await join(made, P1, P2)
        tasks = [await created(made) for _ in range(4)]
        for one in tasks:
            assert (await made.http.post(f"/tasks/{one}/start")).json() == {"started": True}
        started = await made.until(lambda: made.proplet.heard[3:] and made.proplet.heard)
        assert [(topic, said["id"], said["proplet_id"]) for topic, said in started] == [
            (TOPICS.start, one, proplet) for one, proplet in zip(tasks, (P1, P2, P1, P2), strict=True)
        ]
        row = await made.store.get_task(made.machine.state.tasks[next(reversed(made.machine.state.tasks))].task.id)
        assert row is not None
        assert (row.task.id, row.proplet_id) == (tasks[3], P2), "who has it is in the store"
        assert (await made.http.post(f"/tasks/{tasks[0]}/start")).status_code == 409
        assert (await made.get(f"/proplets/{P1}"))["task_count"] == 2


@pytest.mark.req("M24", "M27", "M40", "M41")
async def test_results_count_once_and_from_whoever_has_the_task(tmp_path: Path) -> None:
    async with plane(tmp_path) as made:
        await join(made, P1)
        good, bad = await created(made), await created(made)
        for one in (good, bad):
            await made.http.post(f"/tasks/{one}/start")
        await made.proplet.say(TOPICS.results, task_id=good, proplet_id=P2, results="41", error="")
        await made.proplet.say(TOPICS.results, task_id=good, proplet_id=P1, results="42", error="")
        assert (await made.until_task(good, COMPLETED))["results"] == "42"
        await made.proplet.say(TOPICS.results, task_id=good, proplet_id=P1, results="43", error="")
        await made.proplet.say(TOPICS.results, task_id=bad, proplet_id=P1, results=None, error="out of fuel")
        assert (await made.until_task(bad, FAILED))["error"] == "out of fuel"
        assert (await made.get(f"/tasks/{good}"))["results"] == "42"
        assert (await made.get(f"/proplets/{P1}"))["task_count"] == 0


@pytest.mark.req("M24")
async def test_what_cannot_be_read_is_logged_and_the_next_is_heard(tmp_path: Path) -> None:
    async with plane(tmp_path) as made:
        with capture_logs() as logs:
            for topic in (TOPICS.create, TOPICS.alive, TOPICS.results, TOPICS.report(WorkerId(P1))):
                for payload in (b"", b"{", b"[1]", b"\xff\xfe", b'{"proplet_id": 7}'):
                    await made.proplet.mumble(topic, payload)
            await join(made, P1)
        assert {one["topic"] for one in logs if one["event"] == "message.refused"} >= {TOPICS.create, TOPICS.results}
        assert (await made.get("/proplets"))["total"] == 1


@pytest.mark.req("M13", "M16", "M17", "M18")
async def test_tasks_proplets_and_who_has_what_are_there_after_a_restart(tmp_path: Path) -> None:
    store = MemoryStore()
    async with plane(tmp_path, store) as made:
        await join(made, P1, P2)
        task = await created(made)
        await made.http.post(f"/tasks/{task}/start")
        before = await made.get(f"/tasks/{task}")
    async with plane(tmp_path, store) as made:
        assert await made.get(f"/tasks/{task}") == before
        assert [one["task_count"] for one in (await made.get("/proplets"))["proplets"]] == [1, 0]
        await made.proplet.say(TOPICS.results, task_id=task, proplet_id=P1, results="42", error="")
        assert (await made.until_task(task, COMPLETED))["results"] == "42"


@pytest.mark.req("M03", "M22", "M23", "M38", "M41")
async def test_a_script_goes_to_a_worker_of_ours_on_a_topic_of_its_own_and_comes_back(tmp_path: Path) -> None:
    async with plane(tmp_path) as made:
        for one in (P1, P2):
            await made.settle(WorkerAnnounced(WorkerId(one), one, True, "one", 4))
        task = await created(made, file=None, script="def task(a, b):\n    return a + b\n")
        await made.http.post(f"/tasks/{task}/start")
        [(topic, _)] = await made.until(lambda: made.proplet.heard)
        assert topic == TOPICS.assign(WorkerId(P1))
        [run] = made.proplet.assigned.assignments
        report = Report(run.run_id, run.epoch, RunState.DONE, "42")
        for _ in range(2):  # once more than needed
            batch = payloads.encode_report_batch(ReportBatch(WorkerId(P1), "one", (report,)))
            await made.proplet.mumble(TOPICS.report(WorkerId(P1)), batch)
        assert (await made.until_task(task, COMPLETED))["results"] == 42
        assert (await made.get(f"/tasks/{task}/results")) == {"results": 42}


@pytest.mark.req("M31", "M32")
async def test_health_says_whom_it_reaches_and_metrics_are_prometheus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plane(tmp_path) as made:
        health = await made.get("/health")
        assert {key: health[key] for key in ("status", "version", "instance_id", "broker", "storage")} == {
            "status": "pass", "version": "0", "instance_id": "installation", "broker": True, "storage": True,
        }  # fmt: skip

        async def away(*_: object) -> int:
            raise UnreachableError("the database is away")

        async def silent(*_: object) -> int:
            await asyncio.Event().wait()
            raise AssertionError

        monkeypatch.setattr("manager.http.probes.STORE_LOOK_S_MAX", 0.01)
        made.broker.stop()
        for wrong in (away, silent):
            monkeypatch.setattr(made.store, "end", wrong)
            answer = await made.http.get("/health")
            assert (answer.status_code, answer.json()["broker"], answer.json()["storage"]) == (200, False, False)
        metrics = await made.http.get("/metrics")
        assert metrics.headers["content-type"].startswith("text/plain; version=")
        assert "# TYPE plotter2_threads gauge" in metrics.text


@pytest.mark.req("M08")
@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/tasks?limit=0", "'limit': Input should be greater than or equal to 1"),
        ("/tasks?limit=abc", "'limit': Input should be a valid integer"),
        ("/tasks?limit=101", "'limit': Input should be less than or equal to 100"),
        ("/tasks?offset=-1", "'offset': Input should be greater than or equal to 0"),
        ("/proplets?offset=x", "'offset': Input should be a valid integer"),
        ("/proplets?status=unknown", "invalid proplet status"),
    ],
)
async def test_a_query_that_makes_no_sense_is_answered_in_propellers_shape(
    tmp_path: Path, path: str, says: str
) -> None:
    async with plane(tmp_path) as made:
        answer = await made.http.get(path)
        assert (answer.status_code, list(answer.json())) == (400, ["error"])
        assert says in answer.json()["error"]


@pytest.mark.req("M33")
async def test_a_script_or_pipeline_that_cannot_run_is_refused_when_it_is_made(tmp_path: Path) -> None:
    async with plane(tmp_path) as made:
        for body, says in (
            ({"script": "def task(:"}, "x.py, line 1: invalid syntax."),
            ({"script": "x = 1"}, "x.py: there is no `def task():`"),
            ({"pipeline": ["access", "pcaa"]}, "x.json, step 2: unknown op 'pcaa'; the nearest is 'pca'."),
        ):
            answer = await made.http.post("/tasks", json={"name": "x", **body})
            assert (answer.status_code, answer.json()["error"][: len(says)]) == (400, says)
        assert (await made.get("/tasks"))["total"] == 0
