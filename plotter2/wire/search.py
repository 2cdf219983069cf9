"""What a search finds."""

from __future__ import annotations

from plotter2.api.v1 import manager_pb2
from plotter2.clock import Instant
from plotter2.model.entry import Entry
from plotter2.wire import services


def entry_to_proto(entry: Entry) -> manager_pb2.Entry:
    """A bundle or run, as a search shows it."""
    return manager_pb2.Entry(
        path=entry.path,
        version=entry.version,
        state=services.state_to_proto(entry.state),
        at=entry.at,
        archived=entry.archived,
        parameters_json=entry.parameters_json,
        metrics_json=entry.metrics_json,
        tags_json=entry.tags_json,
    )


def entry_from_proto(message: manager_pb2.Entry) -> Entry:
    """A bundle or run, as a search shows it.

    Raises:
        RefusedError: in a state that this version does not know.
    """
    return Entry(
        path=message.path,
        version=message.version,
        state=services.state_from_proto(message.state),
        at=Instant(message.at),
        archived=message.archived,
        parameters_json=message.parameters_json,
        metrics_json=message.metrics_json,
        tags_json=message.tags_json,
    )
