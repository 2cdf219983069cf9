"""`python -m tests.fuzz [TARGET ...] [--seconds N] [--seed N]`: fuzz until something is found, or time is up.

With atheris, which learns from the code that it runs, where it is installed (`make fuzz`); else with random changes. A
finding ends with its traceback, the bytes that did it, and exit code 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HAS_ATHERIS = importlib.util.find_spec("atheris") is not None
INPUT_BYTES_MAX = 1 << 16
TOO_SLOW_S = 2


def main() -> int:
    """Each target in a process of its own, because atheris ends the one it runs in."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="which (default: all)")
    parser.add_argument("--seconds", type=int, default=30, help="for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        return inside(given.targets[0], given.seconds, given.seed)
    from tests.fuzz.targets import TARGETS  # noqa: PLC0415 -- the process that fuzzes imports it another way

    unknown = set(given.targets) - set(TARGETS)
    if unknown:
        parser.error(f"there is no target {min(unknown)!r}; there are {', '.join(TARGETS)}")
    print(f"fuzz: with {'atheris' if HAS_ATHERIS else 'random changes'}", flush=True)
    codes = []
    for name in given.targets or TARGETS:
        print(f"fuzz: {name}, {given.seconds} s", flush=True)
        line = [sys.executable, "-m", "tests.fuzz", name, "--inside"]
        codes.append(subprocess.call([*line, "--seconds", str(given.seconds), "--seed", str(given.seed)]))
    return int(any(codes))


def inside(name: str, seconds: int, seed: int) -> int:
    """Fuzz one target in this process."""
    return _with_atheris(name, seconds, seed) if HAS_ATHERIS else _at_random(name, seconds, seed)


def _at_random(name: str, seconds: int, seed: int) -> int:
    from tests.fuzz.mutation import mutants  # noqa: PLC0415 -- only this way needs it
    from tests.fuzz.targets import SEEDS, TARGETS, WORDS, tried  # noqa: PLC0415 -- the other way must import them watched

    count = taken = 0
    until = time.perf_counter() + seconds
    for data in mutants(seed, SEEDS[name], WORDS):
        try:
            taken += tried(TARGETS[name], data)
        except BaseException:
            print(f"fuzz: {name} fails on {data!r}", flush=True)
            raise
        count += 1
        if time.perf_counter() > until:
            break
    print(f"fuzz: {name}: {count} inputs, {taken} of them taken, nothing found", flush=True)
    return 0


def _with_atheris(name: str, seconds: int, seed: int) -> int:
    import atheris  # noqa: PLC0415 -- large, and not everywhere

    with atheris.instrument_imports(include=["plotter2.model", "plotter2.client", "stager"]):
        from tests.fuzz.targets import SEEDS, TARGETS, WORDS, tried  # noqa: PLC0415 -- instrumented while imported
    with tempfile.TemporaryDirectory() as folder:
        corpus, words = Path(folder) / "corpus", Path(folder) / "words"
        corpus.mkdir()
        for number, data in enumerate(SEEDS[name]):
            (corpus / str(number)).write_bytes(data)
        escaped = ("".join(f"\\x{byte:02x}" for byte in word) for word in WORDS)
        words.write_text("".join(f'"{word}"\n' for word in escaped))
        options = [f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={INPUT_BYTES_MAX}", f"-dict={words}"]
        options += [
            f"-timeout={TOO_SLOW_S}",
            "-rss_limit_mb=2048",
            "-artifact_prefix=fuzz-",
            "-verbosity=0",
        ]
        atheris.Setup([sys.argv[0], *options, str(corpus)], lambda data: tried(TARGETS[name], data) and None)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
