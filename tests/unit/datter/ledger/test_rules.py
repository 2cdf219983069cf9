"""The rules of tasks and data, each by a small story (R2 to R10)."""

from __future__ import annotations

import pytest

from plotter2.datter.ledger.ops import (
    ROOT,
    Access,
    Claim,
    Collect,
    Define,
    Deregister,
    End,
    Expose,
    Exposed,
    Gather,
    Handin,
    Islinked,
    Link,
    Op,
    OpId,
    Register,
    Release,
    Restart,
    Share,
    Sweep,
    Unlock,
)  # fmt: skip
from plotter2.errors import CollectError, ConflictError, DeadlockError, DivergenceError, OwnershipError, UsageError
from tests.effort import CALLS_PER_S, counted
from tests.unit.datter.ledger.kit import Run, check


def worked(count: int, metas: int = 1) -> tuple[Run, list[int], list[int]]:
    """The sample's two definitions: every meta has gathered, linked and waits for all."""
    run = Run(task1="", meta="task1")
    tasks = run.begin("task1", count, is_held=True)
    owners = run.begin("meta", metas)
    for owner in owners:
        assert run.ask(owner, Gather("task1.py")) == tasks
        run.ask(owner, Link((owner,), tuple(tasks)))
        run.do(owner, Collect(tuple(tasks)))
    return run, tasks, owners


def given_away(run: Run, task: int, owner: int) -> OpId:
    datum = run.ask(task, Register("matrix"))
    run.ask(task, Expose("matrix", datum))
    run.ask(task, Handin((datum,), (owner,)))
    return run.do(task, Release())


@pytest.mark.req("r187", "r189", "r190", "r191", "r192", "r193")
def test_the_worked_example_step_by_step() -> None:
    run, tasks, (meta,) = worked(3)
    assert run.ready == [meta, *tasks], "held until somebody waits for them"
    releases = [given_away(run, task, meta) for task in tasks]
    assert run.states(*tasks, meta) == ["suspended"] * 3 + ["running"]
    (shown,) = run.ask(meta, Exposed()).values()
    assert run.ledger.data_of(shown) == (1, 2, 3)
    assert [run.book.data[one].owner for one in (1, 2, 3)] == [meta] * 3
    keys = run.ask(meta, Handin((3, 1, 2), tuple(tasks)))
    assert [run.book.data[one].owner for one in (1, 2, 3)] == tasks
    assert run.ask(meta, Unlock(keys[0])) == 3
    assert run.ask(meta, Release()) == {}, "a release without owners never waits"
    assert [run.answers[one].value for one in releases] == [{meta: "returned"}] * 3
    assert [run.ask(task, Exposed()) for task in tasks] == [{"matrix": shown}] * 3, "one set for all"
    for task in (*tasks, meta):
        run.ask(task, End("done"))
    assert run.ledger.is_over
    assert run.replayed() == run.book


@pytest.mark.req("r169")
def test_every_task_sees_its_owners_in_the_order_in_which_they_were_made() -> None:
    run, tasks, metas = worked(2, metas=3)
    assert run.states(*tasks) == ["ready"] * 2, "held until every meta has had its chance to link"
    assert [run.ask(task, Islinked(task)) for task in tasks] == [metas] * 2


@pytest.mark.req("r110", "r162")
@pytest.mark.parametrize("how", ["done", "gaveup", "failed", "cancelled", "lost"])
def test_who_borrowed_and_ends_gives_back_what_it_borrowed(how: str) -> None:
    run, tasks, (meta,) = worked(3)
    releases = [given_away(run, task, meta) for task in tasks]
    run.ask(meta, End(how, "its error"))
    assert [run.answers[one].value for one in releases] == [{meta: "ended"}] * 3
    assert [run.book.data[one].owner for one in (1, 2, 3)] == tasks
    assert [run.ask(task, Exposed()) for task in tasks] == [{}] * 3
    check(run.book)


def test_what_an_owner_keeps_over_its_release_comes_back_by_force() -> None:
    run, tasks, (meta,) = worked(1)
    waiting = given_away(run, tasks[0], meta)
    run.ask(meta, Release())
    assert run.answers[waiting].value == {meta: "returned"}
    assert run.book.data[1].owner == tasks[0]


