"""A fuzzer that knows nothing of the code it runs: random changes to samples that are taken (pure, by a seed)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

GROWTH_MAX = 1 << 16
CHANGES_MAX = 6

Change = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def mutants(seed: int, samples: Sequence[bytes], words: Sequence[bytes]) -> Iterator[bytes]:
    """Changed samples without an end; the samples themselves come first."""
    chance = random.Random(seed)  # noqa: S311 -- data for tests, not secrets
    yield from samples
    while True:
        data = chance.choice(samples)
        for _ in range(chance.randint(1, CHANGES_MAX)):
            data = chance.choice(CHANGES)(chance, data, words)
        yield data[:GROWTH_MAX]


def _flip(chance: random.Random, data: bytes, _words: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def _insert(chance: random.Random, data: bytes, words: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(words) + data[at:]


def _replace(chance: random.Random, data: bytes, words: Sequence[bytes]) -> bytes:
    begin, end = _part(chance, data)
    return data[:begin] + chance.choice(words) + data[end:]


def _cut(chance: random.Random, data: bytes, _words: Sequence[bytes]) -> bytes:
    begin, end = _part(chance, data)
    return data[:begin] + data[end:]


def _repeat(chance: random.Random, data: bytes, _words: Sequence[bytes]) -> bytes:
    begin, end = _part(chance, data)
    return data[:end] + data[begin:end] * chance.choice([1, 1, 2, 40]) + data[end:]


def _number(chance: random.Random, data: bytes, _words: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(data) + 1)
    number = chance.choice([0, 1, 127, 128, 255, 2**15, 2**31 - 1, 2**32 - 1, 2**63 - 1])
    return data[:at] + number.to_bytes(8, chance.choice(["little", "big"])) + data[at + 8 :]


def _part(chance: random.Random, data: bytes) -> tuple[int, int]:
    begin = chance.randrange(len(data) + 1)
    return begin, min(len(data), begin + chance.choice([1, 2, 8, 64]))


CHANGES: tuple[Change, ...] = (_flip, _insert, _replace, _cut, _repeat, _number)
