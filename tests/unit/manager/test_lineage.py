"""The walk along lineage: each thing once, few neighbours of a kind, and an end whatever the rows say."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from manager import edges
from manager.lineage import UNKNOWN, Facts, Walk, Wanted
from manager.store import OutputRow
from manager.store.ancestry import FileAt, Follower, ManyFiles, Place, RanCode, Reuse
from plotter2.clock import Instant
from plotter2.ids import RequestId, RunId, TaskId
from plotter2.lineage import text
from plotter2.model.bundle import BundleVersion, FileEntry
from plotter2.model.lineage import (
    READ_FILES_MAX,
    Direction,
    Edge,
    EdgeKind,
    Lineage,
    Node,
    NodeKind,
    ReadFile,
    place_of,
)
from plotter2.model.paths import BundlePath
from plotter2.model.request import Request, RequestKind
from plotter2.model.task import Output, RunState, TaskRun

NOW = Instant(1e9)
PAGE = Output("lab/loss.html", "figure", "Loss")


def version(place: Place, request: str = "req-push") -> BundleVersion:
    return BundleVersion(BundlePath(place[0]), place[1], bytes(32), 1, 1, NOW, RequestId(request))


def ran(name: str, state: RunState = RunState.DONE) -> RanCode:
    run = TaskRun(RunId(name), RequestId("req-1"), TaskId("t"), "loss", "lab", 1, state=state, created_at=NOW)
    return RanCode(run, "loss.py", bytes(32), ("lab", 1))


class Rows:
    """Answers what a walk wants, and counts how often it is asked of the same thing."""

    def __init__(self, *, reads: list[Edge], outputs: int = 0, children: int = 0) -> None:
        self.reads = reads
        self.outputs = outputs
        self.children = children
        self.asked: dict[str, int] = defaultdict(int)

    def answer(self, wanted: Wanted) -> Facts:
        names = [*wanted.runs, *(f"{path}@{number}" for path, number in wanted.versions)]
        for name in (*names, *wanted.outputs, *wanted.services, *wanted.requests):
            self.asked[name] += 1
        return Facts(
            outputs=[OutputRow(PAGE, "lab", RequestId("req-1"), RunId("req-1.0"), "loss", NOW) for _ in wanted.outputs],
            runs=[ran(name) for name in wanted.runs],
            versions=[version(place) for place in wanted.versions],
            requests=[Request(RequestId(name), RequestKind.RUN) for name in wanted.requests],
            edges=[one for one in self.reads if one.dst in names],
            followers=[
                Follower(place, EdgeKind.ON, NodeKind.RUN, f"req-{place[0]}.{index}", self.children)
                for place in wanted.versions
                for index in range(min(self.children, wanted.fan))
            ],
        )

    def walk(self, direction: Direction, start: Node, nodes: int = 1_000, fan: int = 8) -> Lineage:
        walk = Walk(direction, [start], nodes, fan)
        while (wanted := walk.wanted()) is not None:
            walk.learn(self.answer(wanted))
        return walk.lineage()


def read(number: int, run: str = "req-1.0") -> Edge:
    return Edge(f"lab/bundles/{number:05d}@1", run, EdgeKind.READ, (ReadFile("m.csv", "ab" * 32),))


FIGURE = Node(PAGE.path, NodeKind.OUTPUT)


def test_ten_thousand_inputs_are_a_few_and_a_count() -> None:
    rows = Rows(reads=[Edge("lab@1", "req-1.0", EdgeKind.READ), *(read(number) for number in range(10_000))])
    found = rows.walk(Direction.WHY, FIGURE)
    (more,) = [one for one in found.nodes if one.kind is NodeKind.MORE]
    assert (more.count, more.form) == (10_001 - 8, "versions")
    assert next(one.src for one in found.edges if one.kind is EdgeKind.READ) == "lab@1"
    assert len(found.nodes) < 20
    assert len(rows.asked) < 20


def test_ten_thousand_runs_on_one_version_are_a_few_and_a_count() -> None:
    found = Rows(reads=[], children=10_000).walk(Direction.USES, Node("lab@1", NodeKind.VERSION))
    assert [one.count for one in found.nodes if one.kind is NodeKind.MORE] == [9_992]
    assert len(found.nodes) == 1 + 8 + 1


def test_an_answer_has_an_end_and_says_how_much_it_left_out() -> None:
    rows = Rows(reads=[read(number) for number in range(100)])
    found = rows.walk(Direction.WHY, FIGURE, nodes=10, fan=1_000)
    assert len(found.nodes) == 10
    assert found.left > 90
    named = {one.id for one in found.nodes}
    assert all({one.src, one.dst} <= named for one in found.edges)


def test_what_no_row_knows_is_named_and_said_to_be_unknown() -> None:
    walk = Walk(Direction.WHY, [Node("lab@9", NodeKind.VERSION, remark="Asked for.")], 10, 8)
    walk.learn(Facts())
    assert walk.lineage().nodes == (Node("lab@9", NodeKind.VERSION, remark=f"Asked for. {UNKNOWN}"),)
    assert walk.wanted() is None


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=40), st.sampled_from(Direction))
def test_a_walk_looks_at_each_thing_once_even_where_rows_go_round(
    pairs: list[tuple[int, int]], direction: Direction
) -> None:
    given_by = [Edge(f"b{src}@1", f"b{dst}@1", EdgeKind.GAVE) for src, dst in pairs]
    rows = Rows(reads=given_by, children=0)
    found = rows.walk(direction, Node("b0@1", NodeKind.VERSION))
    assert set(rows.asked.values()) == {1}
    assert len({one.id for one in found.nodes}) == len(found.nodes)
    assert all(one.src != one.dst for one in found.edges)


def test_what_a_run_read_is_told_also_where_another_way_led_to_the_run_first() -> None:
    one = Edge("lab/b@1", "req-1.0", EdgeKind.READ, (ReadFile("m.csv", "ab" * 32),))
    walk = Walk(Direction.USES, [Node("lab@1", NodeKind.VERSION)], 10, 8)
    code = Follower(("lab", 1), EdgeKind.CODE, NodeKind.RUN, "req-1.0", 1)
    child = Follower(("lab", 1), EdgeKind.ON, NodeKind.SERVICE, "req-1.s0", 1)
    walk.learn(Facts(versions=[version(("lab", 1))], followers=[code, child]))
    walk.learn(Facts(runs=[ran("req-1.0")], edges=[one], made={"req-1.s0": ("lab/b", 1)}))
    read_by = Follower(("lab/b", 1), EdgeKind.READ, NodeKind.RUN, "req-1.0", 1)
    walk.learn(Facts(versions=[version(("lab/b", 1))], followers=[read_by]))
    assert one in walk.lineage().edges


def test_a_replay_leads_to_what_it_asks_again() -> None:
    walk = Walk(Direction.WHY, [Node("req-2", NodeKind.REQUEST)], 10, 8)
    again = Request(RequestId("req-2"), RequestKind.RUN, ask_json='{"task": "loss", "replay_of": "req-1"}')
    walk.learn(Facts(requests=[again]))
    assert walk.wanted() == Wanted(Direction.WHY, 8, requests=("req-1",))
    assert walk.lineage().nodes[0].title == "loss"


def test_a_run_that_goes_on_is_not_said_to_have_no_record() -> None:
    walk = Walk(Direction.WHY, [Node("req-1.0", NodeKind.RUN)], 10, 8)
    walk.learn(Facts(runs=[ran("req-1.0", RunState.RUNNING)]))
    assert walk.lineage().nodes[0].remark == ""


@pytest.mark.parametrize("count", [0, 3, READ_FILES_MAX + 5])
def test_what_a_run_read_is_remembered_up_to_a_limit_and_counted_beyond(count: int) -> None:
    files = [FileAt("lab/b", 2, f"{number}.csv", bytes(32)) for number in range(count)]
    own, *others = edges.reads("req-1.0", ("lab", 1), files)
    assert (own.src, own.files) == ("lab@1", ())
    assert sum(len(one.files) + one.more_files for one in others) == count
    assert sum(len(one.files) for one in others) <= READ_FILES_MAX


def test_many_files_of_a_folder_are_believed_by_their_digest_or_counted_or_not_at_all() -> None:
    there = [FileEntry(f"w/{number}.npy", 1, bytes([number]) * 32) for number in range(5)]
    files = [FileEntry("a.csv", 1, bytes(32)), *there]
    lines = "\n".join(f"{one.digest.hex()} {one.path}" for one in there)
    whole = ManyFiles("lab", 1, "w/0.npy", "w/4.npy", 5, blake3(lines.encode()).hexdigest())
    found, more = edges.of_group(whole, files)
    assert ([one.path for one in found], more) == ([one.path for one in there], 0)
    assert edges.of_group(replace(whole, count=3), files) == ([], 3), "some of them: which, nobody can say"
    assert edges.of_group(replace(whole, digest="0" * 64), files) == ([], 5)
    for lie in (replace(whole, count=6), replace(whole, last="w/9.npy"), replace(whole, first="a/0.npy")):
        assert edges.of_group(lie, files) == ([], 0)
    (own,) = edges.reads("req-1.0", ("lab", 1), [], {("lab", 1): 5, ("lab", 2): 0})
    assert (own.src, own.files, own.more_files) == ("lab@1", (), 5)


def test_a_run_on_no_bundle_that_reads_nothing_leaves_no_edge() -> None:
    assert edges.reads("req-1.0", ("", 0), []) == ()


@given(st.text(max_size=30), st.integers(0, 10**8))
def test_a_version_is_told_from_every_other_name(bundle: str, number: int) -> None:
    assert place_of(f"{bundle}@{number}") == ((bundle, number) if bundle else None)
    assert place_of("req-1.0") is None
    assert place_of(f"{bundle}@x") is None


def test_the_same_edge_is_told_once() -> None:
    one = read(1)
    found = Rows(reads=[one, replace(one)]).walk(Direction.WHY, FIGURE)
    assert len([edge for edge in found.edges if edge.kind is EdgeKind.READ]) == 1


@pytest.mark.req("r022")
def test_a_run_that_was_answered_from_memory_leads_to_the_run_that_it_reuses() -> None:
    answered = ran("req-2.0")
    walk = Walk(Direction.WHY, [Node("req-2.0", NodeKind.RUN)], 10, 8)
    walk.learn(Facts(runs=[replace(answered, run=replace(answered.run, reused_of=RunId("req-1.0")))]))
    walk.learn(Facts(runs=[ran("req-1.0")], edges=[read(1)]))
    found = walk.lineage()
    assert Edge("req-1.0", "req-2.0", EdgeKind.REUSED) in found.edges
    assert read(1) in found.edges
    assert next(one for one in found.nodes if one.id == "req-2.0").remark == ""
    assert 'has the results of run "loss" req-1.0' in text.tree(found)


@pytest.mark.req("r022")
def test_a_run_shows_those_that_were_answered_with_what_it_left() -> None:
    walk = Walk(Direction.USES, [Node("req-1.0", NodeKind.RUN)], 10, 1)
    walk.learn(Facts(runs=[ran("req-1.0")], reuses=[Reuse("req-1.0", "req-2.0", 3)]))
    walk.learn(Facts(runs=[ran("req-2.0")]))
    found = walk.lineage()
    assert Edge("req-1.0", "req-2.0", EdgeKind.REUSED) in found.edges
    assert [(one.count, one.form) for one in found.nodes if one.kind is NodeKind.MORE] == [(2, "runs")]
