"""Stories of the manager's machine: what it hears, what it wants written and done."""

from __future__ import annotations

import pytest

from manager.commands import (
    Answer,
    AskWho,
    AssignRuns,
    InstallDelivery,
    Materialise,
    NotifyCalls,
    SaveBundle,
    SaveRequest,
    SaveRun,
    StartService,
    StopService,
    TakeOutputs,
)
from manager.events import (
    BusConnected,
    CallsClosed,
    DeliveryInstalled,
    DeliveryOffered,
    DeliveryRefused,
    OutputsTaken,
    RequestCancelled,
    RunReport,
    RunsReported,
    ServiceReported,
    Ticked,
    WorkerBeat,
    WorkerLeft,
)
from plotter2.errors import AlteredError, NotFoundError
from plotter2.ids import DeliveryId, RunId, WorkerId
from plotter2.model.request import RequestKind, RequestState
from plotter2.model.service import ServiceState, ServiceStatus
from plotter2.model.task import Output, RunState
from tests.unit.manager.kit import DIGITS, FILES, Story, only, request


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.mark.req("r016", "M37", "r071", "r084", "M03", "S08")
def test_a_run_is_assigned_in_the_same_turn_and_ends_with_its_report(story: Story) -> None:
    story.worker("w1")
    asked, said = story.run("add", source="def task(): return 1")
    assert [run.id for run in only(said, AssignRuns)[0].runs] == [f"{asked}.0"]
    assert only(said, Answer)[0].value == asked
    said = story.report(f"{asked}.0", results_json="1")
    assert only(said, SaveRun)[-1].run.state is RunState.DONE
    assert only(said, SaveRequest)[-1].request.state is RequestState.DONE
    assert asked not in story.machine.state.requests
    assert not story.machine.state.tasks


@pytest.mark.req("r016", "r198")
def test_a_run_that_finds_no_worker_is_written_all_the_same(story: Story) -> None:
    asked, said = story.run("add", source="x")
    assert [(one.run.id, one.run.state) for one in only(said, SaveRun)] == [(f"{asked}.0", RunState.QUEUED)]
    calls = story.calls(2)
    assert {one.run.id for one in only(story.said, SaveRun)} >= {f"{calls}.0", f"{calls}.1"}


def test_a_report_that_comes_twice_changes_nothing(story: Story) -> None:
    story.worker("w1")
    asked, _ = story.run("add", source="x")
    story.report(f"{asked}.0")
    assert story.report(f"{asked}.0") == []


@pytest.mark.req("r198")
def test_a_late_report_of_an_old_epoch_is_ignored(story: Story) -> None:
    story.worker("w1")
    asked, _ = story.run("add", source="x")
    story.worker("w2")
    said = story.turn(WorkerLeft(WorkerId("w1")))
    moved = only(said, AssignRuns)[0]
    assert moved.worker_id == "w2"
    assert moved.runs[0].epoch == 2
    assert story.report(f"{asked}.0", epoch=1, worker="w1") == []
    assert only(story.report(f"{asked}.0", epoch=2, worker="w2"), SaveRun)[-1].run.state is RunState.DONE


@pytest.mark.req("r084", "M04", "M43")
def test_nobody_is_lost_for_what_the_manager_did_not_listen_to(story: Story) -> None:
    story.worker("w1")
    for _ in range(3):
        assert not story.turn(Ticked(late_s=60.0), after_s=61.0)
    story.turn(Ticked(), after_s=60.0)
    assert story.machine.state.workers[WorkerId("w1")].state == "lost"


def test_a_silent_worker_is_suspect_then_lost_and_its_runs_move(story: Story) -> None:
    story.worker("w1")
    asked, _ = story.run("add", source="x")
    story.turn(Ticked(), after_s=3.1)
    assert story.machine.state.workers[WorkerId("w1")].state == "suspect"
    story.worker("w2")
    said = story.turn(Ticked(), after_s=1.0)
    assert story.machine.state.workers[WorkerId("w1")].state == "lost"
    assert [(one.worker_id, one.runs[0].id) for one in only(said, AssignRuns)] == [("w2", f"{asked}.0")]


def test_a_beat_keeps_a_worker_alive(story: Story) -> None:
    story.worker("w1")
    for _ in range(5):
        story.turn(WorkerBeat(WorkerId("w1"), "one"), after_s=2.0)
        story.turn(Ticked(), after_s=0.5)
    assert story.machine.state.workers[WorkerId("w1")].state == "alive"


