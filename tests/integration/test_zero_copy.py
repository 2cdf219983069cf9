"""A matrix far larger than what a child may hold is read by two children at once, and lies in memory once."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from plotter2.model.task import RunState
from tests.integration.worker_kit import REAL_ENGINE, Policy, rig

BYTES = 2 << 30
GROWTH_BYTES_MAX = 200 << 20
DIGEST = bytes(range(32))
SCRIPT = """
import os, pathlib, tempfile, time

def held():
    # memory of this process that is no page of a file: what the page cache does not explain
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith(("RssAnon", "RssShmem")))

def task(meeting):
    before = held()
    matrix = access("big")
    total = float(matrix.ravel()[::8192].sum())  # a number of each 64 KiB
    place = pathlib.Path(meeting)
    (place / str(os.getpid())).touch()
    until = time.monotonic() + 25
    while len(list(place.iterdir())) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    maps = [line.split() for line in pathlib.Path("/proc/self/maps").read_text().splitlines()]
    size = matrix.nbytes
    files = {words[4] for words in maps if int(words[0].split("-")[1], 16) - int(words[0].split("-")[0], 16) >= size}
    met = len(list(place.iterdir()))
    return [os.getpid(), total, matrix.nbytes, held() - before, sorted(files), met, tempfile.gettempdir()]
"""


def write_sparse(path: Path) -> None:
    """2 GiB of zeros that take no room on the disk, with 1 at both ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = {"descr": "<f8", "fortran_order": False, "shape": (BYTES // 8192, 1024)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        start = file.tell()
        file.write(np.float64(1).tobytes())
        file.truncate(start + BYTES)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what memory holds is read from Linux's /proc")
@pytest.mark.req("r093", "r087", "r103")
async def test_two_children_share_one_matrix(tmp_path: Path) -> None:
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    async with rig(tmp_path, Policy(children=2, window_runs=4), command=REAL_ENGINE) as worker:
        write_sparse(worker.manager.layout.blob(DIGEST))
        worker.manager.sealed["big"] = {"big.npy": DIGEST}
        await worker.children(2)
        parameters = json.dumps({"meeting": str(meeting)})
        reports = await worker.ends(worker.assign(SCRIPT, times=2, bundle="big", parameters_json=parameters), 60)
    assert [(one.state, one.error) for one in reports] == [(RunState.DONE, "")] * 2
    pids, totals, sizes, growths, files, met, temps = zip(
        *(json.loads(one.results_json) for one in reports), strict=True
    )
    assert len(set(pids)) == 2
    assert met == (2, 2)
    assert totals == (1.0, 1.0)
    assert sizes == (BYTES, BYTES)
    assert files[0] == files[1]
    assert len(files[0]) == 1
    assert set(temps) == {str(worker.manager.layout.runs / ".worker-1-temp")}
    assert sum(growths) < GROWTH_BYTES_MAX
