"""Where values lie that others may read: a reference says it, and gives the value again in another process.

Three kinds of reference, all by content, so that an attempt that is lived through again makes the same ones:
`file:<bundle>@<version>/<path>#<digest>` for what came straight from a file of a bundle (`#<digest>=<type>` where its
type is declared), `json:<text>` for small plain values, `blob:<format>:<digest>` for what is written once beside the
run: arrays as npy and tables as Arrow, which are mapped where they are read, all else as `pack`. Nothing is pickled.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec.msgpack import Ext

from plotter2 import files
from plotter2.datter import loading
from plotter2.datter.context import Context, file_digest
from plotter2.datter.trees.refs import DIGEST, PLAIN
from plotter2.datter.values.group import DataGroup, Member
from plotter2.datter.values.keys import PLAIN as PLAIN_TEXT
from plotter2.datter.values.points import Labels, Points
from plotter2.datter.values.table import Table
from plotter2.errors import CorruptionError, UsageError

JSON_BYTES_MAX = 4096
PACKED_BYTES_MAX = 1 << 30
_COUNT = count()
_ARRAY, _TABLE, _TUPLE, _SET, _GROUP, _COMPLEX, _SCALAR, _WHOLE, _OBJECTS, _POINTS = range(1, 11)


def lay(context: Context, value: Any, folder: Path) -> tuple[str, Path | None]:
    """The reference of a value, and the file that was written for it, which nobody else has; None: none was needed.

    Raises:
        UsageError: it is nothing that can be written down, as an open file or a function.
    """
    text = _as_json(value)
    if text is not None:
        return f"{PLAIN}{text}", None
    found = _file_of(context, value)
    if found:
        return found, None
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / "part"
    written_as = _write(value, scratch)
    digest = files.digest(scratch).hex()
    return f"blob:{written_as}:{digest}", scratch.rename(folder / f"{digest}-{next(_COUNT)}")


def take_up(ref: str, place_of: Callable[[str], Path], name: str) -> Any:
    """The value that a reference leads to.

    Args:
        ref: what `lay` gave.
        place_of: where the content with a digest lies.
        name: what a table is called.

    Raises:
        CorruptionError: it is no reference.
    """
    kind, _, rest = ref.partition(":")
    if kind == "json":
        return msgspec.json.decode(rest)
    found = DIGEST.search(ref)
    if found is None or kind not in {"file", "blob"}:
        raise CorruptionError(f"This leads to no value: {ref[:200]!r}.")
    place = place_of(found[1])
    if kind == "file":
        value = loading.load_file(place, rest[: rest.rindex("#")], found[2] or "")
    elif rest.startswith("pack:"):
        return _unpacked(place.read_bytes())
    else:
        value = loading.load_file(place, f"{name}.{rest.partition(':')[0]}")
    return Table(value.to_arrow(), name=name, notes=value.notes) if isinstance(value, Table) else value


def _as_json(value: Any) -> str | None:
    if not _is_plain(value, 8):
        return None
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= JSON_BYTES_MAX else None


def _is_plain(value: Any, depth: int) -> bool:
    """Whether JSON gives the very same value again; looked at only as far as a small one goes."""
    kind = type(value)
    if kind is float:
        return math.isfinite(value)
    if kind is int:
        return bool(-(1 << 63) <= value < 1 << 64)
    if value is None or kind is bool or kind is str:
        return kind is not str or len(value) <= JSON_BYTES_MAX
    if not depth or kind not in {list, dict} or len(value) > JSON_BYTES_MAX:
        return False
    if kind is dict and not all(type(key) is str for key in value):
        return False
    inner: Iterable[Any] = value.values() if kind is dict else value
    return all(_is_plain(one, depth - 1) for one in inner)


def _file_of(context: Context, value: Any) -> str:
    """The file of a bundle that a value is the content of, unchanged; "" for none."""
    known = context.data.get(id(value))
    is_sealed = isinstance(value, Table) or (isinstance(value, np.ndarray) and not value.flags.writeable)
    if known is None or not known.digest or not is_sealed:
        return ""
    for (bundle, version, path), local in context.reads.items():
        if local.name == known.digest and file_digest(local) == known.digest:
            declared = _declared(context, bundle, version, path)
            if declared is not None:
                return f"file:{bundle}@{version}/{path}#{known.digest}{'=' if declared else ''}{declared}"
    return ""


def _declared(context: Context, bundle: str, version: int, path: str) -> str | None:
    """The declared type of a file, "" for none; None: more is declared of it, or it is not this run's to look at."""
    scope = context.run.scope
    if (scope.bundle, scope.version) != (bundle, version):
        return None
    found = [key for key in context.keys_of(scope).values() if path in key.paths]
    if any(key.columns or key.dialect != PLAIN_TEXT for key in found) or len({key.type for key in found}) > 1:
        return None
    return found[0].type.lower() if found else ""


def _write(value: Any, path: Path) -> str:
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        with path.open("wb") as file:
            np.lib.format.write_array(file, np.asarray(value), allow_pickle=False)
        return "npy"
    if isinstance(value, Table):
        _write_table(value, str(path))
        return "arrow"
    path.write_bytes(_packed(value))
    return "pack"


