import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.api.v1 import device_pb2
from plotter2.clock import Instant
from plotter2.ids import RunId, TaskId, WorkerId
from plotter2.model.task import RunState
from plotter2.mqtt import payloads as p
from tests.unit.plotter2.wire.strategies import blobs, instants, sizes, tasks, texts, u32, u64

names = texts.filter(bool)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(texts, json_values, max_size=4)
our_workers = st.builds(
    p.OurWorker,
    name=texts,
    slots=st.integers(1, 1000),
    incarnation=names,
    beat_s=st.floats(0.001, 1e6),
    pid=st.integers(0, 2**31),
    host=texts,
    installation=texts,
)
creates = st.builds(p.CreateMessage, proplet_id=names, namespace=names, metadata=objects, ours=st.none() | our_workers)
starts = st.builds(
    p.StartMessage,
    id=names,
    name=names,
    state=st.integers(0, 6),
    proplet_id=texts,
    cli_args=st.none() | st.lists(texts, max_size=3).map(tuple),
    broadcast=st.booleans(),
    daemon=st.booleans(),
    latent=st.booleans(),
    encrypted=st.booleans(),
    extra=st.dictionaries(st.sampled_from(["image_url", "file", "env", "inputs"]), names, max_size=3),
)
assignments = st.builds(
    p.Assignment,
    run_id=texts.map(RunId),
    epoch=u32,
    task_id=texts.map(TaskId),
    bundle=texts,
    version=u64,
    parameters_json=texts,
    lease_s=instants,
    seed=u64,
    instance=st.none() | st.builds(p.Instance, texts, u32, texts, instants, u32),
)
assign_batches = st.builds(
    p.AssignBatch,
    assignments=st.lists(assignments, max_size=3).map(tuple),
    tasks=st.lists(tasks, max_size=2).map(tuple),
    cancellations=st.lists(st.builds(p.Cancellation, texts.map(RunId), u32), max_size=2).map(tuple),
    manager_address=texts,
)
reports = st.builds(
    p.Report,
    run_id=texts.map(RunId),
    epoch=u32,
    state=st.sampled_from(RunState),
    results_json=texts,
    error=texts,
    error_code=texts,
    made=st.lists(st.builds(p.MadeFile, texts, texts, texts, sizes, blobs), max_size=2).map(tuple),
    started_at=instants,
    finished_at=instants,
    lines=st.lists(texts, max_size=3).map(tuple),
    progress=st.none() | st.tuples(instants, instants),
    packed=blobs,
)
report_batches = st.builds(
    p.ReportBatch, worker_id=texts.map(WorkerId), incarnation=texts, reports=st.lists(reports, max_size=3).map(tuple)
)


@given(creates)
def test_a_discovery_is_read_back(message: p.CreateMessage) -> None:
    assert p.decode_create(p.encode_create(message)) == message


@given(
    st.builds(
        p.AliveMessage,
        proplet_id=names,
        is_offline=st.booleans(),
        namespace=names,
        incarnation=names,
        running=st.integers(0, 1000),
    )
)
def test_a_heartbeat_is_read_back(message: p.AliveMessage) -> None:
    assert p.decode_alive(p.encode_alive(message)) == message


@given(st.builds(p.ResultMessage, task_id=names, results=json_values, error=texts, proplet_id=names))
def test_a_result_is_read_back(message: p.ResultMessage) -> None:
    assert p.decode_result(p.encode_result(message)) == message


@given(starts)
def test_a_start_is_read_back(message: p.StartMessage) -> None:
    assert p.decode_start(p.encode_start(message)) == message


@given(st.builds(p.StopMessage, id=names, proplet_id=texts, broadcast=st.booleans(), name=texts, state=texts))
def test_a_stop_is_read_back(message: p.StopMessage) -> None:
    assert p.decode_stop(p.encode_stop(message)) == message


@pytest.mark.req("r082")
@given(assign_batches)
def test_assignments_are_read_back(batch: p.AssignBatch) -> None:
    assert p.decode_assign_batch(p.encode_assign_batch(batch)) == batch


@pytest.mark.req("r082")
@given(report_batches)
def test_reports_are_read_back(batch: p.ReportBatch) -> None:
    assert p.decode_report_batch(p.encode_report_batch(batch)) == batch


DECODERS = [
    p.decode_create,
    p.decode_alive,
    p.decode_result,
    p.decode_metrics,
    p.decode_start,
    p.decode_stop,
    p.decode_assign_batch,
    p.decode_report_batch,
]


