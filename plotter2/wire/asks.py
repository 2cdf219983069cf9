"""Asks: what requests remember, and what travels (both ways, so that one can be asked again)."""

from __future__ import annotations

import msgspec

from plotter2.api.v1 import manager_pb2
from plotter2.model import ask
from plotter2.model.bundle import BundleVersion
from plotter2.model.request import Over
from plotter2.model.task import Limits
from plotter2.wire.enums import EnumTable
from plotter2.wire.tasks import kind_to_proto, limits_to_proto

_OVER = EnumTable(Over, manager_pb2.Over, "OVER_")
over_to_proto = _OVER.to_proto
over_from_proto = _OVER.from_proto


def redo_from_proto(message: manager_pb2.RedoAsk, bundle: str, replay_of: str = "") -> ask.RedoAsk:
    """A redo as it is given; `bundle` is its checked name. A parameter that is given twice is refused elsewhere."""
    return ask.RedoAsk(
        bundle=bundle,
        version=message.version,
        set={axis.parameter: [ask.raw(text) for text in axis.values_json] for axis in message.axes},
        parallel=max(1, message.parallel),
        force=message.force,
        failed_of=message.failed_of,
        replay_of=replay_of,
    )


def redo_to_proto(asked: ask.RedoAsk) -> manager_pb2.RedoAsk:
    """The same redo again: on the version that was named, or on the newest."""
    return manager_pb2.RedoAsk(
        bundle="" if asked.failed_of else asked.bundle,
        version=asked.version,
        axes=[
            manager_pb2.SweepAxis(parameter=name, values_json=[bytes(value).decode() for value in values])
            for name, values in asked.set.items()
        ],
        parallel=asked.parallel,
        force=asked.force,
        failed_of=asked.failed_of,
    )


def run_to_proto(asked: ask.RunAsk, source: str) -> manager_pb2.RunAsk:
    """The same run again. `source` is the text behind its digest, "" for a declared task."""
    return manager_pb2.RunAsk(
        task=asked.task,
        bundle=asked.bundle,
        version=asked.version,
        source=source,
        kind=kind_to_proto(asked.kind),
        filename=asked.filename,
        parameters_json=bytes(asked.parameters).decode(),
        over=over_to_proto(asked.over),
        with_forced=asked.with_forced,
        limits=limits_to_proto(asked.limits) if asked.limits != Limits() else None,
        force=asked.force,
        config=bytes.fromhex(asked.config),
    )


def archive_to_proto(asked: ask.ArchiveAsk) -> manager_pb2.ArchiveAsk:
    """The same archiving again."""
    return manager_pb2.ArchiveAsk(bundle=asked.bundle, archived=asked.archived)


def inherit_to_proto(asked: ask.InheritAsk) -> manager_pb2.InheritAsk:
    """The same inheriting again."""
    return manager_pb2.InheritAsk(bundle=asked.bundle)


def tag_to_proto(asked: ask.TagAsk) -> manager_pb2.TagAsk:
    """The same tagging again."""
    return manager_pb2.TagAsk(bundle=asked.bundle, tags_json=msgspec.json.encode(asked.tags).decode())


def planned_to_proto(
    bundle: str, parameters_json: str, run_key: bytes, existing: BundleVersion | None
) -> manager_pb2.PlannedChild:
    """One value that a redo would run, or reuse."""
    return manager_pb2.PlannedChild(
        bundle=bundle,
        parameters_json=parameters_json,
        run_key=run_key,
        reused_bundle=existing.path if existing else "",
        reused_version=existing.version if existing else 0,
    )