@pytest.mark.req("r108", "r110")
def test_a_loan_lent_on_comes_back_with_the_first() -> None:
    run = Run(a="")
    first, second, third = run.begin("a", 3)
    run.ask(first, Register("x"))
    run.ask(first, Handin((1,), (second,)))
    run.ask(second, Handin((1,), (third,)))
    assert [(loan.lender, loan.borrower) for loan in run.book.data[1].loans] == [(first, second), (second, third)]
    run.ask(second, End("done"))
    assert (run.book.data[1].owner, run.book.data[1].loans) == (first, [])


def test_a_loan_to_a_task_that_has_ended_is_over_at_once() -> None:
    run, tasks, (meta,) = worked(1)
    run.ask(meta, End("done"))
    datum = run.ask(tasks[0], Register("x"))
    run.ask(tasks[0], Handin((datum,), (meta,)))
    assert (run.book.data[datum].owner, run.book.data[datum].loans) == (tasks[0], [])
    assert run.ask(tasks[0], Release()) == {meta: "ended"}


def test_what_belongs_to_a_task_that_has_ended_goes_to_the_pool() -> None:
    run = Run(a="")
    first, second = run.begin("a", 2)
    run.ask(first, Register("x"))
    run.ask(first, Handin((1,), (second,)))
    run.ask(first, End("done"))
    run.ask(second, Handin((1,), (first,)))
    assert (run.book.data[1].owner, run.book.data[1].loans) == (0, [])


@pytest.mark.req("r159", "r160", "r161", "r162", "r164")
@pytest.mark.parametrize(
    ("op", "words"),
    [
        (Handin((1,), (2,)), "handin: 'x' is not yours, it is a\\[k0\\]'s"),
        (Handin((9,), (2,)), "no data with the number 9"),
        (Share((1,), (3,)), "share: 'x' is not yours"),
        (Deregister(1), "deregister: 'x' is not yours"),
        (Deregister(1, "away"), "handoff: 'x' is not yours"),
        (Deregister(3), "on loan from a\\[k2\\]"),
        (Claim(1), "register: 'x' is a\\[k0\\]'s"),
        (Claim(2), "'y' is yours already"),
        (Expose("x", 1), "not yours; copy or register"),
        (Handin((2,), ()), "given is nobody"),
        (Handin((2,), (2,)), "given is the task itself"),
        (Handin((2,), (7,)), "given is no task 7"),
        (Handin((2,), (1, 3)), "to 2 tasks, and none of them made it"),
        (Unlock("1.1.0123"), "opens nothing"),
        (Unlock("zz"), "opens nothing"),
    ],
)
def test_what_is_not_ones_own_cannot_be_given_away(op: Op, words: str) -> None:
    run = Run(a="")
    first, second, third, fourth = run.begin("a", 4)
    run.ask(first, Register("x"))
    run.ask(second, Register("y"))
    run.ask(third, Register("z"))
    run.ask(third, Handin((3,), (second,)))
    run.ask(fourth, End("done"))
    before = [one.owner for one in run.book.data.values()]
    with pytest.raises(OwnershipError, match=words):
        run.ask(second, op)
    assert [one.owner for one in run.book.data.values()] == before


@pytest.mark.req("r107")
def test_a_transfer_key_is_void_after_the_next_transfer() -> None:
    run = Run(a="")
    first, second = run.begin("a", 2)
    run.ask(first, Register("x"))
    (key,) = run.ask(first, Handin((1,), (second,)))
    assert len(key.rpartition(".")[2]) * 4 == 128
    assert run.ask(second, Unlock(key)) == 1
    run.ask(second, Handin((1,), (first,)))
    with pytest.raises(OwnershipError, match="void"):
        run.ask(second, Unlock(key))


@pytest.mark.req("r108", "r164")
def test_what_is_shared_stays_its_owners_and_can_be_revoked() -> None:
    run = Run(a="")
    first, second = run.begin("a", 2)
    run.ask(first, Register("x"))
    run.ask(first, Share((1,), (second,)))
    assert run.ledger.data_of(run.ask(second, Exposed())["x"]) == (1,)
    assert run.book.data[1].owner == first
    run.ask(first, Share((1,), (second,), is_revoked=True))
    assert run.ask(second, Exposed()) == {}


