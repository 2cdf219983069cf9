"""package.json: what a bundle declares of itself (requirements 043, 066, 069). Parsed and checked, nothing is imported.

All sections are optional; docs/reference/package.md has each key. `parse` is for what comes from outside; `read` for
text that `parse` has let in before.
"""

from __future__ import annotations

from plotter2.model.package.declare import (
    ABOVE,
    FORMATS,
    HERE,
    DataKey,
    Dialect,
    Head,
    LinkDeclaration,
    Metrics,
    OrderedRedo,
    OrderedReport,
    Package,
    Parameter,
    Service,
    ServiceLimits,
    StandingOrder,
    Tag,
    TaskDeclaration,
    Translation,
)
from plotter2.model.package.parse import BYTES_MAX, parse, pipeline_json, pipeline_place, read, service_json, task_of
from plotter2.model.package.places import BUILT_IN_PLACES, fill, places
from plotter2.model.package.rules import INHERITED
from plotter2.model.package.starting import IN_OUTPUT, pattern_faults
from plotter2.model.package.starting import faults as service_faults

__all__ = [
    "ABOVE",
    "BUILT_IN_PLACES",
    "BYTES_MAX",
    "FORMATS",
    "HERE",
    "INHERITED",
    "IN_OUTPUT",
    "DataKey",
    "Dialect",
    "Head",
    "LinkDeclaration",
    "Metrics",
    "OrderedRedo",
    "OrderedReport",
    "Package",
    "Parameter",
    "Service",
    "ServiceLimits",
    "StandingOrder",
    "Tag",
    "TaskDeclaration",
    "Translation",
    "fill",
    "parse",
    "pattern_faults",
    "pipeline_json",
    "pipeline_place",
    "places",
    "read",
    "service_faults",
    "service_json",
    "task_of",
]
