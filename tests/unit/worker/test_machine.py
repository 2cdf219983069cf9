from __future__ import annotations

from dataclasses import replace

import pytest

from plotter2 import ids
from plotter2.child.frames import Ended, Made
from plotter2.ids import RequestId
from plotter2.model.task import Limits, RunState, Task
from plotter2.mqtt.payloads import AssignBatch, Assignment
from tests.unit.worker.kit import Story, only, run_id, told
from worker.commands import KillChild, PrepareProgram, RetireChild, SendFiles, SendRun, SkipRuns, StartChild
from worker.events import (
    Assigned,
    ChildGone,
    ChildMeasured,
    ChildReady,
    DrainBegun,
    FilesGoing,
    FilesSent,
    ProgramPrepared,
    ProgramRefused,
    RunEnded,
    RunPrinted,
    RunsSkipped,
    Ticked,
)
from worker.state import Policy


def test_an_assigned_run_is_sent_to_a_child_and_its_end_is_told() -> None:
    story = Story()
    sent = only(story.assign(1), SendRun)
    assert [one.run.run_id for one in sent] == [run_id(1)]
    [report] = told(story.end(sent[0]))
    assert (report.run_id, report.epoch, report.state, report.results_json) == (run_id(1), 1, RunState.DONE, "1")
    assert story.machine.held == 0


def test_a_program_is_prepared_once_for_many_runs() -> None:
    story = Story()
    commands = story.assign(1, 2, 3, prepared=False)
    assert len(only(commands, PrepareProgram)) == 1
    assert only(commands, SendRun) == []


@pytest.mark.req("r175")
def test_a_program_that_loads_from_a_bundle_is_made_ready_for_each_request_and_another_once_for_all() -> None:
    made = {}
    for source in ("def task(): return 1", "def task(): return load('lab/a', 'x')"):
        story = Story()
        story.task = replace(story.task, source=source, source_digest=source.encode())
        names = [ids.run_id(RequestId(f"req-{number}"), 0) for number in (1, 2)]
        given = tuple(Assignment(name, 1, story.task.id) for name in names)
        commands = story.turn(Assigned(AssignBatch(given, (story.task,))))
        made[source] = [one.key.request_id for one in only(commands, PrepareProgram)]
    assert list(made.values()) == [[""], ["req-1", "req-2"]]


def test_runs_of_a_program_that_cannot_be_had_fail_with_its_reason() -> None:
    story = Story()
    [wanted] = only(story.assign(1, 2, prepared=False), PrepareProgram)
    reports = told(story.turn(ProgramRefused(wanted.program, "No such bundle.", "not_found")))
    assert [(one.state, one.error, one.error_code) for one in reports] == [
        (RunState.FAILED, "No such bundle.", "not_found")
    ] * 2


@pytest.mark.req("r088")
def test_a_child_holds_a_queue_of_short_runs_up_to_its_window() -> None:
    story = Story(Policy(children=1, window_runs=4))
    story.warm()
    assert len(only(story.assign(*range(6)), SendRun)) == 4


def test_nothing_waits_inside_a_child_behind_a_run_of_unknown_length() -> None:
    story = Story(Policy(children=1, window_runs=8))
    assert len(only(story.assign(1, 2, 3), SendRun)) == 1


@pytest.mark.req("r088")
def test_how_long_children_have_work_is_nothing_while_one_is_idle_and_grows_with_what_waits() -> None:
    story = Story(Policy(children=2, window_runs=2))
    story.warm()
    ahead_s = []
    for numbers in ((1,), (2,), (3, 4), (5, 6, 7, 8)):
        story.assign(*numbers)
        ahead_s.append(story.machine.ahead_s)
    assert ahead_s[0] == 0
    assert sorted(set(ahead_s)) == ahead_s


@pytest.mark.req("r084", "r088")
def test_runs_go_to_the_child_with_the_least_to_do() -> None:
    story = Story(Policy(children=2, window_runs=8))
    story.warm()
    children = [one.child for one in only(story.assign(1, 2, 3, 4), SendRun)]
    assert sorted(children) == sorted(story.children * 2)


def test_a_repeated_assignment_of_a_finished_run_is_answered_from_memory() -> None:
    story = Story()
    story.end(only(story.assign(1), SendRun)[0])
    commands = story.assign(1)
    assert only(commands, SendRun) == []
    assert [(one.run_id, one.state) for one in told(commands)] == [(run_id(1), RunState.DONE)]


