from __future__ import annotations

import builtins
import gc
import locale
import logging
import math
import os
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from plotter2.child.surroundings import Surroundings, written_into

pytestmark = pytest.mark.req("r089")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _to_tokyo() -> None:
    os.environb[b"TZ"] = b"Asia/Tokyo"
    time.tzset()


CHANGES: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "a new variable of the environment": (lambda: os.environb.update({b"LEFT": b"yes"}),
                                          lambda: os.environb.get(b"LEFT")),
    "another value in the environment": (lambda: os.environb.update({b"PATH": b"/no"}), lambda: os.environb[b"PATH"]),
    "the time zone": (_to_tokyo, lambda: time.timezone),
    "the mode of new files": (lambda: os.umask(0o777), _umask),
    "warnings as errors": (lambda: warnings.simplefilter("error"), lambda: list(warnings.filters)),
    "how warnings are shown": (lambda: setattr(warnings, "showwarning", print), lambda: warnings.showwarning),
    "a handler of logging": (lambda: logging.getLogger().addHandler(logging.NullHandler()),
                             lambda: list(logging.getLogger().handlers)),
    "the level of logging": (lambda: logging.getLogger().setLevel(5), lambda: logging.getLogger().level),
    "logging as a whole": (lambda: logging.disable(50), lambda: logging.getLogger().manager.disable),
    "the collector": (gc.disable, gc.isenabled),
    "the depth of recursion": (lambda: sys.setrecursionlimit(5_000), sys.getrecursionlimit),
    "how numbers are spelled": (lambda: locale.setlocale(locale.LC_ALL, "C"), lambda: locale.setlocale(locale.LC_ALL)),
    "a word of Python": (lambda: setattr(builtins, "len", lambda _: 7), lambda: len([])),
    "a word that Python does not have": (lambda: setattr(builtins, "left", 3), lambda: hasattr(builtins, "left")),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_script_changes_around_it_is_put_back_and_an_instance_finds_it_again(name: str) -> None:
    change, read = CHANGES[name]
    before = read()
    surroundings = Surroundings()
    change()
    changed = read()
    kept = surroundings.put_right()
    assert read() == before
    surroundings.again(kept)
    assert read() == changed
    surroundings.put_right()
    assert read() == before
    assert surroundings.put_right() == []


def test_a_value_that_cannot_be_compared_is_put_back_too() -> None:
    surroundings = Surroundings()
    before = builtins.len
    setattr(builtins, "len", np.zeros(3))  # noqa: B010 -- what a script does
    surroundings.put_right()
    assert builtins.len is before


def test_what_a_script_writes_into_a_library_is_put_back() -> None:
    source = "import numpy as np\nimport math\ndef task():\n    np.mean = None\n    del math.tau\n    math.new = 3\n"
    surroundings = Surroundings()
    surroundings.watch(source)
    mean, tau = np.mean, math.tau
    exec(source + "task()", {})  # noqa: S102 -- what a script does
    assert np.mean is None
    kept = surroundings.put_right()
    assert (np.mean, math.tau, hasattr(math, "new")) == (mean, tau, False)
    surroundings.again(kept)
    assert (np.mean, hasattr(math, "tau"), hasattr(math, "new")) == (None, False, True)
    surroundings.put_right()


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("import numpy as np\ndef task():\n    np.mean = 3\n", {"numpy"}),
        ("def task():\n    import numpy\n    numpy.linalg.norm = 3\n", {"numpy.linalg"}),
        ("from numpy import linalg as la\ndef task():\n    la.norm += 1\n", {"numpy.linalg"}),
        ("import json\nimport math\ndef task():\n    setattr(json, 'dumps', 3)\n    del math.pi\n", {"json", "math"}),
        ("impose(k as datter.keytype(m))\nimport math\ndef task():\n    math.pi = 3\n", {"math"}),
        ("class A: pass\ndef task():\n    a = A()\n    a.x = 1\n    a.x += 1\n", set()),
        ("import math\ndef task():\n    return math.pi\n", set()),
        ("this is no Python", set()),
    ],
)
def test_the_libraries_that_a_script_writes_into_are_found_in_its_text(source: str, modules: set[str]) -> None:
    assert written_into(source) == modules


def test_a_clock_that_would_ring_in_another_run_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[int] = []
    monkeypatch.setattr("plotter2.child.surroundings.signal.alarm", rung.append)
    Surroundings().put_right()
    assert rung == [0]


def test_a_process_that_has_stepped_back_is_beyond_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    surroundings = Surroundings()
    assert not surroundings.is_beyond_repair
    monkeypatch.setattr("plotter2.child.surroundings.os.getpriority", lambda *_: 19)
    assert surroundings.is_beyond_repair
