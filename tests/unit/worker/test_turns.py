"""Instances that wait: they hold no slot and no thread, and need no child; nothing of them is done twice or lost."""

from __future__ import annotations

import pytest

from plotter2.child.frames import Ended
from plotter2.model.task import Limits, RunState
from tests.unit.worker.kit import REQUEST, Story, only, run_id, told
from worker.commands import CarryOp, Command, ForgetInstance, KillChild, RetireChild, SendRun, SendTold, StartChild
from worker.events import ChildGone, ChildMeasured, ChildReady, DrainBegun, RunEnded, RunPrinted, Ticked
from worker.state import Policy

KILLED = -9
USUAL = Policy(children=1, window_runs=4)


def replaced(story: Story) -> list[Command]:
    """Every child that was asked for is there."""
    return story.turn(*(ChildReady(seat.number) for seat in story.machine._state.seats))


@pytest.mark.req("r092", "r199")
def test_an_instance_that_asks_gives_way_to_the_next_and_goes_on_in_its_turn() -> None:
    story = Story(USUAL)
    (first,) = story.instances(1, 2)
    commands = story.ask(first)
    assert [(one.run_id, one.tree, one.ask.ask) for one in only(commands, CarryOp)] == [(run_id(1), REQUEST, 1)]
    (second,) = only(commands, SendRun)
    assert (second.run.run_id, second.child) == (run_id(2), first.child)
    (answer,) = only(story.answer(first), SendTold)
    assert (answer.child, answer.told.sequence, answer.told.ask, answer.told.value) == (first.child, 1, 1, b"x")
    seat = story.machine._state.seats.get(first.child)
    assert seat is not None
    assert list(seat.runs) == [2, 1], "behind the one that has the thread"


def test_what_only_reads_does_not_end_the_turn() -> None:
    story = Story(USUAL)
    (sent,) = story.instances(1)
    assert only(story.ask(sent, seq=0), CarryOp)
    (answer,) = only(story.answer(sent, is_read=True), SendTold)
    assert answer.told.is_read
    assert told(story.end(sent))[0].state is RunState.DONE


@pytest.mark.req("r199")
def test_instances_that_wait_hold_no_slot() -> None:
    story = Story(USUAL)
    story.warm()
    for number in range(1, 101):
        for sent in story.instances(number):
            story.ask(sent)
    assert (story.machine.held, story.machine._state.seats.parked()) == (100, 100)
    assert story.instances(101)


@pytest.mark.req("r187")
def test_when_a_child_dies_those_that_wait_begin_again_once_they_are_told() -> None:
    story = Story(USUAL)
    (first,) = story.instances(1, 2)
    (second,) = only(story.ask(first), SendRun)
    gone = story.turn(ChildGone(first.child, KILLED))
    (again,) = only([*gone, *replaced(story)], SendRun)
    assert again.run.run_id == second.run.run_id, "the one that ran is begun again, as any other"
    story.end(again)
    (first_again,) = only(story.answer(first), SendRun)
    assert (first_again.run.run_id, first_again.run.epoch) == (run_id(1), 1)
    assert first_again.run.sequence != first.run.sequence
    (report,) = told(story.end(first_again))
    assert report.state is RunState.DONE


def test_an_answer_that_nobody_waits_for_changes_nothing() -> None:
    story = Story(USUAL)
    (sent,) = story.instances(1)
    story.ask(sent)
    assert story.answer(sent, ask=2) == []
    story.answer(sent)
    assert story.answer(sent) == []
    story.end(sent)
    assert story.answer(sent) == []


@pytest.mark.req("r197")
def test_who_breaks_a_limit_is_ended_and_those_that_wait_are_not() -> None:
    story = Story(Policy(children=1, window_runs=4, limits=Limits(wall_s=10.0)))
    (first,) = story.instances(1, 2)
    (second,) = only(story.ask(first), SendRun)
    commands = story.turn(Ticked(), after_s=11.0)
    assert [one.child for one in only(commands, KillChild)] == [first.child]
    (report,) = told(commands)
    assert (report.run_id, report.state) == (second.run.run_id, RunState.FAILED)
    assert "wall limit of 10 s" in report.error
    replaced(story)
    (again,) = only(story.answer(first), SendRun)
    assert again.run.run_id == run_id(1)


