"""A whole plotter2 is kept alive, and ends without a trace of its processes."""

from __future__ import annotations

import json
import re
import signal
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

import plotter2 as plotter2_client
from plotter2.clock import Instant, from_rfc3339
from plotter2.lifecycle import DISK_THREADS_MAX
from plotter2.model import manifest
from tests.system.installation import START_S_MAX, Installation, fetch, is_gone, until

pytestmark = pytest.mark.timeout(300)
HELD = 3
DATA = bytes(range(256)) * 100


@pytest.fixture(scope="module")
def plotter2() -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="p2-", ignore_cleanup_errors=True) as folder:
        made = Installation(Path(folder) / "home")
        try:
            made.start()
            yield made
        finally:
            made.end()


@pytest.mark.req("r070", "r077", "r078", "r079")
def test_everybody_is_in_the_list_with_pid_and_start(plotter2: Installation) -> None:
    found = plotter2.processes()
    assert set(found) == {
        "watchdog-main", "watchdog-buffer", "watchdog-services", "broker", "database", "manager", "stager", "servicer",
        "worker-1",
    }  # fmt: skip
    for one in found.values():
        assert one["address"]
        assert abs(from_rfc3339(one["started_at"]) - psutil.Process(one["pid"]).create_time()) < 10


@pytest.mark.req("r077")
@pytest.mark.parametrize("name", ["manager", "stager", "servicer", "worker-1", "watchdog-main"])
def test_every_daemon_can_be_asked_how_it_is(plotter2: Installation, name: str) -> None:
    addresses = plotter2.processes()[name]["addresses"]
    probe = addresses.get("http") or addresses["probe"]
    assert fetch(f"http://{probe}/health")[0] == 200
    assert fetch(f"http://{probe}/ready")[0] == 200
    status, body = fetch(f"http://{probe}/metrics")
    assert status == 200
    assert b"process_resident_memory_bytes" in body


THREADS = 4 + DISK_THREADS_MAX
"""The main thread, gRPC's, and what a daemon has of its own (two that hash, a journal), beside those for the disk."""
CALLS = 500


def threads(plotter2: Installation) -> dict[str, int]:
    """Threads of Python in each daemon, and of any kind in each interpreter of a worker."""
    found: dict[str, int] = {}
    for name, one in plotter2.processes().items():
        probe = one["addresses"].get("http") or one["addresses"].get("probe")
        said = (
            re.search(rb"^plotter2_threads (\S+)$", fetch(f"http://{probe}/metrics")[1], re.MULTILINE)
            if probe
            else None
        )
        found |= {name: int(float(said[1]))} if said else {}
        if one["role"] == "worker":
            below = psutil.Process(one["pid"]).children(recursive=True)
            found |= {f"child {child.pid}": child.num_threads() for child in below}
    return found