def test_a_repeated_assignment_of_a_run_in_hand_changes_nothing() -> None:
    story = Story()
    story.assign(1)
    assert story.assign(1) == []
    assert story.machine.held == 1


def test_a_newer_epoch_replaces_an_older_one() -> None:
    story = Story()
    [old] = only(story.assign(1), SendRun)
    commands = story.assign(1, epoch=2)
    assert [one.child for one in only(commands, KillChild)] == [old.child]
    story.turn(ChildReady(only(commands, StartChild)[0].child))
    assert story.machine.held == 1
    assert told(story.end(old)) == []


def test_an_older_epoch_than_the_one_that_ended_here_is_ignored() -> None:
    story = Story()
    story.end(only(story.assign(1, epoch=3), SendRun)[0])
    assert story.assign(1, epoch=2) == []


def test_more_than_twice_the_slots_is_not_taken() -> None:
    story = Story(Policy(children=1, window_runs=2))
    story.assign(*range(10))
    assert story.machine.held == 4


def test_a_run_that_lasts_is_said_to_be_running_once() -> None:
    story = Story()
    story.assign(1)
    assert told(story.turn(Ticked(), after_s=0.1)) == []
    assert [one.state for one in told(story.turn(Ticked(), after_s=0.6))] == [RunState.RUNNING]
    assert told(story.turn(Ticked(), after_s=0.6)) == []
    assert [one.state for one in told(story.assign(1))] == [RunState.RUNNING]


def test_what_a_run_prints_is_told_while_it_goes_on() -> None:
    story = Story()
    [sent] = only(story.assign(1), SendRun)
    [report] = told(story.turn(RunPrinted(sent.child, sent.run.sequence, ("a", "b"), (3, 10))))
    assert report.progress == (3, 10)
    assert (report.state, report.lines) == (RunState.RUNNING, ("a", "b"))


@pytest.mark.req("r130")
def test_each_report_says_which_line_its_first_is_and_the_end_has_them_all() -> None:
    story = Story()
    [sent] = only(story.assign(1), SendRun)
    parts = [("a", "b"), ("c",)]
    going = [report for lines in parts for report in told(story.turn(RunPrinted(sent.child, sent.run.sequence, lines)))]
    assert [(one.lines_from, one.lines) for one in going] == [(0, ("a", "b")), (2, ("c",))]
    [report] = told(story.turn(RunEnded(sent.child, Ended(sent.run.sequence, "done", "1", lines=["d"]))))
    assert (report.lines_from, report.lines) == (0, ("a", "b", "c", "d"))
    assert told(story.assign(1)) == [report], "who asks again is told all of it again"


@pytest.mark.req("r130")
def test_who_asks_for_a_run_that_goes_on_is_told_its_lines_from_the_first() -> None:
    story = Story()
    [sent] = only(story.assign(1), SendRun)
    for line in "ab":
        story.turn(RunPrinted(sent.child, sent.run.sequence, (line,)))
    [report] = told(story.assign(1))
    assert (report.state, report.lines_from, report.lines) == (RunState.RUNNING, 0, ("a", "b"))
    [report] = told(story.turn(RunPrinted(sent.child, sent.run.sequence, ("c",))))
    assert (report.lines_from, report.lines) == (2, ("c",))


@pytest.mark.req("r130")
def test_a_run_that_is_ended_for_its_limits_keeps_what_it_printed() -> None:
    story = Story(Policy(children=1, limits=Limits(wall_s=1.0)))
    [sent] = only(story.assign(1), SendRun)
    story.turn(RunPrinted(sent.child, sent.run.sequence, ("a",)))
    [report] = told(story.turn(Ticked(), after_s=2.0))
    assert (report.state, report.lines_from, report.lines) == (RunState.FAILED, 0, ("a",))


@pytest.mark.req("r200", "r201")
def test_a_run_over_its_wall_limit_costs_its_child_and_nobody_else() -> None:
    story = Story()
    story.warm()
    story.task = _limited(story, wall_s=5.0)
    story.warm()
    first, second = only(story.assign(1, 2), SendRun)
    commands = story.turn(Ticked(), after_s=5.1)
    [report] = told(commands)
    assert report.run_id == run_id(1)
    assert report.state is RunState.FAILED
    assert report.error == "The task 'tiny' exceeded its wall limit of 5 s."
    assert only(commands, KillChild) == [KillChild(first.child)]
    [fresh] = only(commands, StartChild)
    [again] = only(story.turn(ChildReady(fresh.child)), SendRun)
    assert again.run.run_id == second.run.run_id
    assert again.child == fresh.child


