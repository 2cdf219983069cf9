"""Ways: what a task can call by name, and the links by which that is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from plotter2.api.v1 import manager_pb2
from plotter2.errors import RefusedError
from plotter2.model import types
from plotter2.model.link import Epsilon, Form, Head, Link, Origin
from plotter2.wire.links import mode_from_proto, mode_to_proto

_type = lru_cache(maxsize=4096)(types.parse)


def ways_to_proto(ways: Mapping[str, tuple[Link, ...]]) -> Iterator[manager_pb2.Way]:
    """All ways, in the order of their names and of what is meant first."""
    for name, links in ways.items():
        for link in links:
            yield manager_pb2.Way(
                name=name,
                expected=_end(link.expected),
                given=_end(link.given),
                mode=mode_to_proto(link.mode),
                forward=map(_end, link.epsilon.forward),
                backward=map(_end, link.epsilon.backward),
                origin=link.origin.value,
                is_forced=link.is_forced,
            )


def _end(head: Head) -> manager_pb2.LinkEnd:
    return manager_pb2.LinkEnd(
        bundle=head.bundle,
        name=head.name,
        form=head.form.value,
        place=head.place,
        says_params=head.params is not None,
        params=(manager_pb2.LinkParam(name=name, type=str(kind)) for name, kind in head.params or ()),
        returns=str(head.returns),
    )


def ways_from_proto(messages: Iterable[manager_pb2.Way]) -> dict[str, tuple[Link, ...]]:
    """All ways, by name.

    Raises:
        RefusedError: something that this version does not know.
    """
    found: dict[str, tuple[Link, ...]] = {}
    for message in messages:
        found[message.name] = (*found.get(message.name, ()), _link(message))
    return found


def _link(message: manager_pb2.Way) -> Link:
    try:
        origin = Origin(message.origin)
    except ValueError:
        raise RefusedError(f"{message.origin!r} means nothing to this version of plotter2.") from None
    return Link(
        _head(message.expected),
        _head(message.given),
        mode_from_proto(message.mode),
        Epsilon(tuple(map(_head, message.forward)), tuple(map(_head, message.backward))),
        origin,
        message.is_forced,
    )


def _head(message: manager_pb2.LinkEnd) -> Head:
    try:
        form = Form(message.form)
    except ValueError:
        raise RefusedError(f"{message.form!r} means nothing to this version of plotter2.") from None
    params = tuple((one.name, _type(one.type)) for one in message.params) if message.says_params else None
    return Head(message.bundle, message.name, form, message.place, params, _type(message.returns))