@pytest.mark.req("r102", "r159", "r161")
def test_the_pool_gives_what_was_handed_off_to_whoever_registers_it_first() -> None:
    run = Run(a="")
    first, second = run.begin("a", 2)
    run.ask(first, Register("x"))
    run.ask(first, Deregister(1, "mean of x"))
    assert run.ledger.data_of(run.ask(second, Access("mean of x"))) == (1,)
    run.ask(second, Claim(1))
    assert run.book.data[1].owner == second
    with pytest.raises(UsageError, match="nobody can any more"):
        run.ask(first, Access("mean of x"))


@pytest.mark.req("r163")
def test_access_waits_for_all_who_declare_the_name() -> None:
    run = Run(a="", b="a")
    makers = run.begin("a", 2, is_held=True)
    (reader,) = run.begin("b")
    waiting = run.do(reader, Access("own_a"))
    assert run.states(*makers) == ["ready"] * 2, "access starts those who are held"
    run.ask(makers[0], Register("own_a"))
    run.ask(makers[0], Expose("own_a", 1))
    assert waiting not in run.answers
    run.ask(makers[1], End("done"))
    assert run.ledger.data_of(run.answers[waiting].value) == (1,)


@pytest.mark.req("r163")
def test_access_that_can_never_be_given_fails_at_once() -> None:
    run = Run(a="", b="")
    one, _ = *run.begin("a"), *run.begin("b")
    with pytest.raises(UsageError, match=r"Nobody gives 'own_bb' in this run.*nearest (is|are) 'own_b'"):
        run.ask(one, Access("own_bb"))
    assert run.ask(one, Access("own_bb", is_here=True)) is None


def test_access_fails_when_the_last_who_declared_it_ends_without_giving() -> None:
    run = Run(a="", b="")
    one, other = *run.begin("a"), *run.begin("b")
    waiting = run.do(one, Access("own_b"))
    run.ask(other, End("failed"))
    said = run.answers[waiting].message
    assert said.startswith("Nobody gives 'own_b' in this run, ")
    assert said.endswith("; b declares it and has ended without giving it.")


@pytest.mark.req("r167")
def test_collect_names_those_that_failed_and_still_tells_the_rest() -> None:
    run, tasks, (meta,) = worked(3)
    (collecting,) = [told for told in [run.book.tasks[meta].wait] if told]
    given_away(run, tasks[0], meta)
    run.ask(tasks[1], End("failed", "ValueError: bad"))
    run.ask(tasks[2], End("gaveup"))
    answer = run.answers[collecting.op]
    assert answer.code == CollectError.code
    assert "1 of 3 tasks that were waited for failed: task1[k1]: ValueError: bad." in answer.message
    loose = run.ask(meta, Collect(tuple(tasks), is_strict=False))
    assert loose == {"released": [1], "done": [], "gaveup": [3], "failed": [2]}


@pytest.mark.req("r167")
def test_collecting_again_after_releasing_waits_for_the_next_release_or_the_end() -> None:
    run, tasks, (meta,) = worked(1)
    given_away(run, tasks[0], meta)
    run.ask(meta, Release())
    again = run.do(meta, Collect(tuple(tasks)))
    assert again not in run.answers
    run.ask(tasks[0], End("done"))
    assert run.answers[again].value["done"] == tasks


def test_a_circle_is_found_at_once_when_nothing_else_can_go_on() -> None:
    run = Run(a="")
    first, second, third = run.begin("a", 3)
    asked = [run.do(first, Collect((second,))), run.do(second, Collect((third,))), run.do(third, Collect((first,)))]
    assert run.answers[asked[2]].code == DeadlockError.code, "who closed the circle loses"
    assert "a[k2] (collect) -> a[k0] (collect) -> a[k1] (collect) -> a[k2]" in run.answers[asked[2]].message
    assert run.states(first, second, third) == ["suspended", "suspended", "running"]
    run.ask(third, End("failed", "deadlock"))
    assert run.answers[asked[1]].code == CollectError.code


