"""Values on disk for other processes: one file each, what wraps the numbers first, then the numbers.

A file is put in its place when it is whole; what a crash leaves before that is never read. Nothing is pickled, and
nothing is copied: who takes a value maps it read-only.

Layout: 8 bytes with the length of what follows, little-endian; that as MessagePack (`Sealed`); then each array as it
lies in memory, from the next multiple of 64 bytes on.
"""

from __future__ import annotations

import fcntl
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from io import FileIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from plotter2.datter.context import Datum
from plotter2.datter.values import spill
from plotter2.datter.values.points import Clusters, Labels, Points, Projection

KINDS: dict[str, type] = {one.__name__: one for one in (Points, Projection, Clusters, Labels)}
ARRAY, TUPLE, PLAIN, NAMED = "array", "tuple", "plain", "named"
ENDING = ".value"
LOCKS = ".locks"
COUNT = ".bytes"
"""How many bytes are sealed, at most: a look at all of them for each new one would take longer than to write it."""
SPARE = 8
"""When room is made, such a part of the limit more is made than is needed at once."""
LENGTH_BYTES = 8
ALIGNED_BYTES = 64
"""Where an array begins is a multiple of it, as in .npy files: of any number, and of a line of a processor's cache."""
BYTES_MAX = 1 << 30
"""Of all sealed values together; the oldest go first."""
LOCK_BITS = 62
"""Of a place in the file of locks; two keys that share one wait for each other, and nothing else."""


class Lying(msgspec.Struct, frozen=True, array_like=True):
    """How an array lies in a file.

    Attributes:
        descr: its dtype, as numpy's own files say it.
        shape: its lengths.
        is_fortran: whether the first index changes fastest.
        offset: where it begins behind all descriptions, in bytes.
    """

    descr: Any
    shape: tuple[int, ...]
    is_fortran: bool
    offset: int


class Sealed(msgspec.Struct, frozen=True, array_like=True):
    """What stands beside the arrays of a value.

    Attributes:
        shape: of it, with numbers of arrays where arrays are.
        arrays: how each array lies in the file.
        about: what the run that made it knew of it.
        reads: which files were read for it: bundle, version, path, and where it lay; `called`: those of other bundles.
        lines: what was printed on the way.
    """

    shape: Any
    about: Datum
    reads: list[tuple[str, int, str, str]]
    called: list[tuple[str, int, str, str]]
    lines: list[str]
    arrays: list[Lying] = []


def bytes_of(value: Any) -> int | None:
    """How much memory a value takes, mapped files not counted; None for one that is not kept."""
    if isinstance(value, np.ndarray):
        return None if value.dtype.hasobject else 0 if spill.file_of(value) else value.nbytes
    if type(value) in KINDS.values():
        sizes = [bytes_of(getattr(value, one.name)) for one in fields(value)]
        return sum(size for size in sizes if size is not None)
    return 0 if isinstance(value, np.generic | int | float) else None


def still(value: Any) -> None:
    """From now on nobody writes into the arrays of a value: others hold it too, or will."""
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    elif type(value) in KINDS.values():
        for one in fields(value):
            still(getattr(value, one.name))


