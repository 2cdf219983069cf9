"""What is done about a ward, told as what is seen of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdogs import policy
from watchdogs.policy import Action, Case, Limits, Seen, WardState

LIMITS = Limits(start_s_max=60.0)


def running(since: float = 0.0) -> Case:
    return Case(WardState.RUNNING, since, restarts=0)


def after(case: Case, *seen: tuple[float, Seen], limits: Limits = LIMITS) -> tuple[Case, list[Action]]:
    actions = []
    for now, what in seen:
        case, action = policy.look(case, what, now, limits)
        actions.append(action)
    return case, actions


def died_again(case: Case, now: float) -> Case:
    return policy.look(policy.started(case, now), Seen.EXITED, now, LIMITS)[0]


def test_a_new_ward_is_due_at_once_and_that_is_no_restart() -> None:
    assert policy.is_due(Case(), 5.0)
    case = policy.started(Case(), 5.0)
    assert (case.state, case.since, case.restarts) == (WardState.STARTING, 5.0, 0)


def test_the_first_answer_makes_it_run() -> None:
    case, actions = after(policy.started(Case(), 1.0), (1.1, Seen.SILENT), (1.9, Seen.ANSWERED))
    assert (case.state, case.since) == (WardState.RUNNING, 1.9)
    assert actions == [Action.WAIT, Action.WAIT]


def test_who_starts_slowly_is_waited_for_until_the_limit() -> None:
    case = policy.started(Case(), 0.0)
    case, actions = after(case, *((float(second), Seen.SILENT) for second in range(1, 61)))
    assert actions == [Action.WAIT] * 59 + [Action.KILL]
    assert case.state is WardState.KILLING


@pytest.mark.req("r077")
@pytest.mark.parametrize("bad", [Seen.SILENT, Seen.SWOLLEN])
def test_three_bad_looks_in_a_row_end_it(bad: Seen) -> None:
    _, actions = after(running(), (1, bad), (2, bad), (3, Seen.ANSWERED), (4, bad), (5, bad), (6, bad))
    assert actions == [Action.WAIT] * 5 + [Action.KILL]


def test_who_is_swollen_from_the_start_has_started_nevertheless() -> None:
    _, actions = after(policy.started(Case(), 0.0), *((second, Seen.SWOLLEN) for second in (1, 2, 3, 4)))
    assert actions == [Action.WAIT] * 3 + [Action.KILL]


def test_it_is_killed_once_and_then_waited_for() -> None:
    case, actions = after(running(), *((second, Seen.SILENT) for second in range(1, 8)))
    assert actions.count(Action.KILL) == 1
    case, _ = after(case, (9.0, Seen.EXITED))
    assert case.state is WardState.BACKING_OFF


@pytest.mark.req("r079")
def test_who_may_not_be_killed_is_waited_for_and_well_again_when_it_answers() -> None:
    limits = Limits(60.0, may_kill=False)
    case, actions = after(running(), *((second, Seen.SILENT) for second in range(1, 99)), limits=limits)
    assert set(actions) == {Action.WAIT}
    assert case.state is WardState.RUNNING
    case, _ = after(case, (100, Seen.ANSWERED), limits=limits)
    assert case.bad_looks == 0


def test_the_pause_doubles_up_to_a_limit() -> None:
    case, pauses = running(), []
    for _ in range(9):
        case = died_again(case, 1.0)
        pauses.append(case.pause_s)
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0, 10.0]


@pytest.mark.parametrize("end", [(Seen.EXITED,), (Seen.SILENT, Seen.SILENT, Seen.SILENT, Seen.EXITED)])
def test_the_pause_is_forgotten_after_a_while_of_health(end: tuple[Seen, ...]) -> None:
    case = died_again(died_again(running(), 1.0), 2.0)
    case, _ = after(policy.started(case, 3.0), (3.5, Seen.ANSWERED), (34.0, Seen.ANSWERED))
    case, _ = after(case, *((35.0, seen) for seen in end))
    assert case.pause_s == policy.PAUSE_S_MIN


def test_a_ward_that_ended_is_due_when_its_pause_is_over() -> None:
    case, _ = after(running(), (10.0, Seen.EXITED))
    assert not policy.is_due(case, 10.1)
    assert policy.is_due(case, 10.3)
    assert policy.started(case, 10.3).restarts == 1


@given(st.lists(st.tuples(st.floats(0, 5), st.sampled_from(Seen)), max_size=60))
def test_whatever_is_seen_it_comes_back_within_the_longest_pause(story: list[tuple[float, Seen]]) -> None:
    case, now = Case(), 0.0
    for passed, seen in story:
        now += passed
        if policy.is_due(case, now):
            case = policy.started(case, now)
        elif case.state is not WardState.BACKING_OFF:
            case, action = policy.look(case, seen, now, LIMITS)
            assert (action is Action.KILL) <= (case.state is WardState.KILLING)
        assert case.pause_s <= policy.PAUSE_S_MAX
    if case.state is WardState.BACKING_OFF:
        assert policy.is_due(case, now + policy.PAUSE_S_MAX + 0.001)
