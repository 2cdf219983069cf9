"""What every edge of the manager is given: where to hand events in, where to read what is committed."""

from __future__ import annotations

from dataclasses import dataclass

from manager.desk import Desk
from manager.hub import Hub
from manager.instance_planner import InstancePlanner
from manager.keeper import Keeper
from manager.loop import Loop
from manager.organizer import Organizer
from manager.state import State
from manager.store import Store
from manager.verifier import Verifier
from plotter2.clock import Clock, IdSource, Instant
from plotter2.layout import Layout


@dataclass(frozen=True, slots=True)
class Doors:
    """Handed to rpc, devices and http by the composition root.

    Attributes:
        state: the machine's live state, for counting only: it may be ahead of what is committed.
        installation: the UUID of this installation.
        verifier: walks everything at rest.
        instance_planner: finds out how many instances a run is.
        keeper: what the installation adds.
    """

    desk: Desk
    loop: Loop
    hub: Hub
    store: Store
    organizer: Organizer
    state: State
    layout: Layout
    clock: Clock
    ids: IdSource
    installation: str
    verifier: Verifier
    instance_planner: InstancePlanner
    keeper: Keeper
    version: str
    started_at: Instant
