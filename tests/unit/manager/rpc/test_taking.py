"""Parameters that a script does not know are refused before anything runs, with the nearest that it does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from plotter2.api.v1 import manager_pb2 as pb
from plotter2.api.v1 import task_pb2
from plotter2.errors import UsageError
from tests.unit.manager.rpc.kit import Small, small


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Small]:
    async with small(tmp_path) as made:
        await made.push("lab", "")
        yield made


async def asked(manager: Small, source: str, given: str, filename: str = "plot.py") -> str:
    kind = task_pb2.TASK_KIND_PIPELINE if filename.endswith(".json") else task_pb2.TASK_KIND_SCRIPT
    run = pb.RunAsk(
        task="plot", bundle="lab", source=source, filename=filename, parameters_json=given, kind=kind
    )  # fmt: skip
    return str((await manager.submit(run=run)).id)


@pytest.mark.req("r178")
@pytest.mark.parametrize(
    ("source", "near"),
    [
        ("def task(bins=3): ...", "the nearest is 'bins'"),
        ("def task(): impose(bins as int)", "the nearest is 'bins'"),
        ("impose(bin_count as int)\ndef task(): ...", "there are 'bin_count'"),
        ("def task(): return me.task, islinked(me)", "it takes none"),
        ("def task(): return me.parameters['bins']", "the nearest is 'bins'"),
        ("def task(): return me.parameters.get('bins', 'bins' in me.parameters)", "the nearest is 'bins'"),
        ("impose(bin as datter.keytype(bin))\ndef task(): ...", "there are 'bin'"),
        ("def task(bins=3): return collect(gather_tasks('x'))", "the nearest is 'bins'"),
    ],
)
async def test_a_parameter_that_the_script_does_not_know_is_refused_with_the_nearest(
    manager: Small, source: str, near: str
) -> None:
    with pytest.raises(UsageError, match=f"plot.py takes no parameter 'bons'; {near}"):
        await asked(manager, source, '{"bons": 3}')


@pytest.mark.req("r098", "r178")
async def test_a_pipeline_takes_what_it_imposes_and_what_its_scripts_may_look_at(manager: Small) -> None:
    said = r"plot\.json takes no parameter 'bons'; "
    for source, near in (
        ('["access", "mean"]', "it takes none"),
        ('[{"impose": {"bins": 3}}, "access"]', "the nearest"),
    ):
        with pytest.raises(UsageError, match=said + near):
            await asked(manager, source, '{"bons": 3}', "plot.json")
    for source in ('[{"impose": {"bons": {"keytype": "m"}}}, "access"]', '["access", {"script": "x.py"}]'):
        assert await asked(manager, source, '{"bons": 3}', "plot.json")


@pytest.mark.req("r174")
@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def task(lr=1):\n    repeat(over={'lr': [1], 'lrr': [2]})", "'lrr'; the nearest is 'lr'"),
        ("def task():\n    repeat(over={'lr': [1]})", "'lr'; it takes none"),
    ],
)
async def test_what_a_script_repeats_itself_with_must_be_taken_by_it(manager: Small, source: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"plot.py, line 2: it repeats itself with a parameter that .*: {said}"):
        await asked(manager, source, "{}")


@pytest.mark.req("r174")
@pytest.mark.parametrize(
    "source",
    [
        "def task(lr=1):\n    repeat(over={'lr': [1]})",
        "def task(**more):\n    repeat(over={'lr': [1]})",
        "def task():\n    repeat(over=dict(lr=[1]))",
    ],
)
async def test_a_script_may_repeat_itself_with_what_it_takes_or_may_take(manager: Small, source: str) -> None:
    assert await asked(manager, source, "{}")


@pytest.mark.req("r178")
@pytest.mark.parametrize(
    "source",
    [
        "def task(bons): ...",
        "def task(**more): ...",
        "def task(): return me.parameters['bons']",
        "def task(): return [me.parameters[name] for name in ('bons',)]",
        "def task(): return dict(me.parameters)",
        "def read(one): return one.parameters\ndef task(): return read(me)",
        "def task(): return eval('me.parameters')",
        "impose(bons)\ndef task(): ...",
        "def task():\n    if 1:\n        impose(bons as float)",
        "from code_of_mine import task",
    ],
)
async def test_one_that_it_uses_or_may_use_is_taken(manager: Small, source: str) -> None:
    assert await asked(manager, source, '{"bons": 3}')