def test_only_the_time_of_its_own_turns_counts_against_an_instance() -> None:
    story = Story(Policy(children=1, window_runs=4, limits=Limits(wall_s=10.0, cpu_s=5.0)))
    (sent,) = story.instances(1)
    story.ask(sent, after_s=6.0, cpu_s=3.0)
    story.turn(Ticked(), after_s=100.0)
    story.answer(sent)
    assert only(story.turn(Ticked(), after_s=3.0), KillChild) == []
    story.turn(ChildMeasured(sent.child, 0, 50.0))
    assert only(story.turn(ChildMeasured(sent.child, 0, 51.0)), KillChild) == []
    commands = story.turn(ChildMeasured(sent.child, 0, 52.5))
    assert "CPU limit of 5 s" in told(commands)[0].error


def test_the_time_of_all_its_turns_counts_together() -> None:
    story = Story(Policy(children=1, window_runs=4, limits=Limits(wall_s=10.0)))
    (sent,) = story.instances(1)
    story.ask(sent, after_s=6.0)
    story.answer(sent)
    assert "wall limit" in told(story.turn(Ticked(), after_s=5.0))[0].error


def test_the_memory_of_those_that_wait_does_not_count_against_the_one_that_runs() -> None:
    story = Story(Policy(children=1, window_runs=4, limits=Limits(memory_bytes=100)))
    (first,) = story.instances(1, 2)
    story.ask(first, memory_bytes=90)
    assert only(story.turn(ChildMeasured(first.child, 150, 0.0)), KillChild) == []
    assert "memory limit" in told(story.turn(ChildMeasured(first.child, 191, 0.0)))[0].error


@pytest.mark.req("r199")
def test_when_too_many_wait_a_child_is_replaced_and_they_wait_without_one() -> None:
    story = Story(Policy(children=1, window_runs=4, parked_max=2))
    story.warm()
    sent = [one for number in (1, 2, 3) for one in story.instances(number)]
    commands = [command for one in sent for command in story.ask(one)]
    assert [one.child for one in only(commands, RetireChild)] == [sent[0].child]
    assert len(only(commands, StartChild)) == 1
    assert (story.machine.held, story.machine._state.seats.parked()) == (3, 0)
    replaced(story)
    for one in sent:
        (again,) = only(story.answer(one), SendRun)
        assert told(story.end(again))[0].run_id == one.run.run_id
    assert story.machine.held == 0


def test_a_child_that_is_to_be_replaced_takes_no_instance_up_again() -> None:
    story = Story(Policy(children=1, window_runs=4, recycle_memory_bytes=10))
    (first,) = story.instances(1, 2)
    (second,) = only(story.ask(first), SendRun)
    story.turn(ChildMeasured(first.child, 11, 0.0))
    assert only(story.answer(first), SendTold) == []
    commands = story.ask(second)
    assert only(commands, RetireChild)
    (again,) = only(replaced(story), SendRun)
    assert again.run.run_id == run_id(1)


def test_a_cancelled_instance_that_waits_is_over_at_once() -> None:
    story = Story(USUAL)
    (sent,) = story.instances(1)
    story.ask(sent)
    commands = story.cancel(1)
    assert only(commands, RetireChild), "what it held is had back"
    assert [(one.run_id, one.tree) for one in only(commands, ForgetInstance)] == [(run_id(1), REQUEST)]
    assert (story.machine.held, told(commands)) == (0, [])
    assert story.answer(sent) == []


def test_a_cancelled_instance_that_has_its_answer_ends_with_its_next_question() -> None:
    story = Story(USUAL)
    story.warm()
    first, second = story.instances(1, 2)
    story.ask(first)
    story.answer(first)
    assert told(story.cancel(1)) == []
    commands = [*story.ask(second), *story.ask(first, ask=2)]
    assert [one.run_id for one in only(commands, CarryOp)] == [run_id(2)]
    assert story.machine.held == 1


def test_a_newer_attempt_takes_the_place_of_one_that_waits() -> None:
    story = Story(USUAL)
    (sent,) = story.instances(1)
    story.ask(sent)
    assert story.instances(1, epoch=2) == []
    (again,) = only(replaced(story), SendRun)
    assert again.run.epoch == 2
    assert story.answer(sent) == []