def _write_table(value: Table, sink: Any) -> None:
    arrow = import_module("pyarrow")
    try:
        table = value.to_arrow()
        with arrow.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    except (arrow.ArrowException, TypeError, ValueError) as wrong:
        raise UsageError(f"The table {value.name!r} cannot be given to others: {str(wrong).splitlines()[0]}") from None


def _packed(value: Any) -> bytes:
    try:
        data = msgspec.msgpack.encode(_plain(value))
    except RecursionError:
        raise UsageError("A value that holds itself cannot be given to others.") from None
    if len(data) > PACKED_BYTES_MAX:
        raise UsageError(
            f"A {type(value).__name__} of {len(data):,} bytes cannot be given to others; the limit is "
            f"{PACKED_BYTES_MAX:,}. Arrays and tables may be larger."
        )
    return data


def _plain(value: Any) -> Any:
    """A value in the words of MessagePack; what it has no word for as an extension."""
    if isinstance(value, np.ndarray | np.generic | Table | DataGroup | Points | Labels):
        return _plain_of_ours(value)
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return _plain_of_one(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {_key(key): _plain(one) for key, one in value.items()}
    return _plain_of_python(value)


def _plain_of_one(value: Any) -> Any:
    """One of Python's plain values; of what is made of one, as the key of a script, that one."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value) if -(1 << 63) <= value < 1 << 63 else _ext(_WHOLE, str(int(value)))
    if isinstance(value, str):
        return str.__str__(value)
    return float(value) if isinstance(value, float) else value


def _plain_of_python(value: Any) -> Ext:
    if isinstance(value, tuple):
        return _ext(_TUPLE, [_plain(one) for one in value])
    if isinstance(value, set | frozenset):
        return _ext(_SET, sorted((_plain(one) for one in value), key=repr))
    if isinstance(value, complex):
        return _ext(_COMPLEX, [value.real, value.imag])
    wanted = "arrays, tables, groups, numbers, texts, and lists, tuples, sets and dictionaries of these"
    named = type(value).__name__
    raise UsageError(f"A {named} cannot be given to others: it cannot be written down. What can: {wanted}.")


def _key(key: Any) -> Any:
    if isinstance(key, str | int | float | bool):
        return _plain_of_one(key)
    raise UsageError(f"A dictionary with keys that are {type(key).__name__} cannot be given to others; use texts.")


def _plain_of_ours(value: Any) -> Ext:
    if isinstance(value, np.generic):
        return _ext(_SCALAR, _npy(np.asarray(value)))
    if isinstance(value, np.ndarray):
        if not value.dtype.hasobject:
            return Ext(_ARRAY, _npy(value))
        return _ext(_OBJECTS, [list(value.shape), [_plain(one) for one in value.ravel().tolist()]])
    if isinstance(value, Table):
        sink = io.BytesIO()
        _write_table(value, sink)
        return _ext(_TABLE, [sink.getvalue(), value.name, list(value.notes), value.label])
    if isinstance(value, DataGroup):
        members = [[one.name, _plain(one.key), one.origin, _plain(one.value)] for one in value.members]
        return _ext(_GROUP, [value.name, value.axis, members])
    fields = [(one, _plain(getattr(value, one))) for one in _POINT_KINDS[_kind_of(value)].__dataclass_fields__]
    return _ext(_POINTS, [_kind_of(value), dict(fields)])


_POINT_KINDS: dict[str, Any] = {"Points": Points, "Labels": Labels}


def _kind_of(value: Any) -> str:
    """What is drawn and worked on as points is given on as points: projections and clusters keep their rows."""
    return "Labels" if isinstance(value, Labels) else "Points"


def _npy(value: Any) -> bytes:
    sink = io.BytesIO()
    np.lib.format.write_array(sink, np.asarray(value), allow_pickle=False)
    return sink.getvalue()


def _ext(code: int, value: Any) -> Ext:
    return Ext(code, value if isinstance(value, bytes) else msgspec.msgpack.encode(value))


def _unpacked(data: bytes) -> Any:
    return msgspec.msgpack.decode(data, ext_hook=_raised)


def _raised(code: int, data: memoryview) -> Any:
    raw = bytes(data)
    if code in {_ARRAY, _SCALAR}:
        array = np.lib.format.read_array(io.BytesIO(raw), allow_pickle=False)
        array.flags.writeable = False
        return array[()] if code == _SCALAR else array
    found = _unpacked(raw)
    if code == _OBJECTS:
        array = np.empty(len(found[1]), dtype=object)
        array[:] = found[1]
        return array.reshape(found[0])
    if code == _TABLE:
        arrow = import_module("pyarrow").ipc.open_file(found[0]).read_all()
        return Table(arrow, name=found[1], notes=found[2], label=found[3])
    if code == _GROUP:
        return DataGroup([_member(*one) for one in found[2]], found[0], found[1])
    if code == _POINTS:
        return _POINT_KINDS[found[0]](**found[1])
    simple: dict[int, Callable[[Any], Any]] = {
        _TUPLE: tuple, _SET: set, _WHOLE: int, _COMPLEX: lambda two: complex(*two),
    }  # fmt: skip
    return simple[code](found)


def _member(name: str, key: Any, origin: str, value: Any) -> Member:
    made = Member.holding(name, key, value)
    made.origin = origin
    return made