def _limited(story: Story, *, wall_s: float = 0.0, cpu_s: float = 0.0, memory_bytes: int = 0) -> Task:
    return replace(story.task, limits=Limits(wall_s, cpu_s, memory_bytes))


def test_a_run_over_its_memory_limit_is_ended() -> None:
    story = Story()
    story.task = _limited(story, memory_bytes=64 << 20)
    [sent] = only(story.assign(1), SendRun)
    [report] = told(story.turn(ChildMeasured(sent.child, 65 << 20, 0.1)))
    assert report.error == "The task 'tiny' exceeded its memory limit of 64 MiB."


def test_processor_time_is_counted_from_the_runs_own_start() -> None:
    story = Story()
    story.task = _limited(story, cpu_s=2.0)
    [sent] = only(story.assign(1), SendRun)
    assert told(story.turn(ChildMeasured(sent.child, 0, 50.0))) == []
    assert told(story.turn(ChildMeasured(sent.child, 0, 51.9))) == []
    [report] = told(story.turn(ChildMeasured(sent.child, 0, 52.1)))
    assert report.error == "The task 'tiny' exceeded its CPU limit of 2 s."


@pytest.mark.req("r201")
def test_a_crash_fails_the_running_run_and_the_others_go_on_elsewhere() -> None:
    story = Story()
    story.warm()
    first, second, third = only(story.assign(1, 2, 3), SendRun)
    commands = story.turn(ChildGone(first.child, -11))
    [report] = told(commands)
    assert report.run_id == run_id(1)
    assert report.error == "The task 'tiny' failed: the interpreter ended by signal 11 (SIGSEGV) while it ran."
    again = only(story.turn(ChildReady(only(commands, StartChild)[0].child)), SendRun)
    assert [one.run.run_id for one in again] == [second.run.run_id, third.run.run_id]


def test_a_run_whose_interpreter_was_killed_from_outside_is_begun_once_more() -> None:
    story = Story()
    [sent] = only(story.assign(1), SendRun)
    commands = story.turn(ChildGone(sent.child, -9))
    assert told(commands) == []
    [again] = only(story.turn(ChildReady(only(commands, StartChild)[0].child)), SendRun)
    assert again.run.run_id == run_id(1)
    [report] = told(story.turn(ChildGone(again.child, -9)))
    assert report.error == "The task 'tiny' failed: the interpreter ended by signal 9 (SIGKILL) while it ran."


@pytest.mark.req("r084")
def test_children_that_die_at_once_are_started_later_and_later() -> None:
    story = Story()
    child = story.children[0]
    pauses: list[float] = []
    for _ in range(9):
        [fresh] = only(story.turn(ChildGone(child, 1)), StartChild)
        pauses.append(fresh.after_s)
        child = fresh.child
    assert pauses[0] == 0.0
    assert pauses == sorted(pauses)
    assert pauses[-1] == 5.0


def test_a_cancelled_run_that_waits_is_dropped_without_a_word() -> None:
    story = Story()
    story.assign(1, 2)
    assert story.cancel(2) == []
    assert story.machine.held == 1


def test_a_cancelled_run_inside_a_childs_queue_is_taken_back() -> None:
    story = Story()
    story.warm()
    first, second = only(story.assign(1, 2), SendRun)
    assert only(story.cancel(2), SkipRuns) == [SkipRuns(first.child, (second.run.sequence,))]
    assert story.turn(RunsSkipped(first.child, (second.run.sequence,))) == []
    assert story.machine.held == 1


def test_a_cancelled_run_that_is_running_costs_its_child() -> None:
    story = Story()
    [sent] = only(story.assign(1), SendRun)
    commands = story.cancel(1)
    assert only(commands, KillChild) == [KillChild(sent.child)]
    assert told(commands) == []
    assert story.machine.held == 0


@pytest.mark.req("r088")
def test_what_waits_behind_a_long_run_is_taken_back_for_an_idle_child() -> None:
    story = Story(Policy(children=2, window_runs=8))
    story.warm()
    sent = only(story.assign(1, 2, 3, 4), SendRun)
    slow = sent[0].child
    behind = [one for one in sent if one.child == slow][1]
    for one in sent:
        if one.child != slow:
            story.end(one)
    assert only(story.turn(Ticked(), after_s=0.3), SkipRuns) == [SkipRuns(slow, (behind.run.sequence,))]
    [again] = only(story.turn(RunsSkipped(slow, (behind.run.sequence,))), SendRun)
    assert again.child != slow
    assert again.run.run_id == behind.run.run_id


