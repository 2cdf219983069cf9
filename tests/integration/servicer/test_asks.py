"""What is asked of a servicer at the wrong time, twice, or wrongly; and a stager that is not there. Real shims."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import stamina

from plotter2.client import upload
from plotter2.errors import LimitError, PackageError, UnreachableError, UsageError
from plotter2.ids import ServiceId
from plotter2.layout import Layout
from plotter2.model.service import ServiceSpec, ServiceState
from servicer import process, runner
from servicer.folder import Folder
from servicer.rpc import ServicerRpc
from tests.servicerkit import (
    FakeManager,
    FakePush,
    calling,
    manager_serving,
    servicer_inside,
    servicer_process,
    until,
)
from tests.stagerkit import FakeManager as StagersManager
from tests.stagerkit import home_at, send, serving, stager_process
from tests.unit.servicer.kit import ONE, spec_of, tree


@pytest.fixture
def began(tmp_path: Path) -> Path:
    """Where each start of a program is written down, out of reach of whoever clears its folder."""
    return tmp_path / "began"


def spec(layout: Layout, began: Path, then: str = "") -> ServiceSpec:
    program = f"with open({str(began)!r}, 'a') as file:\n    file.write('x')\n{then}\n"
    return spec_of(layout, {"code_sources/train.py": program.encode()}, {"command": ["{python}", "-S", "train.py"]})


def starts(began: Path) -> int:
    return len(began.read_text()) if began.exists() else 0


@pytest.mark.req("r074")
@pytest.mark.parametrize("service_id", ["../../x", "", "a/b"])
async def test_a_name_that_leads_out_is_refused_and_nothing_is_written(
    layout: Layout, manager: FakeManager, began: Path, service_id: str
) -> None:
    wanted = replace(spec(layout, began), service_id=ServiceId(service_id))
    async with manager_serving(manager) as address, servicer_inside(layout, address) as servicer:
        before = set(tree(layout.home.parent))
        with pytest.raises(UsageError, match="is not the name of a service run"):
            await servicer.start(wanted)
        with pytest.raises(UsageError, match="is not the name of a service run"):
            await servicer.stop(wanted.service_id)
        assert await servicer.list() == []
        assert {name for name in tree(layout.home.parent) if not name.startswith("home/log")} <= before
    assert (starts(began), manager.reports) == (0, [])


async def test_a_declaration_that_cannot_be_is_refused_and_nothing_is_written(
    layout: Layout, manager: FakeManager, began: Path
) -> None:
    wanted = replace(spec(layout, began), service_json='{"command": ["a\\u0000b"]}')
    async with manager_serving(manager) as address, servicer_inside(layout, address) as servicer:
        with pytest.raises(PackageError, match=r"'service\.command\[0\]' has a NUL byte"):
            await servicer.start(wanted)
        assert await servicer.list() == []
        assert not Folder(layout, ONE).root.exists()


@pytest.mark.req("r198")
async def test_a_run_that_was_done_and_cleared_is_not_begun_again_but_told_again(
    layout: Layout, manager: FakeManager, push: FakePush, began: Path
) -> None:
    wanted = spec(layout, began)
    async with manager_serving(manager) as address, servicer_inside(layout, address) as servicer:
        await servicer.start(wanted)
        end = await manager.ended(ONE)
        await until(lambda: not Folder(layout, ONE).root.exists())
        manager.reports.clear()
        assert await servicer.start(wanted) == end
        assert await manager.ended(ONE) == end
        await servicer.stop(ONE)
        assert await servicer.list() == []
    assert (starts(began), len(push.calls), end.state) == (1, 1, ServiceState.DONE)


@pytest.mark.req("r198")
async def test_what_has_ended_is_remembered_when_the_servicer_is_killed(
    layout: Layout, manager: FakeManager, began: Path
) -> None:
    wanted = spec(layout, began, "raise SystemExit(3)")
    async with manager_serving(manager) as address:
        with servicer_process(layout, address, failed_kept_max="0") as servicer:
            async with calling(servicer.address) as calls:
                await calls.start(wanted)
            await until(lambda: starts(began) == 1 and not Folder(layout, ONE).root.exists())
            servicer.kill()
        with servicer_process(layout, address) as servicer:
            async with calling(servicer.address) as calls:
                status = await calls.start(wanted)
    assert (status.state, status.exit_status, starts(began)) == (ServiceState.FAILED, 3, 1)


@pytest.mark.req("r073", "r198")
async def test_a_stop_that_comes_before_its_start_outlives_the_servicer(
    layout: Layout, manager: FakeManager, began: Path
) -> None:
    async with manager_serving(manager) as address:
        with servicer_process(layout, address) as servicer:
            async with calling(servicer.address) as calls:
                await calls.stop(ONE)
            servicer.kill()
        with servicer_process(layout, address) as servicer:
            async with calling(servicer.address) as calls:
                assert (await calls.start(spec(layout, began))).state is ServiceState.STOPPED
                assert await calls.list() == []
            assert (await manager.ended(ONE)).state is ServiceState.STOPPED
    assert starts(began) == 0


def blocked(monkeypatch: pytest.MonkeyPatch, where: object, name: str) -> tuple[threading.Event, threading.Event]:
    """Have a function wait when it is called; two events: it was called, it may go on."""
    called, may_go = threading.Event(), threading.Event()
    real: Callable[..., Any] = getattr(where, name)

    def wait(*given: Any) -> Any:
        called.set()
        assert may_go.wait(20)
        return real(*given)

    monkeypatch.setattr(where, name, wait)
    return called, may_go


@pytest.mark.req("r073")
@pytest.mark.parametrize(("where", "name"), [(Folder, "copy_code"), (process, "start")])
async def test_a_stop_while_a_run_is_prepared_keeps_its_program_from_ever_starting(
    layout: Layout,
    manager: FakeManager,
    began: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: object,
    name: str,
) -> None:
    called, may_go = blocked(monkeypatch, where, name)
    monkeypatch.setattr(process, "end", lambda _: None)  # a signal may come too late: it must not be what counts
    async with manager_serving(manager) as address, servicer_inside(layout, address) as servicer:
        await servicer.start(spec(layout, began))
        await until(called.is_set)
        await servicer.stop(ONE)
        assert (await manager.ended(ONE)).state is ServiceState.STOPPED
        may_go.set()
        await until(lambda: not any(one.get_name() == f"launch {ONE}" for one in asyncio.all_tasks()))
        await until(lambda: process.find(Folder(layout, ONE).root) is None)
    assert manager.states(ONE) == [ServiceState.STOPPED]
    assert starts(began) == 0


@pytest.mark.req("r198")
async def test_what_cannot_be_written_down_is_not_taken_on_and_can_be_asked_again(
    layout: Layout, manager: FakeManager, push: FakePush, began: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with manager_serving(manager) as address, servicer_inside(layout, address) as servicer:
        with monkeypatch.context() as full:
            full.setattr(Folder, "create", no_room)
            with pytest.raises(LimitError, match=r"cannot write below .*: No space left on device"):
                await servicer.start(spec(layout, began))
            assert await servicer.list() == []
        await servicer.start(spec(layout, began))
        assert (await manager.ended(ONE)).state is ServiceState.DONE
    assert (starts(began), len(push.calls)) == (1, 1)


@pytest.mark.req("r198")
async def test_what_was_taken_on_is_begun_also_where_the_caller_leaves_before_the_answer(
    layout: Layout, manager: FakeManager, push: FakePush, began: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called, may_go = blocked(monkeypatch, Folder, "create")
    left, real = asyncio.Event(), ServicerRpc.StartServices

    async def leaving(*given: Any) -> Any:
        try:
            return await real(*given)
        finally:
            left.set()

    monkeypatch.setattr(ServicerRpc, "StartServices", leaving)
    async with manager_serving(manager) as address, servicer_inside(layout, address) as servicer:
        asking = asyncio.ensure_future(servicer.start(spec(layout, began)))
        await until(called.is_set)
        asking.cancel()
        await left.wait()
        may_go.set()
        assert (await manager.ended(ONE)).state is ServiceState.DONE
    assert (starts(began), len(push.calls)) == (1, 1)


async def test_a_run_whose_folder_somebody_removed_harms_nobody(
    layout: Layout, manager: FakeManager, began: Path
) -> None:
    async with manager_serving(manager) as address, servicer_inside(layout, address) as servicer:
        nap = "import pathlib, time; pathlib.Path('ready').touch(); time.sleep(60)"
        await servicer.start(spec(layout, began, nap))
        await until((Folder(layout, ONE).work / "code_sources" / "ready").exists)
        programs = process.find(Folder(layout, ONE).root)
        assert programs is not None
        shutil.rmtree(Folder(layout, ONE).root)
        for one in [*programs.children(recursive=True), programs]:
            one.kill()
        assert (await manager.ended(ONE)).state is ServiceState.FAILED
        await until(lambda: not any(one.get_name() == f"acknowledge {ONE}" for one in asyncio.all_tasks()))
        assert await servicer.list() == []


@pytest.mark.req("r014", "r198")
async def test_output_waits_for_a_stager_that_is_full_or_away(
    layout: Layout, manager: FakeManager, push: FakePush, began: Path
) -> None:
    full, away = LimitError("The stager's disk is full."), UnreachableError("Nobody answers.")
    push.refusals.extend([full, away, full, full])
    async with manager_serving(manager) as address, servicer_inside(layout, address) as servicer:
        with stamina.set_testing(True, attempts=100):  # without the pauses
            await servicer.start(spec(layout, began))
            end = await manager.ended(ONE)
    assert (end.state, end.error, len(push.calls)) == (ServiceState.DONE, "", 5)
    assert len({call["delivery_id"] for call in push.calls}) == 1


@pytest.mark.req("r014")
async def test_output_that_waits_is_in_no_other_outputs_way(
    layout: Layout, manager: FakeManager, push: FakePush, began: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [
        replace(spec(layout, began), service_id=ServiceId(f"{ONE[:-1]}{number}"))
        for number in range(runner.HARVESTS_AT_A_TIME + 1)
    ]
    small = wanted[-1].service_id
    full: set[str] = set()

    async def has_room_for_one(path: Path, bundle: str, **more: Any) -> None:
        if more["service_id"] != small and not push.calls:
            full.add(more["service_id"])
            raise LimitError("There is room for a small delivery only.")
        await push(path, bundle, **more)

    monkeypatch.setattr(runner, "push", has_room_for_one)
    async with manager_serving(manager) as address, servicer_inside(layout, address) as servicer:
        for one in wanted[:-1]:
            await servicer.start(one)
        await until(lambda: len(full) == len(wanted) - 1)
        await servicer.start(wanted[-1])
        for one in wanted:
            assert (await manager.ended(one.service_id)).state is ServiceState.DONE
    assert push.calls[0]["service_id"] == small


@pytest.mark.req("r014", "r198")
async def test_a_real_stager_that_is_full_then_away_then_roomy_gets_the_output_once(
    tmp_path: Path, manager: FakeManager, began: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout, stagers = home_at(tmp_path / "home"), StagersManager()
    said: list[type[Exception]] = []

    async def listening(*given: Any, **more: Any) -> None:
        try:
            await upload.push(*given, **more)
        except Exception as wrong:
            said.append(type(wrong))
            raise

    monkeypatch.setattr(runner, "push", listening)
    wanted = spec(layout, began, "open('big', 'wb').write(bytes(300_000))")
    async with manager_serving(manager) as address, serving(stagers) as stagers_address:
        stagers.gate.clear()  # what comes first stays at the stager, and takes the room
        other = tmp_path / "other"
        other.write_bytes(bytes(200_000))
        with stager_process(layout, stagers_address, quota_bytes="400000") as small:
            await send(other, "other", small.address, wait=False)
            async with servicer_inside(layout, address, stager_address=small.address) as servicer:
                await servicer.start(wanted)
                await until(lambda: LimitError in said)
                small.kill()
                await until(lambda: UnreachableError in said)
                port = small.address.rpartition(":")[2]
                stagers.gate.set()
                with stager_process(layout, stagers_address, grpc_port=port):
                    assert (await manager.ended(ONE)).state is ServiceState.DONE
    assert set(said) == {LimitError, UnreachableError}
    assert (len(stagers.installed), starts(began)) == (2, 1)
    assert stagers.contents("digits/lr=0.1")["big"] == bytes(300_000)
