import subprocess
import sys
from enum import Enum
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.api.v1 import manager_pb2, task_pb2
from plotter2.errors import RefusedError
from plotter2.model.bundle import BundleVersion, FileEntry
from plotter2.model.difference import FileChange, ParameterChange
from plotter2.model.entry import Entry
from plotter2.model.request import Request
from plotter2.model.service import ServiceSpec, ServiceStatus
from plotter2.model.task import Limits, Output, Task, TaskRun
from plotter2.model.worker import Worker, WorkerState
from plotter2.wire import bundles, requests, search, services, tasks
from plotter2.wire.enums import EnumTable
from tests.unit.plotter2.wire import strategies as any_


@given(any_.files)
def test_a_file_comes_back(entry: FileEntry) -> None:
    assert bundles.file_entry_from_proto(bundles.file_entry_to_proto(entry)) == entry


@given(any_.bundles)
def test_a_bundle_comes_back(bundle: BundleVersion) -> None:
    assert bundles.bundle_from_proto(bundles.bundle_to_proto(bundle)) == bundle


@given(any_.limits)
def test_limits_come_back(limits: Limits) -> None:
    assert tasks.limits_from_proto(tasks.limits_to_proto(limits)) == limits


@given(any_.tasks)
def test_a_definition_comes_back(task: Task) -> None:
    assert tasks.task_from_proto(tasks.task_to_proto(task)) == task


@given(any_.outputs)
def test_an_output_comes_back(output: Output) -> None:
    assert tasks.output_from_proto(tasks.output_to_proto(output)) == output


@given(any_.runs)
def test_a_run_comes_back(run: TaskRun) -> None:
    assert tasks.run_from_proto(tasks.run_to_proto(run)) == run


@given(any_.workers)
def test_a_worker_comes_back(worker: Worker) -> None:
    message = tasks.worker_to_proto(worker, running=3)
    assert tasks.worker_from_proto(message) == worker
    assert message.running == 3


@given(any_.entries)
def test_what_a_search_finds_comes_back(entry: Entry) -> None:
    assert search.entry_from_proto(search.entry_to_proto(entry)) == entry


@given(any_.specs)
def test_a_service_specification_comes_back(spec: ServiceSpec) -> None:
    assert services.spec_from_proto(services.spec_to_proto(spec)) == spec


@given(any_.statuses)
def test_a_service_status_comes_back(status: ServiceStatus) -> None:
    assert services.status_from_proto(services.status_to_proto(status)) == status


@given(st.lists(any_.statuses, max_size=6), st.integers(1, 200))
def test_what_goes_in_several_messages_is_the_same_in_the_same_order(statuses: list[ServiceStatus], room: int) -> None:
    messages = [services.status_to_proto(one) for one in statuses]
    with patch.object(services, "MESSAGE_BYTES", room):
        portions = [*services.fitting(messages)]
    assert [one for portion in portions for one in portion] == messages
    assert all(len(portion) == 1 or sum(one.ByteSize() for one in portion) <= room for portion in portions)
    assert all(portions)


@given(any_.requests(), any_.runs)
def test_a_request_comes_back_with_the_runs_it_was_sent_with(request: Request, run: TaskRun) -> None:
    message = requests.request_to_proto(request, [run])
    assert requests.request_from_proto(message) == request
    assert [tasks.run_from_proto(one) for one in message.runs] == [run]


def test_what_is_not_specified_is_refused() -> None:
    with pytest.raises(RefusedError, match="task kind 0 means nothing"):
        tasks.task_from_proto(task_pb2.Task(id="t"))
    with pytest.raises(RefusedError, match="run state 0 means nothing"):
        tasks.run_from_proto(task_pb2.TaskRun(id="r"))
    with pytest.raises(RefusedError, match="request kind 'dance' means nothing"):
        requests.request_from_proto(manager_pb2.Request(kind="dance"))


def test_a_worker_in_a_state_of_a_later_version_counts_as_lost() -> None:
    assert tasks.worker_from_proto(manager_pb2.Worker(id="w", state="dreaming")).state is WorkerState.LOST


def test_an_enumeration_that_protobuf_does_not_have_is_found_at_once() -> None:
    class Other(Enum):
        NEVER = "never"

    with pytest.raises(KeyError):
        EnumTable(Other, task_pb2.TaskKind, "TASK_KIND_")


def test_reading_protobuf_does_not_load_grpc() -> None:
    names = "plotter2.wire.bundles, plotter2.wire.requests, plotter2.wire.services, plotter2.wire.tasks"
    names += ", plotter2.mqtt.payloads, plotter2.mqtt.topics"
    code = f"import sys, {names}; bad = {{'grpc', 'aiomqtt', 'asyncio'}} & set(sys.modules); assert not bad, bad"
    subprocess.run([sys.executable, "-c", code], check=True)


@given(any_.file_changes)
def test_a_changed_file_comes_back(change: FileChange) -> None:
    assert bundles.file_change_from_proto(bundles.file_change_to_proto(change)) == change


@given(any_.parameter_changes)
def test_a_changed_parameter_comes_back(change: ParameterChange) -> None:
    assert bundles.parameter_change_from_proto(bundles.parameter_change_to_proto(change)) == change