def test_a_run_that_cannot_begin_within_its_lease_is_given_back() -> None:
    story = Story()
    story.assign(1, 2, lease_s=3.0)
    assert [one.state for one in told(story.turn(Ticked(), after_s=2.0))] == [RunState.RUNNING]
    [report] = told(story.turn(Ticked(), after_s=2.0))
    assert (report.run_id, report.state) == (run_id(2), RunState.QUEUED)
    assert story.machine.held == 1


def test_an_end_with_files_is_told_when_they_are_where_the_manager_finds_them() -> None:
    story = Story()
    [sent] = only(story.assign(1), SendRun)
    made = Made("a.html", "figure", "A", 3, b"d" * 32)
    ended = Ended(sent.run.sequence, "done", "1", made=[made], lines=["last"])
    commands = story.turn(RunEnded(sent.child, ended))
    assert told(commands) == []
    [wanted] = only(commands, SendFiles)
    [meanwhile] = told(story.turn(FilesGoing(wanted.report.run_id, wanted.report.epoch, "printing it")))
    assert (meanwhile.state, meanwhile.lines) == (RunState.RUNNING, ("last", "printing it"))
    [report] = told(story.turn(FilesSent(wanted.report.run_id, wanted.report.epoch, packed=b"list")))
    assert told(story.turn(FilesGoing(wanted.report.run_id, wanted.report.epoch, "too late"))) == []
    assert [one.path for one in report.made] == ["a.html"]
    assert report.packed == b"list"
    assert report.lines == ("last", "printing it")
    assert told(story.assign(1)) == [report], "a repeated question gets the same answer"


def test_an_end_whose_files_cannot_be_brought_is_a_failure() -> None:
    story = Story()
    [sent] = only(story.assign(1), SendRun)
    ended = Ended(sent.run.sequence, "done", "1", made=[Made("a.html", "figure", "A", 3, b"d" * 32)])
    story.turn(RunEnded(sent.child, ended))
    [report] = told(story.turn(FilesSent(run_id(1), 1, "It changed.", "altered")))
    assert (report.state, report.error, report.made) == (RunState.FAILED, "It changed.", ())


@pytest.mark.req("r084")
@pytest.mark.parametrize(
    "policy", [Policy(recycle_runs=1), Policy(recycle_age_s=0.0001)], ids=["after so many runs", "after a time"]
)
def test_a_child_that_has_done_enough_is_replaced_when_it_is_idle(policy: Policy) -> None:
    story = Story(policy)
    [sent] = only(story.assign(1), SendRun)
    commands = story.end(sent)
    assert only(commands, RetireChild) == [RetireChild(sent.child)]
    assert len(only(commands, StartChild)) == 1


def test_a_child_that_has_grown_takes_nothing_more() -> None:
    story = Story(Policy(children=1, window_runs=8, recycle_memory_bytes=100))
    [sent] = only(story.assign(1), SendRun)
    story.turn(ChildMeasured(sent.child, 200, 0.0))
    assert only(story.assign(2), SendRun) == []
    assert only(story.end(sent), RetireChild) == [RetireChild(sent.child)]


def test_draining_lets_the_running_end_and_leaves_the_waiting_to_others() -> None:
    story = Story()
    story.warm()
    first, second, third = only(story.assign(1, 2, 3), SendRun)
    commands = story.turn(DrainBegun())
    assert only(commands, SkipRuns) == [SkipRuns(first.child, (second.run.sequence, third.run.sequence))]
    story.turn(RunsSkipped(first.child, (second.run.sequence, third.run.sequence)))
    assert story.assign(4) == []
    assert [one.run_id for one in told(story.end(first))] == [run_id(1)]
    assert story.machine.held == 0


def test_a_program_prepared_after_its_run_was_cancelled_runs_nothing() -> None:
    story = Story()
    [wanted] = only(story.assign(1, prepared=False), PrepareProgram)
    story.cancel(1)
    assert story.turn(ProgramPrepared(wanted.program)) == []


def test_a_run_without_its_definition_is_left_for_the_repeat() -> None:
    story = Story()
    assert story.turn(Assigned(AssignBatch((Assignment(run_id(1), 1, story.task.id),)))) == []
    assert story.machine.held == 0
