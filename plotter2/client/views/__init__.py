"""What the client gives back: small frozen values that read well. Times are RFC 3339, sizes bytes, digests hexadecimal.

Each is made from the domain's own value (`of`); nothing here knows protobuf. JSON documents are kept as the user
spelled them (`…_json`) beside what they mean. One file a family; this is the list of all.
"""

from __future__ import annotations

from plotter2.client.views.bundles import Bundle, Contents, File, Inherited, Pulled, Trait
from plotter2.client.views.config import Config
from plotter2.client.views.lineage import Lineage, Origin, Step
from plotter2.client.views.links import Link, Operation, Operations, Verdict
from plotter2.client.views.orders import Order
from plotter2.client.views.page import Page, json_or, when
from plotter2.client.views.planner import Planner
from plotter2.client.views.plans import Axis, LinkedPlan, Plan, PlannedRun, RunPlan
from plotter2.client.views.quarantine import QuarantineItem, Verification
from plotter2.client.views.repeats import Repeat
from plotter2.client.views.requests import Child, OutputFile, Request, Run
from plotter2.client.views.search import Found
from plotter2.client.views.system import DeclaredTask, Process, Status, Worker
from plotter2.client.views.versions import ChangedFile, ChangedParameter, Difference, HistoryEntry

__all__ = [
    "Axis",
    "Bundle",
    "ChangedFile",
    "ChangedParameter",
    "Child",
    "Config",
    "Contents",
    "DeclaredTask",
    "Difference",
    "File",
    "Found",
    "HistoryEntry",
    "Inherited",
    "Lineage",
    "Link",
    "LinkedPlan",
    "Operation",
    "Operations",
    "Order",
    "Origin",
    "OutputFile",
    "Page",
    "Plan",
    "PlannedRun",
    "Planner",
    "Process",
    "Pulled",
    "QuarantineItem",
    "Repeat",
    "Request",
    "Run",
    "RunPlan",
    "Status",
    "Step",
    "Trait",
    "Verdict",
    "Verification",
    "Worker",
    "json_or",
    "when",
]
