"""Asks at the edge: keys, refusals, replays, plans, failed points."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from manager.rpc.asking import json_object
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.api.v1 import task_pb2
from plotter2.errors import ConflictError, NotFoundError, RefusedError, UsageError
from plotter2.model.request import RequestKind
from plotter2.model.service import ServiceState
from plotter2.model.task import Limits
from tests.unit.manager.kit import DIGITS, FILES
from tests.unit.manager.rpc.kit import PATH, Small, small

SCRIPT = "def task(n):\n    return n\n"


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Small]:
    async with small(tmp_path) as made:
        await made.push()
        yield made


@pytest.mark.req("r016")
async def test_a_retry_with_the_same_key_is_answered_with_the_first_request(manager: Small) -> None:
    first = await manager.redo(["0.1", "0.20"], key="nightly")
    before = await manager.count()
    again = await manager.redo(["0.1", "0.20"], key="nightly")
    assert again.id == first.id
    assert await manager.count() == before


@pytest.mark.req("r016")
async def test_a_retry_is_the_same_ask_also_when_a_new_version_has_come_meanwhile(manager: Small) -> None:
    first = await manager.redo(["0.1"], key="nightly")
    await manager.push(package_json=DIGITS, files=FILES[:-1])
    assert (await manager.redo(["0.1"], key="nightly")).id == first.id
    with pytest.raises(ConflictError, match="belongs to another ask"):
        await manager.redo(["0.1"], key="nightly", version=1)


@pytest.mark.req("r016")
async def test_the_same_key_with_another_ask_is_a_conflict_that_is_remembered_without_the_key(manager: Small) -> None:
    first = await manager.redo(["0.1"], key="k")
    with pytest.raises(ConflictError, match=f"request {first.id}"):
        await manager.redo(["0.2"], key="k")
    with pytest.raises(ConflictError, match="belongs to another ask"):
        await manager.submit("k", run=pb.RunAsk(task="curve", bundle=PATH))
    with pytest.raises(ConflictError, match="belongs to another ask"):
        await manager.submit("k", archive=pb.ArchiveAsk(bundle=PATH, archived=True))
    newest = (await manager.store.list_requests(0, 1)).items[0]
    assert (newest.kind, newest.reason_code, newest.client_key) == (RequestKind.ARCHIVE, "conflict", "")
    assert (await manager.redo(["0.1"], key="k")).id == first.id


@pytest.mark.req("r016")
async def test_two_at_once_with_one_key_make_one_request(manager: Small) -> None:
    both = await asyncio.gather(*(manager.redo(["0.1"], key="k") for _ in range(2)))
    assert both[0].id == both[1].id
    with pytest.raises(ConflictError):
        await asyncio.gather(manager.redo(["1"], key="other"), manager.redo(["2"], key="other"))


@pytest.mark.req("r016", "r017")
async def test_a_refusal_keeps_its_key_and_a_retry_is_answered_with_it(manager: Small) -> None:
    wrong = pb.RedoAsk(bundle=PATH, axes=[pb.SweepAxis(parameter="rate", values_json=["1"])])
    with pytest.raises(RefusedError, match="no parameter 'rate'"):
        await manager.submit("k", redo=wrong)
    before = await manager.count()
    again = await manager.submit("k", redo=wrong)
    assert again.state == pb.REQUEST_STATE_REFUSED
    assert "no parameter 'rate'" in again.reason
    assert await manager.count() == before
    with pytest.raises(NotFoundError, match="no task 'x'"):
        await manager.submit("k2", run=pb.RunAsk(task="x", bundle=PATH))
    assert (await manager.submit("k2", run=pb.RunAsk(task="x", bundle=PATH))).reason_code == "not_found"


async def test_a_stream_of_calls_may_not_take_a_key_that_is_in_use(manager: Small) -> None:
    await manager.redo(["0.1"], key="k")

    async def stream() -> AsyncIterator[pb.CallRequest]:
        yield pb.CallRequest(begin=pb.CallBegin(client_key="k", source=SCRIPT))

    with pytest.raises(ConflictError, match="belongs to another ask"):
        await anext(manager.rpc.Call(stream(), None))


@pytest.mark.parametrize("key", ["x" * 201, "a\nb", "dlv-1"])
async def test_a_key_that_may_not_be_is_wrong_usage(manager: Small, key: str) -> None:
    with pytest.raises(UsageError, match="client key"):
        await manager.redo(["0.1"], key=key)


@pytest.mark.req("r018")
async def test_a_plan_says_what_would_run_and_what_is_reused_and_makes_no_request(manager: Small) -> None:
    await manager.redo(["0.1"])
    await manager.end(manager.started[0])
    before = await manager.count()
    axes = [pb.SweepAxis(parameter="lr", values_json=["0.10", "0.2"])]
    plan = await manager.rpc.PlanRedo(pb.PlanRedoRequest(redo=pb.RedoAsk(bundle=PATH, axes=axes)), None)
    assert (plan.bundle, plan.version) == (PATH, 1)
    assert [(one.bundle, one.reused_bundle, one.reused_version) for one in plan.children] == [
        (f"{PATH}/bundles/lr=0.10", f"{PATH}/bundles/lr=0.1", 1), (f"{PATH}/bundles/lr=0.2", "", 0),
    ]  # fmt: skip
    forced = await manager.rpc.PlanRedo(pb.PlanRedoRequest(redo=pb.RedoAsk(bundle=PATH, axes=axes, force=True)), None)
    assert not any(one.reused_bundle for one in forced.children)
    wrong = pb.RedoAsk(bundle=PATH, axes=[pb.SweepAxis(parameter="rl", values_json=["1"])])
    with pytest.raises(RefusedError, match="no parameter"):
        await manager.rpc.PlanRedo(pb.PlanRedoRequest(redo=wrong), None)
    assert await manager.count() == before


@pytest.mark.req("r016")
async def test_a_redo_is_replayed_on_what_is_current_in_the_same_spelling(manager: Small) -> None:
    first = await manager.redo(["0.10", "1e-3"], parallel=2)
    for spec in tuple(manager.started):
        await manager.end(spec)
    unchanged = await manager.submit(replay=pb.ReplayAsk(request_id=first.id))
    assert [child.reused for child in unchanged.children] == [True, True]
    await manager.push(files=(*FILES[:-1], FILES[-1], FILES[0].__class__("code_sources/more.py", 1, b"m" * 32)))
    again = await manager.submit(replay=pb.ReplayAsk(request_id=first.id))
    assert [child.reused for child in again.children] == [False, False]
    assert [child.parameters_json for child in again.children] == [
        '{"lr": 0.10, "seed": 0}', '{"lr": 1e-3, "seed": 0}',
    ]  # fmt: skip
    told = json.loads(again.ask_json)
    assert (told["replay_of"], told["runs_version"], told["parallel"]) == (first.id, 2, 2)
    assert '"lr":[0.10,1e-3]' in again.ask_json


@pytest.mark.req("r016")
async def test_a_named_version_is_run_and_replayed_although_there_is_a_newer_one(manager: Small) -> None:
    await manager.push(files=(*FILES, FILES[0].__class__("code_sources/more.py", 1, b"m" * 32)))
    first = await manager.redo(["0.1"], version=1)
    again = await manager.submit(replay=pb.ReplayAsk(request_id=first.id))
    assert [json.loads(one.ask_json)["runs_version"] for one in (first, again)] == [1, 1]
    assert manager.started[0].version == 1
    with pytest.raises(NotFoundError, match="no version 7; its versions are 1 to 2"):
        await manager.redo(["0.1"], version=7)


@pytest.mark.req("r016")
async def test_a_run_with_a_source_of_its_own_is_replayed_with_it(manager: Small) -> None:
    limits = task_pb2.TaskLimits(wall_s=5.0, cpu_s=2.0, memory_bytes=1 << 30)
    ask = pb.RunAsk(
        task="mine", source=SCRIPT, filename="mine.py", parameters_json='{"n": 0.10}', bundle=PATH, limits=limits
    )
    first = await manager.submit(run=ask)
    again = await manager.submit(replay=pb.ReplayAsk(request_id=first.id))
    runs = [(await manager.store.runs_of(one.id))[0] for one in (first, again)]
    tasks = [await manager.store.get_task(run.task_id) for run in runs]
    assert [run.parameters_json for run in runs] == ['{"n": 0.10}'] * 2
    assert [(row.task.source, row.task.filename, row.task.name) for row in tasks if row] == [
        (SCRIPT, "mine.py", "mine")
    ] * 2
    assert [row.task.limits for row in tasks if row] == [Limits(5.0, 2.0, 1 << 30)] * 2
    twice = await manager.submit("k", replay=pb.ReplayAsk(request_id=again.id))
    assert json.loads(twice.ask_json)["replay_of"] == again.id
    assert (await manager.submit("k", replay=pb.ReplayAsk(request_id=again.id))).id == twice.id


@pytest.mark.req("r016")
async def test_what_was_refused_can_be_asked_again_when_it_makes_sense(manager: Small) -> None:
    with pytest.raises(NotFoundError):
        await manager.submit("k", run=pb.RunAsk(task="curve", bundle="data/new"))
    first = await manager.store.find_request("k")
    assert first is not None
    await manager.push("data/new")
    again = await manager.submit(replay=pb.ReplayAsk(request_id=first.id))
    assert again.state == pb.REQUEST_STATE_RUNNING


@pytest.mark.req("r016", "r017")
async def test_what_cannot_be_replayed_says_what_would_do(manager: Small) -> None:
    pushed = (await manager.store.list_requests(0, 1)).items[0]
    with pytest.raises(RefusedError, match=f"`plotter2 push DIR {PATH}`"):
        await manager.submit(replay=pb.ReplayAsk(request_id=pushed.id))
    await manager.push(f"{PATH}/bundles/own", "", FILES[:1])
    fired = next(one for one in (await manager.store.list_requests(0, 9)).items if one.kind is RequestKind.STANDING)
    with pytest.raises(RefusedError, match=f"`plotter2 run c[a-z]+ --on {PATH}"):
        await manager.submit(replay=pb.ReplayAsk(request_id=fired.id))
    with pytest.raises(NotFoundError, match="plotter2 requests"):
        await manager.submit(replay=pb.ReplayAsk(request_id="req-none"))


@pytest.mark.req("r018")
async def test_only_the_failed_points_of_a_redo_run_again_in_their_order(manager: Small) -> None:
    first = await manager.redo(["0.1", "0.20", "0.3", "0.4"], parallel=4)
    for number, spec in enumerate(tuple(manager.started)):
        await manager.end(spec, ServiceState.FAILED if number % 2 else ServiceState.DONE)
    again = await manager.submit(redo=pb.RedoAsk(failed_of=first.id, parallel=2))
    assert [(child.bundle, child.parameters_json) for child in again.children] == [
        (f"{PATH}/bundles/lr=0.20", '{"lr": 0.20, "seed": 0}'), (f"{PATH}/bundles/lr=0.4", '{"lr": 0.4, "seed": 0}'),
    ]  # fmt: skip
    assert again.bundle == PATH
    for spec in tuple(manager.started)[4:]:
        await manager.end(spec)
    assert (await manager.request(again.id)).state == pb.REQUEST_STATE_DONE
    with pytest.raises(ConflictError, match="has no failed points"):
        await manager.submit(redo=pb.RedoAsk(failed_of=again.id))
    repeated = await manager.submit(redo=pb.RedoAsk(failed_of=first.id))
    assert [child.reused for child in repeated.children] == [True, True]


@pytest.mark.req("r018")
async def test_failed_points_of_what_is_no_redo_are_refused(manager: Small) -> None:
    run = await manager.submit(run=pb.RunAsk(task="curve", bundle=PATH))
    with pytest.raises(ConflictError, match=f"`plotter2 replay {run.id}`"):
        await manager.submit(redo=pb.RedoAsk(failed_of=run.id))
    with pytest.raises(UsageError, match="name the request alone"):
        await manager.submit(redo=pb.RedoAsk(failed_of=run.id, bundle=PATH))


async def made_again(manager: Small, mark: str = "o", python: str = "3.11.8") -> Any:
    """A run, the same again under a new version of its experiment, and what came of it."""
    await manager.redo(["0.10"])
    await manager.end(manager.started[0])
    await manager.push(files=(*FILES, FILES[0].__class__("code_sources/more.py", 1, b"m" * 32)))
    again = await manager.submit(redo=pb.RedoAsk(bundle=f"{PATH}/bundles/lr=0.10"))
    await manager.end(manager.started[1], mark=mark, python=python)
    return await manager.request(again.id)


@pytest.mark.req("r018")
async def test_a_childs_run_is_made_again_with_the_code_and_parameters_it_had(manager: Small) -> None:
    ended = await made_again(manager)
    first, second = manager.started
    assert (second.bundle, second.version, second.child) == (PATH, 1, first.child)
    assert (second.parameters_json, second.run_key, second.files) == (first.parameters_json, first.run_key, first.files)
    assert ended.state == pb.REQUEST_STATE_DONE
    told = ended.repeat
    assert (told.bundle, told.before, told.after) == (f"{PATH}/bundles/lr=0.10", 1, 2)
    assert (list(told.files), told.differing, told.same, list(told.environment)) == ([], 0, 2, [])


@pytest.mark.req("r018")
async def test_a_run_that_leaves_other_bytes_is_told_with_the_files_and_the_environment(manager: Small) -> None:
    told = (await made_again(manager, mark="other", python="3.11.9")).repeat
    assert [file.after.path for file in told.files] == ["out/metrics.csv"]
    assert (told.differing, told.same) == (1, 1)
    assert list(told.environment) == ["python was 3.11.8, now it is 3.11.9"]


@pytest.mark.req("r017", "r018")
async def test_a_child_with_other_values_is_refused_with_the_ask_that_would_do(manager: Small) -> None:
    await manager.redo(["0.1"])
    await manager.end(manager.started[0])
    axes = [pb.SweepAxis(parameter="lr", values_json=["0.2", "0.3"])]
    with pytest.raises(RefusedError, match=f"`plotter2 redo {PATH} --set lr=0.2,0.3`"):
        await manager.submit(redo=pb.RedoAsk(bundle=f"{PATH}/bundles/lr=0.1", axes=axes))
    assert not (await manager.request((await manager.redo(["0.1"])).id)).HasField("repeat")


@pytest.mark.req("r018")
async def test_a_repeat_that_failed_can_be_repeated_with_the_version_it_had(manager: Small) -> None:
    await manager.redo(["0.1"])
    await manager.end(manager.started[0])
    await manager.push(files=(*FILES, FILES[0].__class__("code_sources/more.py", 1, b"m" * 32)))
    again = await manager.submit("k", redo=pb.RedoAsk(bundle=f"{PATH}/bundles/lr=0.1"))
    assert (await manager.submit("k", redo=pb.RedoAsk(bundle=f"{PATH}/bundles/lr=0.1"))).id == again.id
    await manager.end(manager.started[1], ServiceState.FAILED)
    assert not (await manager.request(again.id)).HasField("repeat")
    await manager.submit(redo=pb.RedoAsk(failed_of=again.id))
    plan = await manager.rpc.PlanRedo(pb.PlanRedoRequest(redo=pb.RedoAsk(bundle=f"{PATH}/bundles/lr=0.1")), None)
    assert (plan.version, plan.children[0].reused_bundle) == (1, "")


@pytest.mark.req("r017")
async def test_unknown_names_are_refused_with_the_nearest_known_one(manager: Small) -> None:
    await manager.push("experiments/flights", "", FILES[:1])
    for name, meant in (("experiments/digts", PATH), ("digits", PATH), ("experiments/fligths", "experiments/flights")):
        with pytest.raises(NotFoundError, match=f"did you mean '{meant}'"):
            await manager.submit(redo=pb.RedoAsk(bundle=name))
    with pytest.raises(NotFoundError, match="`plotter2 ls` shows all"):
        await manager.submit(redo=pb.RedoAsk(bundle="other/entirely"))
    with pytest.raises(NotFoundError, match=r"'curve', 'compare'; did you mean 'curve'\?"):
        await manager.submit(run=pb.RunAsk(task="curv", bundle=PATH))


@pytest.mark.parametrize(
    ("text", "says"),
    [("[1]", "must be a JSON object"), ("{", "not JSON"), ('{"a": NaN}', "not JSON"), ('{"a":' + "[" * 99, "nested")],
)
def test_parameters_that_are_none_are_wrong_usage(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        json_object(text, "parameters")
    assert json_object('{"a": "' + "[" * 99 + '"}', "parameters")