@given(st.sampled_from(DECODERS), st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_whatever_arrives_is_read_or_refused(decode: Any, payload: bytes) -> None:
    with suppress(p.PayloadRefusedError):
        decode(payload)


@given(
    st.sampled_from(
        [p.decode_create, p.decode_alive, p.decode_result, p.decode_metrics, p.decode_start, p.decode_stop]
    ),
    st.dictionaries(
        st.sampled_from(
            ["proplet_id", "task_id", "id", "name", "status", "plotter2", "metadata", "cli_args", "state", "timestamp"]
        ),
        json_values,
    ),
)
def test_keys_of_the_wrong_type_are_read_or_refused(decode: Any, document: dict[str, Any]) -> None:
    with suppress(p.PayloadRefusedError):
        decode(json.dumps(document).encode())


@pytest.mark.req("r082")
def test_a_real_proplets_messages_are_understood() -> None:
    create = p.decode_create(
        b'{"proplet_id":"p1","namespace":"default","metadata":{"os":"linux","cpu_arch":"x86_64",'
        b'"total_memory_bytes":8,"tags":["a"]},"later":1}'
    )
    assert create == p.CreateMessage(
        "p1", "default", {"os": "linux", "cpu_arch": "x86_64", "total_memory_bytes": 8, "tags": ["a"]}
    )
    assert p.decode_alive(b'{"proplet_id":"p1","status":"alive","namespace":"default"}') == p.AliveMessage("p1")
    result = p.decode_result(b'{"task_id":"t","proplet_id":"p1","results":"30","error":null}')
    assert result == p.ResultMessage("t", "30", "", "p1")


def test_the_embedded_proplets_result_has_neither_name_nor_error() -> None:
    assert p.decode_result(b'{"task_id":"t","results":"30"}') == p.ResultMessage("t", "30")


def test_a_federated_result_names_its_proplet_inside() -> None:
    said = p.decode_result(b'{"task_id":"t","results":{"round_id":"r","proplet_id":"p9","metrics":{}}}')
    assert said.proplet_id == "p9"
    assert said.results["round_id"] == "r"


@pytest.mark.req("r082")
@pytest.mark.parametrize(
    "payload", [b'{"status":"offline","proplet_id":"p1"}', b'{"proplet_id":"p1","status":"OFFLINE"}']
)
def test_a_last_will_is_not_a_heartbeat(payload: bytes) -> None:
    assert p.decode_alive(payload).is_offline


def test_our_wire_of_a_heartbeat_is_propellers_with_one_more_key() -> None:
    said = json.loads(p.encode_alive(p.AliveMessage("w1", incarnation="i", running=2)))
    assert said == {
        "proplet_id": "w1",
        "status": "alive",
        "namespace": "default",
        "plotter2": {"incarnation": "i", "running": 2},
    }


def test_a_start_says_nothing_of_options_that_are_not_set() -> None:
    said = json.loads(p.encode_start(p.StartMessage("t", "add", proplet_id="p1", extra={"inputs": ["1"], "env": None})))
    assert said == {
        "id": "t",
        "name": "add",
        "state": 0,
        "cli_args": None,
        "broadcast": False,
        "daemon": False,
        "latent": False,
        "encrypted": False,
        "inputs": ["1"],
        "proplet_id": "p1",
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1970-01-01T00:01:00Z", 60.0),
        ("1970-01-01T01:01:00.500000000+01:00", 60.5),
        ({"secs_since_epoch": 60, "nanos_since_epoch": 250_000_000}, 60.25),
        (123_456, None),
        (None, None),
        ("yesterday", None),
        ({"secs_since_epoch": "60"}, None),
        (True, None),
    ],
)
def test_timestamps_come_in_four_spellings(value: Any, expected: float | None) -> None:
    assert p.decode_timestamp(value) == (None if expected is None else Instant(expected))


def test_metrics_keep_what_was_measured() -> None:
    said = p.decode_metrics(
        b'{"task_id":"t","proplet_id":"p1","metrics":{"cpu_percent":1.5},"aggregated":null,'
        b'"timestamp":{"secs_since_epoch":7,"nanos_since_epoch":0}}'
    )
    assert said == p.MetricsMessage("p1", "t", Instant(7.0), {"metrics": {"cpu_percent": 1.5}, "aggregated": None})


@pytest.mark.parametrize(
    "ours", [{"incarnation": "i", "slots": 0, "beat_s": 1}, {"incarnation": "i", "slots": 1}, {"slots": 1, "beat_s": 1}]
)
def test_a_worker_of_ours_without_slots_beat_or_incarnation_is_refused(ours: dict[str, Any]) -> None:
    with pytest.raises(p.PayloadRefusedError):
        p.decode_create(json.dumps({"proplet_id": "w", "plotter2": ours}).encode())


def test_a_report_in_a_state_of_a_later_version_is_refused() -> None:
    later = device_pb2.ReportBatch(worker_id="w", reports=[device_pb2.Report(run_id="r")])
    with pytest.raises(p.PayloadRefusedError, match="report message cannot be used"):
        p.decode_report_batch(later.SerializeToString())