def taken_apart(value: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    """What a value is made of, with its arrays apart.

    Raises:
        TypeError: it has parts that are never sealed.
    """
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        arrays.append(value)
        return ARRAY, len(arrays) - 1
    if type(value) in KINDS.values():
        parts = {one.name: taken_apart(getattr(value, one.name), arrays) for one in fields(value)}
        return NAMED, type(value).__name__, parts
    if isinstance(value, tuple):
        return TUPLE, [taken_apart(one, arrays) for one in value]
    if value is None or type(value) in {str, int, float, bool}:
        return PLAIN, value
    raise TypeError(f"{type(value).__name__} is not sealed")


def put_together(shape: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    """The value that was taken apart."""
    match shape:
        case [kind, place] if kind == ARRAY:
            return arrays[place]
        case [kind, parts] if kind == TUPLE:
            return tuple(put_together(one, arrays) for one in parts)
        case [kind, name, parts] if kind == NAMED:
            return KINDS[name](**{part: put_together(one, arrays) for part, one in parts.items()})
        case _:
            return shape[1]


def write(folder: Path, key: str, value: Any, sealed: Sealed) -> None:
    """Seal a value under a key, if there is room for it. Whoever has the key's lock does this, and nobody else."""
    arrays: list[np.ndarray[Any, Any]] = []
    try:
        shape = taken_apart(value, arrays)
    except TypeError:
        return
    lying, end = _laid_out(arrays)
    about = msgspec.msgpack.encode(msgspec.structs.replace(sealed, shape=shape, arrays=lying))
    start = _aligned(LENGTH_BYTES + len(about))
    if start + end > BYTES_MAX:
        return
    with suppress(OSError):  # a full disk costs the others some work, and the run nothing
        _make_room(folder, start + end)
        scratch = folder / f".{key}"
        with scratch.open("wb", buffering=0) as file:
            file.write(len(about).to_bytes(LENGTH_BYTES, "little") + about)
            for one, array in zip(lying, arrays, strict=True):
                file.seek(start + one.offset)
                _write_whole(file, array)
            file.truncate(start + end)
        scratch.replace(folder / f"{key}{ENDING}")  # never written into: somebody may have mapped it


def read(folder: Path, key: str) -> tuple[Any, Sealed] | None:
    """A value that was sealed under a key; None for none, or one that is being thrown away."""
    try:
        whole = np.memmap(folder / f"{key}{ENDING}", np.uint8, "r")
        length = int.from_bytes(whole[:LENGTH_BYTES].tobytes(), "little")
        found = msgspec.msgpack.decode(whole[LENGTH_BYTES : LENGTH_BYTES + length].tobytes(), type=Sealed)
        rest = whole[_aligned(LENGTH_BYTES + length) :]
        return put_together(found.shape, [_array(one, rest) for one in found.arrays]), found
    except (OSError, ValueError, msgspec.MsgspecError):
        return None


def _laid_out(arrays: list[np.ndarray[Any, Any]]) -> tuple[list[Lying], int]:
    """How each array will lie in the file, and where they end."""
    lying, end = [], 0
    for array in arrays:
        is_fortran = array.flags.f_contiguous and not array.flags.c_contiguous
        lying.append(Lying(np.lib.format.dtype_to_descr(array.dtype), array.shape, is_fortran, end))
        end = _aligned(end + array.nbytes)
    return lying, end


def _aligned(place: int) -> int:
    return -(-place // ALIGNED_BYTES) * ALIGNED_BYTES


def _write_whole(file: FileIO, array: np.ndarray[Any, Any]) -> None:
    """The bytes of an array as they lie in memory; of one with gaps, as they would."""
    left = np.ravel(array, order="K" if array.flags.forc else "C").view(np.uint8).data
    while left.nbytes:
        left = left[file.write(left) :]


def _array(one: Lying, rest: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An array where it lies."""
    kind = np.lib.format.descr_to_dtype(one.descr)
    flat = rest[one.offset : one.offset + math.prod(one.shape) * kind.itemsize].view(kind)
    return flat.reshape(one.shape, order="F" if one.is_fortran else "C")


def _make_room(folder: Path, size: int) -> None:
    """Count what is about to be sealed; where it is too much, throw away the oldest values.

    All processes of this machine share the count. It grows before anything is written, so a crash makes it too large,
    and too large, it is counted anew. What others write in that very moment is not seen then: the spare part is for it.
    """
    with (folder / COUNT).open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        known = file.read()
        if not known or int(known) + size > BYTES_MAX:
            known = b"%d" % _swept(folder, BYTES_MAX - size - BYTES_MAX // SPARE)
        file.truncate(0)
        file.write(b"%d" % (int(known) + size))


def _swept(folder: Path, limit: int) -> int:
    """Throw away the oldest values until the rest is small enough; who has mapped one keeps it. How much is left."""
    found = [(one.name, one.stat()) for one in folder.iterdir() if one.name not in {LOCKS, COUNT}]
    left = sum(stat.st_size for _, stat in found)
    for name, stat in sorted(found, key=lambda one: (one[1].st_mtime_ns, one[0])):
        if left <= limit:
            break
        (folder / name).unlink(missing_ok=True)
        left -= stat.st_size
    return left


@contextmanager
def locked(folder: Path, key: str) -> Iterator[None]:
    """Have the key to oneself, among all processes of this machine; given back also by whoever dies."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / LOCKS, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    place = int(key[:16], 16) & ((1 << LOCK_BITS) - 1)
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX, 1, place)
        yield
    finally:
        os.close(handle)