@pytest.mark.req("r091", "r092")
def test_under_load_nobody_gets_more_threads(plotter2: Installation, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")

    def push(place: int) -> None:
        with plotter2_client.connect(home=plotter2.home) as p2:
            for number in range(5):
                p2.push(tmp_path, f"load/{place}/{number}")

    def call(_: int) -> int:
        with plotter2_client.connect(home=plotter2.home) as p2:
            return sum(1 for _ in p2.map("def task(x):\n    return x\n", [{"x": x} for x in range(CALLS)]))

    seen: list[dict[str, int]] = []
    with ThreadPoolExecutor(6) as people:
        asked = [people.submit(push, place) for place in range(4)] + [people.submit(call, place) for place in range(2)]
        while not all(one.done() for one in asked):
            seen.append(threads(plotter2))
    assert [one.result() for one in asked] == [None] * 4 + [CALLS] * 2
    most = {name: max(one.get(name, 0) for one in seen) for name in seen[-1]}
    assert {"manager", "stager", "servicer", "worker-1", "watchdog-main"} <= most.keys()
    children = {name: count for name, count in most.items() if name.startswith("child")}
    assert sorted(children.values()) == [1, 2], "the server that forks, and one interpreter"
    assert {name: count for name, count in most.items() if count > THREADS} == {}


@pytest.mark.req("r077", "r078", "r079", "r080", "r071")
@pytest.mark.parametrize(
    "name", ["worker-1", "stager", "servicer", "broker", "database", "manager", "watchdog-services", "watchdog-buffer"]
)
def test_who_is_killed_comes_back_where_it_was(plotter2: Installation, name: str) -> None:
    before = plotter2.processes()
    killed = plotter2.kill(name)
    until(lambda: plotter2.processes()[name]["pid"] != killed)
    until(plotter2.is_well)
    after = plotter2.processes()
    assert is_gone(killed)
    assert after[name]["role"] == before[name]["role"]
    if name in {"manager", "stager", "servicer", "broker", "database"}:
        assert after[name]["address"] == before[name]["address"]


def asked(plotter2: Installation, *words: str, code: int = 0) -> Any:
    done = plotter2.run(*words, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.mark.req("r063", "r198")
def test_a_held_delivery_survives_manager_and_stager_and_is_released_after(
    plotter2: Installation, tmp_path: Path
) -> None:
    held, needed = tmp_path / "held", tmp_path / "needed"
    for folder in (held, needed):
        folder.mkdir()
        (folder / "data.bin").write_bytes(DATA)
    paper = manifest.write("ann", Instant(1_700_000_000), {}, {"conditions": [{"bundle": "data/x", "version": 1}]})
    (held / "manifest.json").write_text(paper)
    told = asked(plotter2, "push", str(held), "lab/new", "--key", "night", code=HELD)
    assert "data/x" in told["held"]
    killed = {plotter2.kill(name) for name in ("manager", "stager")}
    until(
        lambda: (
            plotter2.is_well("manager", "stager") and not killed & {one["pid"] for one in plotter2.processes().values()}
        ),
        START_S_MAX,
    )
    again = asked(plotter2, "push", str(held), "lab/new", "--key", "night", code=HELD)
    assert (again["request"], again["version"]) == (told["request"], 0)
    (item,) = asked(plotter2, "quarantine")["items"]
    assert item["request"] == told["request"]
    assert asked(plotter2, "show", told["request"])["state"] == "queued"
    asked(plotter2, "push", str(needed), "data/x")
    asked(plotter2, "quarantine", "release", item["id"])
    assert asked(plotter2, "show", told["request"])["state"] == "done"
    asked(plotter2, "pull", "lab/new@1", str(tmp_path / "back"))
    assert (tmp_path / "back" / "data.bin").read_bytes() == DATA


PRINTERS, SLOW = 40, 3
"""How many print, and which of them long enough that it is told meanwhile; of the others all lines go with the end."""
PRINTING = f"""
import time
def task(run):
    for line in range(5):
        print(run, line)
        time.sleep(0.3 if run == {SLOW} else 0.005)
"""


def printed(plotter2: Installation) -> dict[str, list[str]]:
    """What runs have printed, as the manager's log has it."""
    found: dict[str, list[str]] = defaultdict(list)
    for text in (plotter2.home / "log" / "manager.jsonl").read_text().splitlines():
        if '"task.said"' in text:
            told = json.loads(text)
            found[told["run"]] += told["lines"]
    return found


@pytest.mark.req("r077", "r130")
def test_no_line_is_lost_or_told_twice_when_the_manager_is_killed_while_runs_print(plotter2: Installation) -> None:
    with plotter2_client.connect(home=plotter2.home) as p2:
        asked = [p2.run("loud", source=PRINTING, parameters={"run": run}, wait=False).id for run in range(PRINTERS)]
        runs = [f"{request}.0" for request in asked]
        until(lambda: runs[SLOW] in printed(plotter2))
        plotter2.kill("manager")
        assert all(p2.wait(request).ok for request in asked)
    found = printed(plotter2)
    assert [found[run] for run in runs] == [[f"{run} {line}" for line in range(5)] for run in range(PRINTERS)]


@pytest.mark.req("r070")
def test_watchdog_main_is_kept_as_well_and_replaces_its_wards(plotter2: Installation) -> None:
    before = plotter2.processes()
    killed = plotter2.kill("watchdog-main")
    until(lambda: plotter2.processes().get("watchdog-main", {}).get("pid", killed) != killed)
    until(lambda: len(plotter2.processes()) == len(before) and plotter2.is_well(), START_S_MAX)
    after = plotter2.processes()
    assert all(is_gone(one["pid"]) for one in before.values())
    assert after["manager"]["address"] == before["manager"]["address"]


def test_a_second_one_on_the_same_home_says_who_holds_it(plotter2: Installation) -> None:
    until(plotter2.is_well)
    before = plotter2.processes()
    done = plotter2.run("up", "--ports", "auto")
    assert done.returncode == 3
    assert f"held by process {before['watchdog-main']['pid']} since 20" in done.stderr
    assert "plotter2 down" in done.stderr
    assert plotter2.processes() == before
    assert plotter2.is_well()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_within_ten_seconds_and_leaves_nobody_and_goes_on_where_it_was(
    plotter2: Installation, number: signal.Signals
) -> None:
    began = time.monotonic()  # noqa: TID251 -- what is measured
    assert plotter2.stop(number) == 0, plotter2.said()
    assert time.monotonic() - began < 10  # noqa: TID251 -- what is measured
    assert plotter2.pids() == []
    assert not (plotter2.home / "log" / "up.lock").exists()
    assert plotter2.run("status").returncode == 4
    installation = (plotter2.home / "registry" / "installation").read_bytes()
    plotter2.start()
    assert (plotter2.home / "registry" / "installation").read_bytes() == installation


@pytest.mark.req("r070")
def test_all_goes_on_when_the_command_itself_is_killed_and_down_ends_it(plotter2: Installation) -> None:
    before = plotter2.processes()
    assert plotter2.process is not None
    plotter2.process.kill()
    plotter2.process.wait()
    assert plotter2.is_well()
    assert plotter2.processes() == before
    assert plotter2.run("down").returncode == 0
    assert plotter2.pids() == []


def test_down_when_nothing_runs_says_so(plotter2: Installation) -> None:
    done = plotter2.run("down")
    assert done.returncode == 4
    assert "not running" in done.stderr
