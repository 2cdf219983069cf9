"""Where the keepers of one watchdog live: started stage by stage, shown to whoever asks, ended in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter

from plotter2.layout import Layout
from plotter2.lifecycle import Life
from watchdogs.actions import Hands
from watchdogs.keeper import Keeper
from watchdogs.wards import Ward

Cheer = Callable[[Keeper], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """Wards that are ended together.

    Attributes:
        stop_s: how long they may take to end before they are killed.
    """

    wards: Sequence[Ward]
    stop_s: float


class Kennel:
    """The keepers, in stages.

    Attributes:
        changed: set whenever a ward has another process or state; whoever waits for it clears it.
    """

    def __init__(self, life: Life, layout: Layout, hands: Hands, registry: CollectorRegistry) -> None:
        self._life = life
        self._layout = layout
        self._hands = hands
        self._restarts = Counter(
            "plotter2_watchdog_restarts", "How often a ward was started again", ["ward"], registry=registry
        )
        self._stages: list[tuple[Stage, list[Keeper], list[asyncio.Task[None]]]] = []
        self.changed = asyncio.Event()

    @property
    def keepers(self) -> list[Keeper]:
        """All of them, in the order of their start."""
        return [keeper for _, keepers, _ in self._stages for keeper in keepers]

    async def start(self, *stages: Stage, cheer: Cheer = lambda _: None) -> None:
        """Start some stages at once and wait until everybody is well, or we are told to stop. `cheer` hears of each."""
        new = [keeper for stage in stages for keeper in self._begin(stage)]
        async with asyncio.TaskGroup() as group:
            waiting = {group.create_task(_tell(one, cheer), name=f"await {one.ward.name}") for one in new}
            stopping = group.create_task(self._wait_for_stop(), name="stopping")
            while waiting and not stopping.done():
                done, _ = await asyncio.wait({*waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
                waiting -= done
            for task in {*waiting, stopping}:
                task.cancel()

    def _begin(self, stage: Stage) -> list[Keeper]:
        keepers = [
            Keeper(ward, self._hands, self._layout, self._life.clock, self._restarts, self.changed.set)
            for ward in stage.wards
        ]
        tasks = [self._life.spawn(one.keep(), f"keep {one.ward.name}") for one in keepers]
        self._stages.append((stage, keepers, tasks))
        return keepers

    async def _wait_for_stop(self) -> None:
        await self._life.stopping.wait()

    async def stop(self) -> None:
        """End everybody, the last stage first; those of one stage together."""
        for stage, keepers, tasks in reversed(self._stages):
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*(keeper.end(stage.stop_s) for keeper in keepers))


async def _tell(keeper: Keeper, cheer: Cheer) -> None:
    await keeper.is_well.wait()
    cheer(keeper)