def test_a_circle_of_some_is_found_by_a_sweep_while_others_run() -> None:
    run = Run(a="")
    first, second, third, busy = run.begin("a", 4)
    run.do(first, Collect((second,)))
    closing = run.do(second, Collect((first, third)))
    outside = run.do(third, Collect((busy,)))
    assert closing not in run.answers
    assert run.ask(ROOT, Sweep()) == 1
    assert run.answers[closing].code == DeadlockError.code
    assert outside not in run.answers
    assert run.ask(ROOT, Sweep()) == 0
    assert run.replayed() == run.book


def test_an_op_that_is_asked_again_gets_the_answer_that_was_recorded() -> None:
    run = Run(a="")
    (task,) = run.begin("a")
    for _ in range(2):
        run.apply(OpId(task, 1, 1), Register("x"))
        assert run.answers[OpId(task, 1, 1)].value == 1
    run.ask(task, Restart())
    run.apply(OpId(task, 2, 1), Register("x"))
    assert (run.answers[OpId(task, 2, 1)].value, len(run.book.data)) == (1, 1)
    run.apply(OpId(task, 2, 1), Register("y"))
    assert run.answers[OpId(task, 2, 1)].code == DivergenceError.code
    said = run.answers[OpId(task, 2, 1)].message
    assert said.splitlines()[1:] == ['- {"op":"register","name":"x"}', '+ {"op":"register","name":"y"}']
    run.apply(OpId(task, 2, 2), Register("a" * 900 + "z"))
    run.apply(OpId(task, 2, 2), Register("a" * 900 + "y"))
    said = run.answers[OpId(task, 2, 2)].message
    assert [line[-4:] for line in said.splitlines()[1:]] == ['az"}', 'ay"}'], "the part that differs is shown"
    run.apply(OpId(task, 1, 2), Register("z"))
    assert run.answers[OpId(task, 1, 2)].code == ConflictError.code, "the attempt before is fenced off"


@pytest.mark.parametrize(
    ("op", "words"),
    [
        (Gather("b.py"), "no task 'b.py' in this run; the nearest is 'a.py'"),
        (Collect((1,)), "cannot wait for itself"),
        (Collect((5,)), "no task 5"),
        (Link((1,), (1,)), "cannot be linked to itself"),
        (End("asleep"), "cannot end as 'asleep'"),
        (Define("a"), "a definition 'a' in this run already"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(op: Op, words: str) -> None:
    run = Run(a="")
    (task,) = run.begin("a")
    with pytest.raises((UsageError, ConflictError), match=words):
        run.ask(ROOT if isinstance(op, Define) else task, op)


@pytest.mark.req("r199")
def test_the_work_of_ten_times_the_tasks_is_ten_times_the_work() -> None:
    """Ten thousand data to ten thousand tasks: by pairs it would be a hundred times, and far beyond the limit."""
    efforts = []
    for count in (100, 1_000):
        with counted() as effort:
            run, tasks, (meta,) = worked(count)
            for task in tasks:
                given_away(run, task, meta)
            run.ask(meta, Handin(tuple(range(1, count + 1)), tuple(tasks)))
            run.ask(meta, Release())
            for task in tasks:
                run.ask(task, Exposed())
                run.ask(task, End("done"))
        efforts.append(effort.calls)
    assert efforts[1] < efforts[0] * 12
    assert efforts[1] * 10 < 5 * CALLS_PER_S, "ten thousand tasks in seconds"


class Compared(int):
    """A number whose comparisons are calls, which are counted."""

    __hash__ = int.__hash__

    def __eq__(self, other: object) -> bool:
        return int(self) == other


@pytest.mark.req("r166", "r199")
def test_giving_back_costs_in_step_with_how_much_it_is() -> None:
    def given_back(count: int) -> int:
        run = Run(meta="one", one="")
        tasks, (meta,) = run.begin("one", count), run.begin("meta")
        run.ask(meta, Link((meta,), tuple(tasks)))
        data = tuple(run.ask(task, Register("x")) for task in tasks)
        for task, datum in zip(tasks, data, strict=True):
            run.ask(task, Handin((datum,), (meta,)))
        with counted() as effort:
            keys = run.ask(meta, Handin(data, tuple(map(Compared, tasks))))
        assert len(keys) == count
        return effort.calls

    assert given_back(400) < 5 * given_back(100)
