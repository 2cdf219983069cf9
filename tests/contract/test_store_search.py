"""One suite for every store: what a search finds, and that all stores find the same."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manager.store import Batch, ServiceRow, Store, Tags
from manager.store.memory import MemoryStore
from manager.store.postgres import PostgresStore
from manager.store.search import JOINED_MAX
from plotter2.ids import ServiceId
from plotter2.model.bundle import Contents
from plotter2.model.entry import Space
from plotter2.model.query import (
    All,
    Among,
    Comparison,
    Either,
    Expression,
    Field,
    Missing,
    Negation,
    Operator,
    Order,
    Own,
    Search,
    parse,
    parse_sort,
)
from plotter2.model.service import ServiceSpec, ServiceState, ServiceStatus
from tests.contract.conftest import World, emptied
from tests.contract.samples import at, batch, put, request, version

WORDS = ("", "adam", "sgd", "a*b", "50%", "a_b", "é\n", "Z", "true")
NUMBERS = (0.0, -0.0, 1.0, 0.1, 1e300, -5.0, 9007199254740993.0)
NAMES = ("a", "b.c", "d e")


def trained(name: str, number: int = 1, parameters: str = "{}", **more: Any) -> Contents:
    return version(f"lab/bundles/{name}", number, parameters_json=parameters, **more)


def service(
    child: str, state: ServiceState, index: int = 0, parameters: str = '{"lr": 0.5}', **more: Any
) -> ServiceRow:
    name = ServiceId(f"{request(1).id}.s{index}")
    spec = ServiceSpec(name, "lab", 1, f"lab/bundles/{child}", "{}", parameters, bytes(32), bytes(32))
    return ServiceRow(spec, ServiceStatus(name, state, **more), request(1).id)


async def found(
    store: Store, where: str = "", sort: str = "", offset: int = 0, limit: int = 100, **more: Any
) -> list[str]:
    page = await store.search(Search(parse(where), parse_sort(sort), **more), offset, limit)
    return [entry.path.removeprefix("lab/bundles/") for entry in page.items]


async def test_runs_are_found_by_their_parameters(store: Store) -> None:
    rates = {"one": "0.01", "two": "0.10", "three": "1e0", "text": '"0.01"', "none": "null"}
    await put(store, *(trained(name, parameters=f'{{"lr": {rate}, "opt": "adam"}}') for name, rate in rates.items()))
    assert await found(store, "param.lr < 0.5") == ["one", "two"]
    assert await found(store, "param.lr = 1") == ["three"]
    assert await found(store, 'param.lr = "0.01"') == ["text"]
    assert await found(store, "param.lr is missing") == ["none"]
    assert await found(store, "param.lr != 1") == ["one", "text", "two"]
    assert await found(store, 'not param.lr = 1 and param.opt ~ "ad?m"') == ["none", "one", "text", "two"]
    assert await found(store, "param.lr in (1, 0.1)", "-param.lr") == ["three", "two"]


async def test_the_order_has_numbers_then_words_then_what_is_missing_in_both_directions(store: Store) -> None:
    values = {"a": "2", "b": '"x"', "c": "null", "d": "10", "e": '"y"', "f": "2"}
    await put(store, *(trained(name, parameters=f'{{"v": {value}}}') for name, value in values.items()))
    assert await found(store, sort="param.v") == ["a", "f", "d", "b", "e", "c"]
    assert await found(store, sort="-param.v") == ["d", "a", "f", "e", "b", "c"]
    assert await found(store, sort="-param.v, -path") == ["d", "f", "a", "e", "b", "c"]


async def test_pages_follow_one_another_without_a_gap(store: Store) -> None:
    await put(store, *(trained(f"{number:02}", parameters='{"same": 1}') for number in range(25)))
    pages = [await found(store, "param.same = 1", "-param.same", start, 10) for start in (0, 10, 20, 30)]
    assert [*itertools.chain(*pages)] == [f"{number:02}" for number in range(25)]
    beyond = await store.search(Search(parse("param.same = 1")), 30, 10)
    assert (beyond.items, beyond.total) == ((), 25)


async def test_only_the_newest_version_is_found(store: Store) -> None:
    await put(store, trained("x", 1, '{"lr": 1, "gone": 1}'))
    await put(store, trained("x", 2, '{"lr": 2}', seconds=9))
    assert await found(store, "param.lr = 1") == []
    assert await found(store, "param.gone is not missing") == []
    assert await found(store, "param.lr = 2 and version = 2") == ["x"]
    page = await store.search(Search(parse("param.lr = 2")), 0, 10)
    assert (page.items[0].at, page.items[0].parameters_json) == (at(9), '{"lr": 2}')


async def test_a_run_is_found_in_its_state_until_its_bundle_is_there(store: Store) -> None:
    await put(store, request(1), service("x", ServiceState.QUEUED), service("y", ServiceState.QUEUED, 1))
    assert await found(store, 'state = "queued" and param.lr = 0.5') == ["x", "y"]
    await put(store, service("x", ServiceState.RUNNING, started_at=at(1)), service("y", ServiceState.RUNNING, 1))
    assert await found(store, 'state = "running"') == ["x", "y"]
    await put(store, trained("x", parameters='{"lr": 0.5}'), service("y", ServiceState.FAILED, 1, finished_at=at(3)))
    await put(store, service("x", ServiceState.DONE, finished_at=at(4)))
    assert await found(store, 'state = "done"') == ["x"]
    assert await found(store, 'state in ("failed", "stopped")') == ["y"]
    await put(store, service("x", ServiceState.QUEUED, 2), service("y", ServiceState.QUEUED, 3))
    assert await found(store, 'state = "queued"') == ["y"], "what is a bundle stays one while it runs again"
    page = await store.search(Search(parse('state = "done"')), 0, 10)
    assert (page.items[0].version, page.items[0].at) == (1, at(0))


async def test_a_search_looks_below_a_bundle_and_leaves_out_what_was_put_aside(store: Store) -> None:
    await put(store, version("lab"), version("lab/in"), version("lab2"), version("other/lab"))
    assert await found(store, under="lab") == ["lab", "lab/in"]
    made = batch()
    made.archived["lab/in"] = True
    await store.commit(made)
    assert await found(store, 'path ~ "lab*"') == ["lab", "lab2"]
    assert await found(store, under="lab", archived=True) == ["lab", "lab/in"]
    await put(store, version("lab/in", 2, archived=True))
    assert await found(store, under="lab") == ["lab"]


async def test_time_is_when_it_came(store: Store) -> None:
    await put(store, version("old"), version("new", seconds=3 * 86_400))
    assert await found(store, 'time < "2023-11-15"') == ["old"]
    assert await found(store, 'time >= "2023-11-15T00:00:00+00:00"') == ["new"]
    assert await found(store, sort="-time") == ["new", "old"]


async def test_tags_of_a_package_are_found(store: Store) -> None:
    await put(store, version("a", package_json='{"tags": {"model": "mlp", "layers": 3, "best": true}}'), version("b"))
    assert await found(store, 'tag.model = "mlp" and tag.layers > 2 and tag.best = true') == ["a"]
    page = await store.search(Search(under="a"), 0, 1)
    assert page.items[0].tags_json == '{"model":"mlp","layers":3,"best":true}'


async def test_tags_set_by_hand_win_and_stay_with_the_next_version(world: World) -> None:
    package = '{"tags": {"model": "mlp", "layers": 3}}'
    await put(world.store, version("a", package_json=package), version("b", 1), version("a", 2, package_json=package))
    await put(world.store, ("a", Tags('{"model":null,"size":10}', '{"layers":3,"size":10}')))
    store = await world.open()
    assert await found(store, "tag.size = 10 and tag.model is missing and tag.layers = 3") == ["a"]
    for one in (await store.load()).bundles:
        assert one.tags_json == ('{"model":null,"size":10}' if one.path == "a" else "")
    assert (await store.fact_names())[Space.TAG] == ("layers", "model", "size")
    newest = await store.get_bundle("a")
    assert newest is not None
    await put(store, version("a", 3, package_json='{"tags": {"layers": 4, "model": "x"}}', tags_json=newest.tags_json))
    assert await found(store, "tag.size = 10 and tag.layers = 4 and tag.model is missing") == ["a"]
    oldest = version("a", package_json=package).bundle
    assert (await store.get_bundle("a", 1)) == replace(oldest, tags_json=newest.tags_json)


async def test_tags_and_a_version_of_one_turn_are_both_taken(store: Store) -> None:
    await put(store, version("a"))
    by_hand = Tags('{"t":1}', '{"t":1}')
    await put(store, version("a", 2, package_json='{"tags": {"p": 2}}'), ("a", by_hand), ("nobody", by_hand))
    assert await found(store, "tag.p = 2 and tag.t = 1") == ["a"]
    newest = await store.get_bundle("a")
    assert newest is not None
    assert newest.tags_json == '{"t":1}'


async def test_metrics_are_found_by_their_last_value_and_extremes_and_nan_lies_nowhere(store: Store) -> None:
    values = {"a": "0.5", "b": '"nan"', "c": '"inf"', "d": '"-inf"', "e": "0.25"}
    for name, value in values.items():
        await put(store, trained(name, metrics_json=f'{{"loss": {value}, "loss.min": 0.1}}'))
    await put(store, trained("f", ok=False))
    assert await found(store, "metric.loss <= 0.5") == ["a", "d", "e"]
    assert await found(store, sort="-metric.loss") == ["c", "a", "e", "d", "b", "f"]
    assert await found(store, sort="metric.loss") == ["d", "e", "a", "c", "b", "f"]
    assert await found(store, "not metric.loss < 1 and metric.loss is not missing") == ["b", "c"]
    assert await found(store, 'metric.loss = "nan" and metric.loss != 3 and metric.loss.min = 0.1') == ["b"]
    assert await found(store, 'metric.loss is missing and state = "failed"') == ["f"]
    newest = await store.get_bundle("lab/bundles/a")
    assert newest is not None
    assert newest.metrics_json == '{"loss": 0.5, "loss.min": 0.1}'


async def test_many_facts_that_must_all_be_there_are_found_in_the_order_of_any_of_them(store: Store) -> None:
    many = {
        name: json.dumps({f"p{number}": number + place for number in range(JOINED_MAX + 2)} | {"best": -place})
        for place, name in enumerate(("a", "b", "c"))
    }
    await put(store, *(trained(name, parameters=parameters) for name, parameters in many.items()), trained("d"))
    every = " and ".join(f"param.p{number} >= {number}" for number in range(JOINED_MAX + 2))
    assert await found(store, every, "-param.p0") == ["c", "b", "a"]
    assert await found(store, every, f"-param.p{JOINED_MAX + 1}") == ["c", "b", "a"]
    assert await found(store, every, "param.best, param.p1") == ["c", "b", "a"]
    assert await found(store, f"{every} and param.p0 < 2 and param.p0 != 0 and not param.p1 in (1, 3)") == ["b"]
    assert await found(store, "param.p0 in (0, 2) and param.p0 > 0", "param.p0, param.p0") == ["c"]


async def test_names_that_were_ever_used_are_known(store: Store) -> None:
    assert await store.fact_names() == dict.fromkeys(Space, ())
    await put(store, trained("x", 1, '{"lr": 1, "é": [1]}', package_json='{"tags": {"model": "m"}}'), trained("y"))
    await put(store, trained("x", 2))
    assert await store.fact_names() == {Space.PARAM: ("lr", "é"), Space.TAG: ("model",), Space.METRIC: ()}
    await put(store, trained("z", 1, '{"seed": 1}'))
    assert "lr" in (await store.fact_names([(Space.PARAM, "lr")]))[Space.PARAM]
    wanted = [(Space.PARAM, "seed"), (Space.PARAM, "lr"), (Space.METRIC, "none")]
    assert (await store.fact_names(wanted))[Space.PARAM] == ("lr", "seed", "é")


async def test_what_no_text_can_hold_is_not_looked_for_and_stops_nothing(store: Store) -> None:
    odd = (
        '{"a": "x\\u0000", "\\u0000": 1, "b": "\\ud800", "big": 1'
        + "0" * 400
        + ', "deep": '
        + "[" * 50
        + "]" * 50
        + "}"
    )
    await put(store, trained("x", parameters=odd), trained("y", parameters="[1"))
    assert await found(store, "param.a is missing and param.b is missing and param.big > 1e300") == ["x"]
    assert len(await found(store)) == 2


# --- both stores find the same --------------------------------------------------------------------------------------


def _fields() -> st.SearchStrategy[Field]:
    spaces = st.builds(Field, st.sampled_from([Space.PARAM, Space.TAG]), st.sampled_from(NAMES))
    return st.one_of(spaces, spaces, st.builds(Field, st.sampled_from([Own.PATH, Own.VERSION, Own.TIME])))


def _tests() -> st.SearchStrategy[Expression]:
    numbers, words = st.sampled_from(NUMBERS), st.sampled_from([*WORDS, "a*", "?", "*%*", "*e*"])

    def test(field: Field) -> st.SearchStrategy[Expression]:
        kinds: list[st.SearchStrategy[Expression]] = [st.just(Missing(field))]
        if field.of not in {Own.VERSION, Own.TIME}:
            kinds += [st.builds(Comparison, st.just(field), st.sampled_from(list(Operator)), words)]
            kinds += [st.builds(Among, st.just(field), st.lists(words, min_size=1, max_size=3).map(tuple))]
        if field.of is not Own.PATH:
            signs = st.sampled_from([one for one in Operator if one is not Operator.LIKE])
            kinds += [st.builds(Comparison, st.just(field), signs, numbers)]
        return st.one_of(kinds)

    return _fields().flatmap(test)


def _expressions() -> st.SearchStrategy[Expression]:
    def wider(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        many = st.lists(inner, min_size=1, max_size=3).map(tuple)
        return st.one_of(st.builds(Negation, inner), st.builds(All, many), st.builds(Either, many))

    return st.recursive(_tests(), wider, max_leaves=6)


def _population() -> Iterator[Contents]:
    """Every value under every name at least once, some missing, in an order that is not that of the paths."""
    values = ['"' + word.replace("\n", "\\n") + '"' for word in WORDS] + [repr(number) for number in NUMBERS]
    values += ["null", "9007199254740992", "1e999", "[1, 2]"]
    for number, value in enumerate(values):
        others = values[number * 7 % len(values)], values[number * 3 % len(values)]
        pairs = ", ".join(f'"{name}": {one}' for name, one in zip(NAMES, (value, *others), strict=True))
        package = f'{{"tags": {{"a": {others[1]}}}}}' if number % 3 else ""
        parameters = f"{{{pairs}}}" if number % 5 else ""
        path = f"{'éaZ_%'[number % 5]}/{number}"
        yield version(path, 1 + number % 2, seconds=number % 4, parameters_json=parameters, package_json=package)


@asynccontextmanager
async def _both(dsn: str) -> Any:
    memory = MemoryStore()
    async with PostgresStore.open(await emptied(dsn)) as postgres:
        for store in (memory, postgres):
            await store.commit(Batch(turn="all", bundles=list(_population())))
        yield memory, postgres


async def test_the_stores_agree_on_every_query(contract_dsn: str) -> None:
    async with _both(contract_dsn) as (memory, postgres):
        asked: list[tuple[Search, int, int]] = []

        @settings(max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(
            st.none() | _expressions(),
            st.lists(st.builds(Order, _fields(), st.booleans()), max_size=3).map(tuple),
            st.integers(0, 5),
            st.integers(0, 30),
        )
        def collect(where: Expression | None, order: tuple[Order, ...], offset: int, limit: int) -> None:
            asked.append((Search(where, order), offset, limit))

        collect()
        for one in asked:
            mine, theirs = await memory.search(*one), await postgres.search(*one)
            assert mine == theirs, one
        assert len({(await memory.search(*one)).total for one in asked}) > 5, "the queries tell entries apart"