@pytest.mark.req("r082", "M26")
def test_a_worker_whose_announcement_was_missed_is_asked_who_it_is(story: Story) -> None:
    said = story.turn(WorkerBeat(WorkerId("w1"), "one"))
    assert [one.worker_id for one in only(said, AskWho)] == ["w1"]
    assert not story.machine.state.workers
    story.worker("w1")
    assert not story.turn(WorkerBeat(WorkerId("w1"), "one"))
    assert only(story.turn(WorkerBeat(WorkerId("w1"), "two")), AskWho)


@pytest.mark.req("M26", "M44")
def test_a_plain_proplet_is_taken_in_by_its_first_beat(story: Story) -> None:
    story.turn(WorkerBeat(WorkerId("p1")))
    assert story.machine.state.workers[WorkerId("p1")].is_ours is False


def test_a_worker_that_starts_anew_has_lost_what_it_held(story: Story) -> None:
    story.worker("w1")
    asked, _ = story.run("add", source="x")
    said = story.worker("w1", incarnation="two")
    assert [(run.id, run.epoch) for run in only(said, AssignRuns)[-1].runs] == [(f"{asked}.0", 2)]


@pytest.mark.req("r084")
def test_a_run_on_which_three_workers_died_fails(story: Story) -> None:
    asked, _ = story.run("add", source="x")
    for name in ("w1", "w2", "w3"):
        story.worker(name)
        said = story.turn(WorkerLeft(WorkerId(name)))
    final = only(said, SaveRun)[-1].run
    assert (final.id, final.state, final.error) == (
        f"{asked}.0", RunState.FAILED, "3 workers were lost while they ran this.",
    )  # fmt: skip


def test_a_run_that_a_worker_gives_back_goes_elsewhere_and_is_no_failed_try(story: Story) -> None:
    story.worker("w1")
    asked, _ = story.run("add", source="x")
    story.worker("w2")
    for worker, epoch in (("w1", 1), ("w2", 2), ("w1", 3), ("w2", 4), ("w1", 5)):
        said = story.report(f"{asked}.0", epoch=epoch, worker=worker, state=RunState.QUEUED)
        assert only(said, AssignRuns)[0].runs[0].epoch == epoch + 1
    assert story.machine.state.runs[RunId(f"{asked}.0")].attempts == 1


def test_outputs_are_taken_before_a_run_ends(story: Story) -> None:
    story.worker("w1")
    asked, _ = story.run("draw", source="x")
    report = RunReport(RunId(f"{asked}.0"), 1, RunState.DONE, made=(Output("a.html", "figure"),))
    said = story.turn(RunsReported(WorkerId("w1"), "one", (report,)))
    assert only(said, TakeOutputs)[0].made == (Output("a.html", "figure"),)
    assert not only(said, SaveRun)
    assert story.turn(RunsReported(WorkerId("w1"), "one", (report,))) == []
    done = (Output("no-bundle/draw/x/a.html", "figure"),)
    said = story.turn(OutputsTaken(RunId(f"{asked}.0"), 1, done))
    assert only(said, SaveRun)[-1].run.outputs == done


def test_after_the_broker_was_away_everything_unconfirmed_is_said_again(story: Story) -> None:
    story.worker("w1")
    asked, _ = story.run("add", source="x")
    said = story.turn(BusConnected())
    assert [(run.id, run.epoch) for run in only(said, AssignRuns)[0].runs] == [(f"{asked}.0", 1)]


def test_an_assignment_nobody_confirmed_is_sent_again_after_a_while(story: Story) -> None:
    story.worker("w1")
    story.run("add", source="x")
    assert not only(story.turn(WorkerBeat(WorkerId("w1"), "one"), Ticked(), after_s=1.0), AssignRuns)
    for _ in range(9):
        said = story.turn(WorkerBeat(WorkerId("w1"), "one"), Ticked(), after_s=1.0)
    assert only(said, AssignRuns)


@pytest.mark.req("r016")
def test_an_unknown_task_is_refused_remembered_and_the_declared_ones_are_named(story: Story) -> None:
    story.push("experiments/digits", DIGITS)
    asked, said = story.run("curv", bundle="experiments/digits")
    answer = only(said, Answer)[0]
    assert isinstance(answer.error, NotFoundError)
    assert "'curve', 'compare'" in answer.error.message
    saved = only(said, SaveRequest)[0].request
    assert (saved.id, saved.state) == (asked, RequestState.REFUSED)


