"""Stories of service runs, told to the pure machine."""

from __future__ import annotations

import pytest

from plotter2.clock import Instant
from plotter2.errors import LimitError
from plotter2.ids import ServiceId
from plotter2.model.service import SERVICE_ENDS, ServiceSpec, ServiceState, ServiceStatus
from servicer.machine import (
    Acknowledged,
    Adopt,
    Asked,
    Clear,
    End,
    Exited,
    Found,
    Harvest,
    Harvested,
    Keep,
    Launch,
    Machine,
    Relaunch,
    Remember,
    Report,
    Started,
    StopAsked,
)

ONE = ServiceId("req-1.s0")
NOW = Instant(1_000.0)
LATER = Instant(1_060.0)
STATES = list(ServiceState)


def spec(service_id: ServiceId = ONE) -> ServiceSpec:
    return ServiceSpec(service_id, "digits", 3, "digits/lr=0.1", "{}", '{"lr": 0.1}', bytes(32), bytes(32))


def machine_with(state: ServiceState) -> Machine:
    machine = Machine(2)
    machine.handle(Found(spec(), ServiceStatus(ONE, state, child="digits/lr=0.1")), NOW)
    return machine


def state_of(machine: Machine) -> ServiceState:
    return machine.statuses[ONE].state


@pytest.mark.req("r073", "r074")
def test_a_run_goes_from_the_ask_to_done_and_every_step_is_kept_before_it_is_told() -> None:
    machine = Machine(2)
    queued = ServiceStatus(ONE, ServiceState.QUEUED, child="digits/lr=0.1")
    assert machine.handle(Asked(spec()), NOW) == [Keep(queued), Launch(spec())]

    kept, told = machine.handle(Started(ONE, 77), NOW)
    assert isinstance(kept, Keep)
    assert isinstance(told, Report)
    assert kept.status == told.status == machine.statuses[ONE]
    assert (told.status.state, told.status.pid, told.status.started_at) == (ServiceState.RUNNING, 77, NOW)

    kept, told, harvest = machine.handle(Exited(ONE, 0), LATER)
    assert isinstance(told, Report)
    assert (told.status.state, told.status.finished_at) == (ServiceState.HARVESTING, LATER)
    assert harvest == Harvest(spec(), told.status)

    kept, told = machine.handle(Harvested(ONE), LATER)
    assert isinstance(told, Report)
    assert (told.status.state, told.status.error) == (ServiceState.DONE, "")

    assert machine.handle(Acknowledged(ONE, ServiceState.DONE), LATER) == [
        Keep(told.status, is_acknowledged=True),
        Remember(told.status),
        Clear(ONE, is_failed=False),
    ]
    assert not machine.statuses
    assert not machine.specs


@pytest.mark.req("r198")
@pytest.mark.parametrize("state", STATES)
def test_an_ask_that_comes_twice_changes_nothing(state: ServiceState) -> None:
    machine = machine_with(state)
    before = machine.statuses[ONE]
    assert machine.handle(Asked(spec()), LATER) == []
    assert machine.statuses[ONE] == before


def test_a_program_that_fails_leaves_its_error_and_tail_and_is_not_harvested() -> None:
    machine = machine_with(ServiceState.RUNNING)
    kept, told = machine.handle(Exited(ONE, 3, error="the program ended with status 3", tail="boom"), LATER)
    assert isinstance(told, Report)
    status = told.status
    assert kept == Keep(status)
    assert (status.state, status.exit_status, status.tail) == (ServiceState.FAILED, 3, "boom")
    assert status.error == "the program ended with status 3"
    assert machine.handle(Acknowledged(ONE, ServiceState.FAILED), LATER)[-1] == Clear(ONE, is_failed=True)


def test_a_program_that_cannot_be_started_fails_from_the_queue() -> None:
    machine = machine_with(ServiceState.QUEUED)
    machine.handle(Exited(ONE, 127, error="no such program"), LATER)
    assert state_of(machine) is ServiceState.FAILED


def test_a_program_that_ended_before_anybody_saw_it_run_is_harvested() -> None:
    machine = machine_with(ServiceState.QUEUED)
    assert isinstance(machine.handle(Exited(ONE, 0), LATER)[-1], Harvest)


