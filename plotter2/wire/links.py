"""Links, operations and verdicts."""

from __future__ import annotations

from collections.abc import Mapping

from plotter2.api.v1 import manager_pb2
from plotter2.errors import RefusedError
from plotter2.model import ask
from plotter2.model.link import Head
from plotter2.model.link import Link as LinkModel
from plotter2.model.membership import Links, Standing, Verdict
from plotter2.model.types import Mode
from plotter2.wire.enums import EnumTable

_MODES = EnumTable(Mode, manager_pb2.LinkMode, "LINK_MODE_")

mode_to_proto = _MODES.to_proto
mode_from_proto = _MODES.from_proto


def link_to_proto(asked: ask.LinkAsk) -> manager_pb2.LinkAsk:
    """An ask to link."""
    return manager_pb2.LinkAsk(
        src=asked.src,
        dst=asked.dst,
        operation=asked.operation,
        out_head=asked.out_head,
        mode=mode_to_proto(asked.mode),
        forward=asked.forward,
        backward=asked.backward,
        force=asked.force,
    )


def link_from_proto(message: manager_pb2.LinkAsk, src: str, dst: str, replay_of: str = "") -> ask.LinkAsk:
    """An ask to link; `src` and `dst` are its checked names. No mode means a constant link."""
    return ask.LinkAsk(
        src,
        dst,
        message.operation,
        message.out_head,
        mode_from_proto(message.mode) if message.mode else Mode.CONSTANT,
        message.forward,
        message.backward,
        message.force,
        replay_of,
    )


def unlink_to_proto(asked: ask.UnlinkAsk) -> manager_pb2.UnlinkAsk:
    """An ask to unlink."""
    return manager_pb2.UnlinkAsk(src=asked.src, dst=asked.dst, operation=asked.operation)


def verdict_to_proto(verdict: Verdict) -> manager_pb2.Verdict:
    """What a bundle is to another."""
    return manager_pb2.Verdict(
        bundle=verdict.bundle,
        parent=verdict.parent,
        standing=verdict.standing.value,
        score=verdict.score,
        linked=verdict.linked,
        forced=verdict.forced,
        missing=verdict.missing,
    )


def verdict_from_proto(message: manager_pb2.Verdict) -> Verdict:
    """What a bundle is to another.

    Raises:
        RefusedError: something that this version does not know.
    """
    try:
        standing = Standing(message.standing)
    except ValueError:
        raise RefusedError(f"{message.standing!r} means nothing to this version of plotter2.") from None
    return Verdict(
        message.bundle,
        message.parent,
        standing,
        message.score,
        tuple(message.linked),
        tuple(message.forced),
        tuple(message.missing),
    )


def operation_to_proto(head: Head, members: Mapping[str, Links]) -> manager_pb2.Operation:
    """Something that a bundle does, and how the bundles below it do it."""
    return manager_pb2.Operation(
        name=head.name,
        form=head.form.value,
        shape=head.shape,
        links=[_record(path, linked[head.name]) for path, linked in members.items() if head.name in linked],
    )


def _record(path: str, link: LinkModel) -> manager_pb2.LinkRecord:
    return manager_pb2.LinkRecord(
        bundle=path,
        of=link.given.bundle,
        head=link.given.name,
        origin=link.origin.value,
        mode=mode_to_proto(link.mode),
        forward=[step.name for step in link.epsilon.forward],
        backward=[step.name for step in link.epsilon.backward],
        is_forced=link.is_forced,
    )
