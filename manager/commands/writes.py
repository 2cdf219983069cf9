"""Writes: what must be in the turn's one transaction. Each knows its place in the batch (pure)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from manager.store import Batch, Delivery, Held, ServiceRow, Tags, TaskRow
from manager.store.growing import Leaf, Lines, TreeRow
from plotter2.model.bundle import Contents
from plotter2.model.lineage import Edge
from plotter2.model.link import SaidLink
from plotter2.model.order import Tally
from plotter2.model.pins import Look
from plotter2.model.quarantine import QuarantineItem
from plotter2.model.record import NewRecord
from plotter2.model.report import Report
from plotter2.model.request import Request
from plotter2.model.task import TaskRun
from plotter2.model.worker import Worker


class Write(Protocol):
    """A decision that must be in the database before anything follows from it."""

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        ...


@dataclass(frozen=True, slots=True)
class Append:
    """Add a record to the journal."""

    record: NewRecord

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.records.append(self.record)


@dataclass(frozen=True, slots=True)
class SaveRequest:
    """Write a request as it is now, with those of its children that have changed."""

    request: Request

    def put(self, batch: Batch) -> None:
        """Take its place in the batch, beside children that changed earlier in the turn."""
        former = batch.requests.get(self.request.id)
        request = self.request
        if former is not None and former.children:
            changed = {child.index: child for child in (*former.children, *request.children)}
            request = replace(request, children=tuple(changed.values()))
        batch.requests[request.id] = request


@dataclass(frozen=True, slots=True)
class SaveTask:
    """Write a definition as it is now."""

    row: TaskRow

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.tasks[self.row.task.id] = self.row


@dataclass(frozen=True, slots=True)
class SaveRun:
    """Write a run as it is now."""

    run: TaskRun

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.runs[self.run.id] = self.run


@dataclass(frozen=True, slots=True)
class SaveBundle:
    """Write a new version with its files, and the text of what it inherits, "" for nothing."""

    contents: Contents
    inherited_json: str = ""

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.bundles.append(self.contents)
        if self.inherited_json:
            batch.inheritances[self.contents.bundle.inherited] = self.inherited_json


@dataclass(frozen=True, slots=True)
class SavePins:
    """Write what requests see below a bundle, under its digest."""

    digest: bytes
    text: str

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.pins[self.digest] = self.text


@dataclass(frozen=True, slots=True)
class SaveLook:
    """Write what a request saw when it looked somewhere for the first time."""

    look: Look

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.looks.append(self.look)


@dataclass(frozen=True, slots=True)
class SetArchived:
    """Hide a bundle, or show it again."""

    bundle: str
    archived: bool

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.archived[self.bundle] = self.archived


@dataclass(frozen=True, slots=True)
class SetTags:
    """Mark a bundle: what is set by hand, and the tags that it has with that."""

    bundle: str
    by_hand_json: str
    shown_json: str

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.tags[self.bundle] = Tags(self.by_hand_json, self.shown_json)


@dataclass(frozen=True, slots=True)
class SaveLink:
    """Write what was asked about a link; what was asked before stays."""

    word: SaidLink

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.links.append(self.word)


@dataclass(frozen=True, slots=True)
class SaveWorker:
    """Write a worker as it is now."""

    worker: Worker

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.workers[self.worker.id] = self.worker


@dataclass(frozen=True, slots=True)
class SaveService:
    """Write a service run as it is now."""

    row: ServiceRow

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.services[self.row.spec.service_id] = self.row


@dataclass(frozen=True, slots=True)
class SaveDelivery:
    """Remember that a delivery was taken in, so that a repeat is answered and not installed."""

    delivery: Delivery

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.deliveries[self.delivery.id] = self.delivery


@dataclass(frozen=True, slots=True)
class SaveHeld:
    """Keep everything about a delivery in quarantine."""

    held: Held

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.held[self.held.id] = self.held


@dataclass(frozen=True, slots=True)
class SaveItem:
    """Write something in quarantine as it is now."""

    item: QuarantineItem

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.quarantine[self.item.id] = self.item


@dataclass(frozen=True, slots=True)
class SaveTally:
    """Write what is remembered of a standing order."""

    tally: Tally

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.tallies[self.tally.bundle, self.tally.name] = self.tally


@dataclass(frozen=True, slots=True)
class SaveReport:
    """Write a report with its number."""

    report: Report

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.reports.append(self.report)


@dataclass(frozen=True, slots=True)
class SaveTree:
    """Write a new tree of instances."""

    row: TreeRow

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.trees.append(self.row)


@dataclass(frozen=True, slots=True)
class SaveLeaves:
    """Write which runs are which instances."""

    leaves: tuple[Leaf, ...]

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.leaves += self.leaves


@dataclass(frozen=True, slots=True)
class SaveLines:
    """Write more of the journal of a tree."""

    lines: Lines

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.lines.append(self.lines)


@dataclass(frozen=True, slots=True)
class SaveEdges:
    """Remember what came of which version, where no other row says it."""

    edges: tuple[Edge, ...]

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.edges += self.edges
