"""Structs that many threads use for the first time at once."""

from __future__ import annotations

import subprocess
import sys

TOGETHER = """
import sys, threading
from typing import Optional
import msgspec
from plotter2 import structs

sys.setswitchinterval(1e-6)

def made():
    class Inner(msgspec.Struct):
        x: int = 0
        z: list[int] = []
    class Middle(msgspec.Struct):
        a: Inner
        b: list[Inner] = []
        c: dict[str, Inner] = {}
    class Outer(msgspec.Struct):
        b: Middle
        bb: list[Middle] = []
        e: Optional[int] = None
    return Outer

def use(outer, barrier):
    barrier.wait()
    msgspec.json.decode(b'{"b": {"a": {"x": 1}, "b": [{"x": 2}]}, "e": 4}', type=outer)

for _ in range(60):
    outer, barrier = made(), threading.Barrier(8)
    structs.prepare()
    threads = [threading.Thread(target=use, args=(outer, barrier)) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
"""


def test_many_threads_that_use_a_struct_first_do_not_crash() -> None:
    done = subprocess.run([sys.executable, "-c", TOGETHER], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