@pytest.mark.req("r016")
def test_the_same_client_key_gives_the_same_request(story: Story) -> None:
    first, _ = story.run("add", source="x", key="mine")
    _, said = story.run("add", source="x", key="mine")
    assert only(said, Answer)[0].value == first
    assert len(story.machine.state.runs) == 1


@pytest.mark.req("r014", "r071")
def test_a_delivery_becomes_a_version_and_the_same_content_makes_no_second(story: Story) -> None:
    said = story.push("data/flights", files=FILES)
    assert only(said, InstallDelivery)
    assert only(said, SaveBundle)[0].contents.bundle.version == 1
    assert only(said, Materialise)[0].bundle == "data/flights"
    delivery, version = only(said, Answer)[0].value
    assert (delivery.is_new, version.version) == (True, 1)
    said = story.push("data/flights", files=FILES)
    assert not only(said, SaveBundle)
    delivery, version = only(said, Answer)[0].value
    assert (delivery.is_new, version.version) == (False, 1)
    said = story.push("data/flights", files=FILES[:2])
    assert only(said, SaveBundle)[0].contents.bundle.version == 2


@pytest.mark.req("r198")
def test_a_delivery_offered_twice_is_installed_once_and_both_are_answered(story: Story) -> None:
    delivery = DeliveryId(f"dlv-{9:032x}")
    offers = [DeliveryOffered(n, delivery, request(9), "a", "ann", "{}", FILES, "/s") for n in (1, 2, 3)]
    said = story.turn(*offers[:2])
    assert len(only(said, InstallDelivery)) == 1
    said = story.turn(DeliveryInstalled(delivery))
    assert [answer.token for answer in only(said, Answer)] == [1, 2]
    said = story.turn(offers[2])
    assert [answer.token for answer in only(said, Answer)] == [3]
    assert not only(said, InstallDelivery)


def test_a_refused_delivery_is_answered_with_its_own_kind_of_error(story: Story) -> None:
    delivery = DeliveryId(f"dlv-{9:032x}")
    story.turn(DeliveryOffered(5, delivery, request(9), "a", "ann", "{}", FILES, "/s"))
    said = story.turn(DeliveryRefused(delivery, "a.csv changed", "altered"))
    assert isinstance(only(said, Answer)[0].error, AlteredError)
    assert only(said, SaveRequest)[0].request.state is RequestState.REFUSED


def finish(story: Story, service_id: str, state: ServiceState = ServiceState.DONE) -> list[object]:
    said = story.turn(ServiceReported(0, ServiceStatus(service_id, ServiceState.RUNNING)))
    said += story.turn(ServiceReported(0, ServiceStatus(service_id, state, error="exit 1")))
    return list(said)


@pytest.mark.req("r018")
def test_a_redo_starts_its_children_in_order_and_a_few_at_a_time(story: Story) -> None:
    story.push("experiments/digits", DIGITS)
    asked, said = story.redo("experiments/digits", ["0.1", "0.2", "0.15"], parallel=2)
    assert [one.spec.child for one in only(said, StartService)] == [
        "experiments/digits/bundles/lr=0.1", "experiments/digits/bundles/lr=0.2",
    ]  # fmt: skip
    assert only(said, StartService)[0].spec.parameters_json == '{"lr": 0.1, "seed": 0}'
    said = finish(story, f"{asked}.s1")
    assert [one.spec.child for one in only(said, StartService)] == ["experiments/digits/bundles/lr=0.15"]


@pytest.mark.req("r018")
def test_a_failed_value_does_not_stop_the_others(story: Story) -> None:
    story.push("experiments/digits", DIGITS)
    asked, _ = story.redo("experiments/digits", ["0.1", "0.2"], parallel=1)
    said = finish(story, f"{asked}.s0", ServiceState.FAILED)
    assert only(said, StartService)
    said = finish(story, f"{asked}.s1")
    ended = only(said, SaveRequest)[-1].request
    request_of_redo = [one.request for one in only(said, SaveRequest) if one.request.id == asked][-1]
    assert ended is not None
    assert (request_of_redo.state, request_of_redo.failed, request_of_redo.finished) == (RequestState.FAILED, 1, 2)


