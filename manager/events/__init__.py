"""Everything that can happen to the manager. Edges make these, the machine hears them: past tense, frozen, passive.

One file a family; this is the list of all.
"""

from __future__ import annotations

from manager.events.asks import (
    ArchiveAsked,
    Asked,
    AskRefused,
    CallsAdded,
    CallsClosed,
    CallsOpened,
    InheritAsked,
    PlannedChild,
    QuarantineAsked,
    RedoAsked,
    RequestCancelled,
    RunAsked,
    TagsAsked,
)
from manager.events.automatic import PlannerAsked
from manager.events.config import ConfigRead
from manager.events.deliveries import (
    DeliveryInstalled,
    DeliveryOffered,
    DeliveryRefused,
    ServiceRefused,
    ServiceReported,
)
from manager.events.links import LinkAsked
from manager.events.looks import Looked
from manager.events.orders import OrderAsked
from manager.events.origin import AskedFor, Origin, Prompted
from manager.events.outcomes import InstancesPlanned, OutputsRefused, OutputsTaken, Ticked
from manager.events.propeller import TaskCreated, TaskStarted, TaskStopped
from manager.events.quarantine import StraysFound, Verified
from manager.events.token import Token
from manager.events.trees import OpAsked, OpsAsked, Sprout, StartPlanned, TreePlanned
from manager.events.workers import (
    BusConnected,
    PropletResult,
    RunReport,
    RunsReported,
    WorkerAnnounced,
    WorkerBeat,
    WorkerLeft,
)

Event = (
    WorkerAnnounced
    | WorkerBeat
    | WorkerLeft
    | RunsReported
    | PropletResult
    | BusConnected
    | RunAsked
    | RedoAsked
    | AskRefused
    | ArchiveAsked
    | QuarantineAsked
    | TagsAsked
    | InheritAsked
    | LinkAsked
    | OrderAsked
    | PlannerAsked
    | Prompted
    | AskedFor
    | RequestCancelled
    | CallsOpened
    | CallsAdded
    | CallsClosed
    | TaskCreated
    | TaskStarted
    | TaskStopped
    | DeliveryOffered
    | DeliveryInstalled
    | DeliveryRefused
    | ServiceReported
    | ServiceRefused
    | OutputsTaken
    | OutputsRefused
    | InstancesPlanned
    | TreePlanned
    | StartPlanned
    | Looked
    | OpsAsked
    | Ticked
    | ConfigRead
    | StraysFound
    | Verified
)

__all__ = [
    "ArchiveAsked",
    "AskRefused",
    "Asked",
    "AskedFor",
    "BusConnected",
    "CallsAdded",
    "CallsClosed",
    "CallsOpened",
    "ConfigRead",
    "DeliveryInstalled",
    "DeliveryOffered",
    "DeliveryRefused",
    "Event",
    "InheritAsked",
    "InstancesPlanned",
    "LinkAsked",
    "Looked",
    "OpAsked",
    "OpsAsked",
    "OrderAsked",
    "Origin",
    "OutputsRefused",
    "OutputsTaken",
    "PlannedChild",
    "PlannerAsked",
    "Prompted",
    "PropletResult",
    "QuarantineAsked",
    "RedoAsked",
    "RequestCancelled",
    "RunAsked",
    "RunReport",
    "RunsReported",
    "ServiceRefused",
    "ServiceReported",
    "Sprout",
    "StartPlanned",
    "StraysFound",
    "TagsAsked",
    "TaskCreated",
    "TaskStarted",
    "TaskStopped",
    "Ticked",
    "Token",
    "TreePlanned",
    "Verified",
    "WorkerAnnounced",
    "WorkerBeat",
    "WorkerLeft",
]
