from __future__ import annotations

from plotter2.ids import RequestId, TaskId
from plotter2.mqtt.payloads import Assignment
from tests.unit.worker.kit import run_id, task
from worker.commands import ForgetProgram, PrepareProgram, ProgramKey
from worker.seats import Held
from worker.shelf import Shelf


def key(number: int) -> ProgramKey:
    return ProgramKey(TaskId(f"t{number}"), b"", "", 0, RequestId(""))


def held(number: int) -> Held:
    return Held(Assignment(run_id(number), 1, TaskId("t")), task(), 0.0)


def test_a_program_gets_one_number_and_is_prepared_once() -> None:
    shelf = Shelf()
    first, second = held(1), held(2)
    is_ready, commands = shelf.enter(key(1), first)
    assert not is_ready
    assert [type(one) for one in commands] == [PrepareProgram]
    assert shelf.enter(key(1), second) == (False, [])
    assert first.program == second.program
    assert shelf.prepared(first.program) == [first, second]
    assert shelf.enter(key(1), held(3)) == (True, [])


def test_only_idle_programs_are_forgotten_the_longest_unused_first() -> None:
    shelf = Shelf(idle_max=1)
    busy, old, new = held(1), held(2), held(3)
    for number, one in enumerate((busy, old, new)):
        shelf.enter(key(number), one)
    assert shelf.leave(old.program) == [ForgetProgram(old.program)]
    assert shelf.leave(new.program) == [ForgetProgram(new.program)]
    assert len(shelf) == 1


def test_a_refused_program_is_tried_anew_by_the_next_run() -> None:
    shelf = Shelf()
    first = held(1)
    shelf.enter(key(1), first)
    assert shelf.refused(first.program) == [first]
    _, commands = shelf.enter(key(1), held(2))
    assert [type(one) for one in commands] == [PrepareProgram]
