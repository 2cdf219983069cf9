"""Inheritance: the line of ancestors against Python's own, snapshots, conflicts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.clock import Instant
from plotter2.errors import PackageError
from plotter2.model import inheritance, package
from plotter2.model.inheritance import NOTHING, Kin, Snapshot, decode, effective, encode, inherit, merge
from plotter2.model.package import Package

MEMBERS_MAX = 9


class Family:
    """Bundles that inherit from one another; each made once, as a version 1 unless told."""

    def __init__(self) -> None:
        self.kin: dict[str, Kin] = {}

    def snapshot(self, name: str, parents: tuple[str, ...] = (), holder: str = "", **declared: Any) -> Snapshot:
        own = package.read(json.dumps({"parents": parents, **declared}))
        return inherit(name, own, [self.kin[one] for one in parents], self.kin.get(holder))

    def put(
        self, name: str, parents: tuple[str, ...] = (), holder: str = "", *, version: int = 1, **declared: Any
    ) -> Snapshot:
        found = self.snapshot(name, parents, holder, **declared)
        own = package.read(json.dumps({"parents": parents, **declared}))
        sources = {task.task_src: bytes([version]) * 32 for task in own.tasks if task.task_src}
        self.kin[name] = Kin(name, version, Instant(float(version)), own, sources, found)
        return found

    def config(self, name: str, snapshot: Snapshot | None = None) -> dict[str, Any]:
        one = self.kin[name]
        return effective(one.package, snapshot or one.inherited).config


@pytest.fixture
def family() -> Family:
    return Family()


def line(snapshot: Snapshot) -> list[str]:
    return [one.bundle for one in snapshot.line]


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    """Who inherits from whom, parents first: any graph without circles."""
    found: dict[str, tuple[str, ...]] = {}
    for number in range(draw(st.integers(1, MEMBERS_MAX))):
        known = list(found)
        chosen = st.lists(st.sampled_from(known), unique=True, max_size=4) if known else st.just([])
        found[f"b{number}"] = tuple(draw(chosen))
    return found


@pytest.mark.req("r035")
@given(graphs())
def test_ancestors_stand_in_the_order_that_python_gives_classes(graph: dict[str, tuple[str, ...]]) -> None:
    family, classes = Family(), dict[str, type]()
    for name, parents in graph.items():
        try:
            classes[name] = type(name, tuple(classes[one] for one in parents), {})
        except TypeError:
            with pytest.raises(PackageError, match="cannot be put in line"):
                family.put(name, parents)
            return
        found = family.put(name, parents)
        assert line(found) == [one.__name__ for one in classes[name].__mro__[1:-1]]


@pytest.mark.req("r033", "r035")
@given(graphs(), st.data())
def test_what_holds_is_what_python_would_look_up(graph: dict[str, tuple[str, ...]], data: st.DataObject) -> None:
    """Where two unrelated ancestors differ Python takes the first; here it is refused, and own words settle it."""
    family, classes = Family(), dict[str, type]()
    names = st.dictionaries(st.sampled_from("xyz"), st.integers(0, 2), max_size=3)
    for name, parents in graph.items():
        own = data.draw(names)
        try:
            classes[name] = type(name, tuple(classes[one] for one in parents), dict(own))
        except TypeError:
            return
        try:
            family.put(name, parents, config=own)
        except PackageError as wrong:
            assert "are not related" in wrong.message  # noqa: PT017 -- both outcomes are right
            clash = wrong.message.partition("setting '")[2][0]
            assert clash not in own
            sides = [side.removesuffix("@1") for side in wrong.message.split("'")[3:7:2]]
            assert len({getattr(classes[side], clash) for side in sides}) == 2
            assert not any(issubclass(classes[a], classes[b]) for a, b in (sides, sides[::-1]))
            return
        assert family.config(name) == {key: getattr(classes[name], key) for key in "xyz" if hasattr(classes[name], key)}


@given(graphs())
def test_a_snapshot_comes_back_from_its_text(graph: dict[str, tuple[str, ...]]) -> None:
    family = Family()
    for name, parents in graph.items():
        try:
            found = family.put(name, parents, config={name: [1, {"a": None}]})
        except PackageError:
            return
        assert decode(encode(found)) == found
        assert (encode(found) == "") == (found == NOTHING)
        assert len(inheritance.digest_of(encode(found))) == (32 if parents else 0)


@pytest.mark.req("r033")
def test_a_chain_of_any_depth_hands_everything_down(family: Family) -> None:
    family.put("x0", config={"depth": 0, "only": "x0"}, tasks=[{"name": "curve", "task_src": "t/curve.py"}])
    for number in range(1, 200):
        family.put(f"x{number}", (f"x{number - 1}",), config={"depth": number})
    last = family.put("x200", ("x199",))
    assert family.config("x200") == {"depth": 199, "only": "x0"}
    trait = last.of("tasks")["curve"]
    assert last.line[trait.origin].bundle == "x0"
    assert (trait.value["task_src"], trait.source) == ("t/curve.py", "01" * 32)


@pytest.mark.req("r034")
def test_inheriting_is_a_snapshot_not_a_dependency(family: Family) -> None:
    family.put("base", config={"lr": 1})
    child = family.put("child", ("base",))
    family.put("base", version=2, config={"lr": 2, "new": True})
    assert family.config("child", child) == {"lr": 1}
    assert family.config("child", family.put("grandchild", ("child",))) == {"lr": 1}, "a child gives what it has itself"
    assert family.config("child", family.put("child", ("base",), version=2)) == {"lr": 2, "new": True}


@pytest.mark.req("r034")
def test_only_tasks_links_and_configuration_are_inherited(family: Family) -> None:
    family.put(
        "base", parameters={"lr": {}}, service={"command": ["x"]}, tags={"a": 1}, description="d",
        tasks=[{"name": "t", "pipeline": []}], standing=[{"name": "s", "on": "version", "run": ["t"]}],
        data={"d": {"path": "d.csv"}}, heads={"h": {"data": "d"}},
        links=[{"name": "l", "in": "h", "out": "h", "from": "base"}],
    )  # fmt: skip
    found = family.put("child", ("base",))
    assert {section: list(names) for section, names in found.traits.items()} == {
        "tasks": ["t"], "data": ["d"], "heads": ["h"], "links": ["l"],
    }  # fmt: skip


@pytest.mark.req("r035")
def test_in_a_diamond_the_nearer_one_holds(family: Family) -> None:
    family.put("top", config={"a": 0, "b": 0})
    family.put("left", ("top",), config={"b": 1})
    family.put("right", ("top",), config={"a": 1})
    found = family.put("bottom", ("left", "right"))
    assert line(found) == ["left", "right", "top"]
    assert family.config("bottom") == {"a": 1, "b": 1}


@pytest.mark.req("r035")
def test_a_conflict_of_unrelated_parents_is_refused_with_both_sides_named(family: Family) -> None:
    family.put("lib/a", tasks=[{"name": "curve", "task_src": "c.py"}])
    family.put("lib/b", tasks=[{"name": "curve", "task_src": "c.py"}], version=3)
    with pytest.raises(PackageError) as caught:
        family.put("x", ("lib/a", "lib/b"))
    assert caught.value.message == (
        "package.json: the task 'curve' comes from 'lib/a@1' and 'lib/b@3', which differ and are not related. Declare "
        'the task \'curve\' here, or choose: "prefer": {"tasks.curve": "lib/a"}.'
    )


@pytest.mark.req("r035")
def test_a_conflict_is_settled_by_the_childs_own_declaration_or_by_its_choice(family: Family) -> None:
    family.put("a", config={"lr": 1})
    family.put("b", config={"lr": 2})
    family.put("own", ("a", "b"), config={"lr": 3})
    assert family.config("own") == {"lr": 3}
    family.put("chosen", ("a", "b"), prefer={"config.lr": "b"})
    assert family.config("chosen") == {"lr": 2}
    assert family.config("below", family.put("below", ("chosen",))) == {"lr": 2}


@pytest.mark.req("r035")
def test_what_is_the_same_on_both_sides_is_no_conflict(family: Family) -> None:
    family.put("a", config={"lr": {"x": 1, "y": 2}})
    family.put("b", config={"lr": {"y": 2, "x": 1}})
    assert family.put("x", ("b", "a")).of("config")["lr"].origin == 0
    family.put("c", config={"lr": True})
    family.put("d", config={"lr": 1})
    with pytest.raises(PackageError, match="not related"):
        family.put("y", ("c", "d"))


@pytest.mark.req("r035")
def test_of_two_versions_of_one_ancestor_the_newer_holds(family: Family) -> None:
    family.put("top", config={"lr": 1})
    family.put("early", ("top",))
    family.put("top", version=2, config={"lr": 2})
    family.put("late", ("top",))
    found = family.put("x", ("early", "late"))
    assert family.config("x") == {"lr": 2}
    assert [(one.bundle, one.version) for one in found.line] == [("early", 1), ("late", 1), ("top", 2)]


@pytest.mark.req("r028", "r035")
def test_the_holder_comes_last_and_does_not_disturb_the_order_of_parents(family: Family) -> None:
    family.put("lib", config={"a": 1})
    family.put("lab", ("lib",), config={"b": 2})
    found = family.put("lab/x", ("lib",), holder="lab")
    assert line(found) == ["lab", "lib"]
    assert found.parents == ("lib", "lab")
    assert family.config("lab/x") == {"a": 1, "b": 2}
    assert line(family.put("lab/y", ("lab",), holder="lab")) == ["lab", "lib"]
    assert line(family.put("lab/z", holder="lab")) == ["lab", "lib"]


@pytest.mark.parametrize(
    ("parents", "part"),
    [
        (("x",), "names 'x' itself"),
        (("child",), "'x' cannot inherit from 'child', which inherits from 'x'"),
        (("ab", "ba"), "has 'a' before 'b', another has 'b' before 'a'"),
    ],
)
def test_lines_that_cannot_be_are_refused_and_say_why(family: Family, parents: tuple[str, ...], part: str) -> None:
    for name in ("x", "a", "b"):
        family.put(name)
    family.put("child", ("x",))
    family.put("ab", ("a", "b"))
    family.put("ba", ("b", "a"))
    with pytest.raises(PackageError) as caught:
        family.put("x", parents)
    assert part in caught.value.message


def test_a_preference_that_fits_nothing_says_what_would(family: Family) -> None:
    family.put("a", config={"lr": 1})
    with pytest.raises(PackageError, match=r"'prefer\.config\.lr' names 'b', but 'a' has it to give"):
        family.put("x", ("a",), prefer={"config.lr": "b"})
    with pytest.raises(PackageError, match=r"'prefer\.config\.rl' names 'a', but no parent has it to give"):
        family.put("x", ("a",), prefer={"config.rl": "a"})


def test_too_many_ancestors_and_too_long_a_snapshot_are_refused(family: Family) -> None:
    family.put("x0")
    for number in range(1, inheritance.ANCESTORS_MAX + 1):
        family.put(f"x{number}", (f"x{number - 1}",))
    with pytest.raises(PackageError, match="has 257 ancestors; at most 256"):
        family.put("last", (f"x{inheritance.ANCESTORS_MAX}",))
    family.put("large", config={"text": "x" * inheritance.SNAPSHOT_BYTES_MAX})
    with pytest.raises(PackageError, match="would be inherited"):
        encode(family.snapshot("y", ("large",)))


def test_three_orders_that_go_round_are_refused_too() -> None:
    with pytest.raises(PackageError, match="the orders of 'a', 'b', 'c' contradict one another"):
        merge([["a", "b"], ["b", "c"], ["c", "a"]])


def test_what_the_bundle_declares_itself_always_holds() -> None:
    own = Package(config={"lr": 5})
    kin = Kin("a", 1, Instant(1.0), package.read('{"config": {"lr": 1, "n": 2}, "data": {"d": {"path": "d.csv"}}}'))
    found = effective(own, inherit("x", own, [kin]))
    assert found.config == {"lr": 5, "n": 2}
    assert found.data["d"].path == "d.csv"


@pytest.mark.req("r028")
def test_a_holder_that_inherits_from_the_bundle_gives_it_nothing_back(family: Family) -> None:
    family.put("lab/x", config={"a": 1})
    family.put("lab", ("lab/x",), config={"b": 2})
    assert family.put("lab/x", holder="lab", version=2) == NOTHING
    with pytest.raises(PackageError, match="'lab/x' cannot inherit from 'lab', which inherits from 'lab/x'"):
        family.put("lab/x", ("lab",), version=2)