def test_output_that_cannot_be_taken_in_fails_the_run() -> None:
    machine = machine_with(ServiceState.HARVESTING)
    _, told = machine.handle(Harvested(ONE, "too much output"), LATER)
    assert isinstance(told, Report)
    assert (told.status.state, told.status.error) == (ServiceState.FAILED, "too much output")


@pytest.mark.req("r073")
def test_a_stop_of_a_queued_run_is_its_end_at_once_and_also_ends_a_shim_that_just_came_up() -> None:
    machine = machine_with(ServiceState.QUEUED)
    kept, told, end = machine.handle(StopAsked(ONE), LATER)
    assert isinstance(told, Report)
    assert kept == Keep(told.status)
    assert (told.status.state, told.status.finished_at) == (ServiceState.STOPPED, LATER)
    assert end == End(ONE)
    assert machine.handle(Started(ONE, 77), LATER) == []
    assert machine.handle(Exited(ONE, -15, is_stopped=True), LATER) == []


@pytest.mark.req("r073")
def test_a_stop_of_a_running_run_is_its_end_only_when_the_program_has_ended() -> None:
    machine = machine_with(ServiceState.RUNNING)
    assert machine.handle(StopAsked(ONE, 2.5), NOW) == [End(ONE, 2.5)]
    assert state_of(machine) is ServiceState.RUNNING
    machine.handle(Exited(ONE, -15, is_stopped=True), LATER)
    assert state_of(machine) is ServiceState.STOPPED


@pytest.mark.parametrize("state", sorted(SERVICE_ENDS))
def test_after_the_end_nothing_but_the_acknowledgement_matters(state: ServiceState) -> None:
    machine = machine_with(state)
    for late in (StopAsked(ONE), Started(ONE, 5), Exited(ONE, 0), Harvested(ONE)):
        assert machine.handle(late, LATER) == []
    assert state_of(machine) is state


def test_what_is_said_of_an_unknown_run_is_not_heard() -> None:
    machine = Machine(2)
    for event in (Started(ONE, 5), Exited(ONE, 0), Harvested(ONE), Acknowledged(ONE, STATES[-1])):
        assert machine.handle(event, NOW) == []


@pytest.mark.req("r198")
@pytest.mark.parametrize("state", [ServiceState.QUEUED, ServiceState.RUNNING])
def test_after_a_restart_a_living_run_is_reported_and_adopted(state: ServiceState) -> None:
    status = ServiceStatus(ONE, state)
    assert Machine(2).handle(Found(spec(), status), NOW) == [Report(status), Adopt(spec())]


@pytest.mark.req("r198")
def test_after_a_restart_a_half_harvested_run_is_harvested_again() -> None:
    status = ServiceStatus(ONE, ServiceState.HARVESTING)
    assert Machine(2).handle(Found(spec(), status), NOW) == [Report(status), Harvest(spec(), status)]


@pytest.mark.req("r198")
@pytest.mark.parametrize("state", sorted(SERVICE_ENDS))
def test_after_a_restart_an_end_is_reported_until_it_is_acknowledged_and_then_cleared(state: ServiceState) -> None:
    status = ServiceStatus(ONE, state)
    end = [End(ONE)] if state is ServiceState.STOPPED else []
    assert Machine(2).handle(Found(spec(), status), NOW) == [Report(status), *end]
    machine = Machine(2)
    clear = Clear(ONE, is_failed=state is not ServiceState.DONE)
    assert machine.handle(Found(spec(), status, is_acknowledged=True), NOW) == [Remember(status), clear]
    assert not machine.statuses
    again = Machine(2, recalled=[status])
    assert again.handle(Found(spec(), status, is_acknowledged=True), NOW) == [clear]


@pytest.mark.req("r198")
@pytest.mark.parametrize("state", sorted(SERVICE_ENDS))
def test_asking_again_for_a_run_that_has_ended_starts_nothing_and_tells_its_end(state: ServiceState) -> None:
    machine = machine_with(state)
    status = machine.statuses[ONE]
    machine.handle(Acknowledged(ONE, state), NOW)
    assert not machine.statuses
    assert machine.handle(Asked(spec()), LATER) == [Report(status)]
    assert machine.handle(StopAsked(ONE), LATER) == [Report(status)]
    assert machine.status(ONE) == status
    assert not machine.statuses