def test_the_last_instance_of_a_tree_says_so() -> None:
    story = Story(USUAL)
    story.warm()
    first, second = story.instances(1, 2)
    assert [one.tree for one in only(story.end(first), ForgetInstance)] == [""]
    assert [one.tree for one in only(story.end(second), ForgetInstance)] == [REQUEST]


@pytest.mark.req("r130", "r187")
def test_lines_that_were_said_before_are_not_said_again() -> None:
    story = Story(USUAL)
    (sent,) = story.instances(1)
    (report,) = told(story.turn(RunPrinted(sent.child, sent.run.sequence, ("a", "b"))))
    assert report.lines == ("a", "b")
    story.turn(ChildGone(sent.child, KILLED))
    (again,) = only(replaced(story), SendRun)
    (report,) = told(story.turn(RunPrinted(again.child, again.run.sequence, ("a",))))
    assert report.lines == ()
    (report,) = told(story.turn(RunPrinted(again.child, again.run.sequence, ("b", "c"))))
    assert (report.lines, report.lines_from) == (("c",), 2)
    (report,) = told(story.turn(RunEnded(again.child, Ended(again.run.sequence, "done", "1", lines=["d"]))))
    assert (report.lines, report.lines_from) == (("a", "b", "c", "d"), 0)


@pytest.mark.req("r187")
def test_lines_that_a_lost_worker_has_said_are_not_said_again() -> None:
    story = Story(USUAL)
    (sent,) = story.instances(1, epoch=2, said=2)
    (report,) = told(story.turn(RunPrinted(sent.child, sent.run.sequence, ("a", "b", "c"))))
    assert (report.lines, report.lines_from) == (("c",), 2)
    story.turn(ChildGone(sent.child, KILLED))
    (again,) = only(replaced(story), SendRun)
    (report,) = told(
        story.turn(RunEnded(again.child, Ended(again.run.sequence, "done", "1", lines=["a", "b", "c", "d"])))
    )
    assert (report.lines, report.lines_from) == (("c", "d"), 2), "its end has all that this worker has heard"


@pytest.mark.req("r187")
def test_a_run_that_prints_nothing_carries_nothing_of_lines() -> None:
    story = Story(USUAL)
    (sent,) = story.instances(1, epoch=2, said=2)
    (report,) = told(story.end(sent))
    assert (report.lines, report.lines_from) == ((), 0)


def test_a_worker_that_stops_leaves_those_that_wait_to_others() -> None:
    story = Story(USUAL)
    (first,) = story.instances(1, 2)
    (second,) = only(story.ask(first), SendRun)
    story.turn(DrainBegun())
    assert story.machine.held == 1
    assert only(story.ask(second), CarryOp) == []
    assert story.machine.held == 0


def test_an_instance_that_has_asked_is_not_given_back_as_if_it_had_not_begun() -> None:
    story = Story(USUAL)
    (sent,) = story.instances(1)
    story.ask(sent)
    story.turn(ChildGone(sent.child, KILLED))
    story.answer(sent)
    assert told(story.turn(Ticked(), after_s=100.0)) == []


def test_an_instance_that_gets_on_may_lose_its_interpreter_more_than_once() -> None:
    story = Story(USUAL)
    (sent,) = story.instances(1)
    for seq in (1, 2, 3, 4):
        story.turn(ChildGone(sent.child, KILLED))
        (sent,) = only(replaced(story), SendRun)
        for ask in range(1, seq + 1):
            story.ask(sent, ask)
            story.answer(sent, ask)
    for _ in range(3):
        story.turn(ChildGone(sent.child, KILLED))
        (sent,) = only(replaced(story), SendRun)
    (report,) = told(story.turn(ChildGone(sent.child, KILLED)))
    assert (report.state, "SIGKILL" in report.error) == (RunState.FAILED, True)


def test_questions_are_counted_on_in_the_next_child_so_that_no_late_answer_is_taken_for_another() -> None:
    story = Story(USUAL)
    (sent,) = story.instances(1)
    story.ask(sent, 1)
    story.answer(sent, 1)
    story.ask(sent, 2, seq=0)
    story.turn(ChildGone(sent.child, KILLED))
    (again,) = only(replaced(story), SendRun)
    assert again.run.instance is not None
    assert again.run.instance.asked == 2