@pytest.mark.req("r023", "r024")
def test_a_child_fires_its_order_and_the_end_of_the_redo_fires_the_comparison(story: Story) -> None:
    story.worker("w1")
    story.push("experiments/digits", DIGITS)
    asked, _ = story.redo("experiments/digits", ["0.1"])
    said = story.push("experiments/digits/bundles/lr=0.1", files=FILES[:1], service_id=f"{asked}.s0")
    child = only(said, SaveBundle)[0].contents.bundle
    assert (child.parameters_json, bool(child.run_key)) == ('{"lr": 0.1, "seed": 0}', True)
    assert "metrics" in story.machine.state.catalog.need(child.path).inherited.of("data")
    fired = next(one for one in only(said, AssignRuns) if one.runs)
    assert (fired.tasks[0].name, fired.runs[0].bundle) == ("curve", "experiments/digits/bundles/lr=0.1")
    said = finish(story, f"{asked}.s0")
    compared = next(one for one in only(said, AssignRuns) if one.runs)
    assert (compared.tasks[0].name, compared.runs[0].bundle) == ("compare", "experiments/digits")
    standing = [one.request for one in only(said, SaveRequest) if one.request.kind is RequestKind.STANDING]
    assert {one.cause for one in standing} == {asked}


@pytest.mark.req("r018")
def test_values_that_were_run_before_are_reused_and_end_the_redo_at_once(story: Story) -> None:
    story.push("experiments/digits", DIGITS)
    first, _ = story.redo("experiments/digits", ["0.1"])
    story.push("experiments/digits/bundles/lr=0.1", files=FILES[:1], service_id=f"{first}.s0")
    finish(story, f"{first}.s0")
    child = story.machine.state.catalog.need("experiments/digits/bundles/lr=0.1").version
    again, _ = story.redo("experiments/digits", ["0.10"])
    planned = next(live for live in [story.machine.state.requests[again]]).children[0]
    assert not planned.reused, "the edge looks keys up; without its answer nothing is reused"
    assert child.run_key == story.machine.state.services[planned.service_id].spec.run_key


def test_cancelling_stops_what_waits_and_what_runs(story: Story) -> None:
    story.push("experiments/digits", DIGITS)
    asked, _ = story.redo("experiments/digits", ["0.1", "0.2"], parallel=1)
    said = story.turn(RequestCancelled(3, asked))
    assert [one.service_id for one in only(said, StopService)] == [f"{asked}.s0"]
    said = finish(story, f"{asked}.s0", ServiceState.STOPPED)
    assert only(said, SaveRequest)[-1].request.state is RequestState.CANCELLED


def test_what_runs_and_is_not_spoken_of_is_asked_after_once_a_minute(story: Story) -> None:
    story.worker("w1", slots=1)
    asked = story.calls(1)
    story.report(f"{asked}.0", state=RunState.RUNNING)
    beat = WorkerBeat(WorkerId("w1"), "one")
    said = [only(story.turn(beat, Ticked(), after_s=9.0), AssignRuns) for _ in range(13)]
    assert [at for at, one in enumerate(said) if one] == [6]


def test_a_stream_of_calls_is_written_once_a_tick_and_when_one_fails(story: Story) -> None:
    story.worker("w1", slots=3)
    asked = story.calls(3)
    assert only(story.report(f"{asked}.0"), SaveRequest) == []
    said = only(story.turn(Ticked()), SaveRequest)
    assert [(one.request.total, one.request.finished) for one in said] == [(3, 1)]
    assert only(story.turn(Ticked()), SaveRequest) == []
    said = only(story.report(f"{asked}.1", state=RunState.FAILED, error="No."), SaveRequest)
    assert [(one.request.failed, one.request.reason) for one in said] == [(1, "No.")]


def test_calls_are_told_as_they_end_and_the_stream_ends_when_it_is_closed(story: Story) -> None:
    story.worker("w1", slots=2)
    asked = story.calls(3)
    said = story.turn(
        RunsReported(
            WorkerId("w1"), "one", tuple(RunReport(RunId(f"{asked}.{i}"), 1, RunState.DONE, str(i)) for i in (0, 1))
        )
    )
    assert [(end.index, end.results_json) for end in only(said, NotifyCalls)[0].ends] == [(0, "0"), (1, "1")]
    assert [run.id for run in only(said, AssignRuns)[0].runs] == [f"{asked}.2"]
    story.turn(CallsClosed(asked))
    said = story.report(f"{asked}.2")
    assert only(said, SaveRequest)[-1].request.state is RequestState.DONE
    assert not story.machine.state.tasks