@pytest.mark.req("r198")
def test_what_an_earlier_servicer_saw_end_is_remembered() -> None:
    status = ServiceStatus(ONE, ServiceState.FAILED, exit_status=3)
    machine = Machine(1, recalled=[status])
    assert machine.handle(Asked(spec()), LATER) == [Report(status)]


def test_so_many_ends_are_remembered_and_the_oldest_goes_first() -> None:
    ends = [ServiceStatus(ServiceId(f"req-1.s{number}"), ServiceState.DONE) for number in range(4)]
    machine = Machine(2, ended_kept_max=2, recalled=ends[:3])
    assert list(machine.ended) == ["req-1.s1", "req-1.s2"]
    machine.handle(Found(spec(ends[3].service_id), ends[3], is_acknowledged=True), NOW)
    assert list(machine.ended) == ["req-1.s2", "req-1.s3"]


@pytest.mark.req("r073")
def test_a_stop_that_comes_before_its_start_is_the_runs_end() -> None:
    machine = Machine(1)
    stopped = ServiceStatus(ONE, ServiceState.STOPPED, finished_at=NOW)
    assert machine.handle(StopAsked(ONE), NOW) == [Remember(stopped), Report(stopped)]
    assert machine.handle(Asked(spec()), LATER) == [Report(stopped)]
    assert not machine.statuses


def test_an_acknowledgement_of_an_earlier_state_is_not_the_last_one() -> None:
    machine = machine_with(ServiceState.RUNNING)
    assert machine.handle(Acknowledged(ONE, ServiceState.RUNNING), NOW) == []
    machine.handle(Exited(ONE, 1, error="no"), LATER)
    assert machine.handle(Acknowledged(ONE, ServiceState.RUNNING), LATER) == []
    assert ONE in machine.statuses


def test_there_is_room_for_so_many_living_runs_and_a_repeat_needs_none() -> None:
    machine = Machine(1)
    machine.handle(Asked(spec()), NOW)
    machine.check(ONE)
    with pytest.raises(LimitError, match="1 service runs are alive already"):
        machine.check(ServiceId("req-1.s1"))
    machine.handle(Exited(ONE, 1, error="no"), NOW)
    machine.check(ServiceId("req-1.s1"))
    machine.handle(Acknowledged(ONE, ServiceState.FAILED), NOW)
    machine.handle(Asked(spec(ServiceId("req-1.s1"))), NOW)
    machine.check(ONE)  # it has ended, and will not begin again


def test_what_could_not_be_written_down_was_never_asked() -> None:
    machine = Machine(1)
    machine.handle(Asked(spec()), NOW)
    machine.undo(ONE)
    machine.check(ServiceId("req-1.s1"))
    assert machine.handle(Asked(spec()), NOW) != []


@pytest.mark.parametrize("state", [ServiceState.QUEUED, ServiceState.RUNNING])
def test_a_program_that_is_ended_for_the_servicers_sake_has_not_come_to_its_end(state: ServiceState) -> None:
    machine = machine_with(state)
    assert machine.pause() == {ONE}
    assert machine.handle(Exited(ONE, -15, is_stopped=True), NOW) == []
    assert state_of(machine) is state


def test_a_program_that_somebody_has_stopped_before_is_stopped_all_the_same() -> None:
    machine = machine_with(ServiceState.RUNNING)
    machine.handle(StopAsked(ONE), NOW)
    assert machine.pause() == set()
    machine.handle(Exited(ONE, -15, is_stopped=True), NOW)
    assert state_of(machine) is ServiceState.STOPPED


def test_a_program_that_ends_by_itself_meanwhile_has_ended() -> None:
    machine = machine_with(ServiceState.RUNNING)
    machine.pause()
    machine.handle(Exited(ONE, 0), NOW)
    assert state_of(machine) is ServiceState.HARVESTING


@pytest.mark.parametrize("state", [ServiceState.QUEUED, ServiceState.RUNNING])
def test_an_interrupted_run_is_begun_again(state: ServiceState) -> None:
    machine = Machine(1)
    before = ServiceStatus(ONE, state, pid=7, started_at=NOW)
    after = ServiceStatus(ONE, ServiceState.QUEUED)
    assert machine.handle(Found(spec(), before, is_interrupted=True), LATER) == [Keep(after), Relaunch(spec())]
    assert machine.handle(Started(ONE, 8), LATER)[-1] == Report(
        ServiceStatus(ONE, ServiceState.RUNNING, pid=8, started_at=LATER)
    )
