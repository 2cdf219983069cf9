"""Automatic users: the switch that lets them ask, and wishes, which a planner turns into ordinary asks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import structlog

from manager.doors import Doors
from manager.events import AskedFor, PlannerAsked
from manager.prompting import Consider
from manager.rpc.asking import AskCalls
from manager.rpc.versions import version_of
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.errors import FailedError, Plotter2Error, UnreachableError, UsageError
from plotter2.ids import RequestId
from plotter2.model import ask, inheritance, package, paths
from plotter2.model.ask import PlannerAsk, WishAsk
from plotter2.model.automatic import HOUR_S, PROPOSALS_MAX, WISH_CHARS_MAX, Proposal, Proposer, Sight, Wish
from plotter2.rpc import Context
from plotter2.wire.automatic import proposal_to_proto

PATIENCE_S = 60.0


class AutomaticCalls(AskCalls):
    """Who asks without being a person."""

    def __init__(self, doors: Doors, proposer: Proposer, patience_s: float = PATIENCE_S) -> None:
        """`proposer` has `patience_s` seconds to think about a wish."""
        super().__init__(doors)
        self._proposer = proposer
        self._patience_s = patience_s
        self._log = structlog.get_logger("manager.planner")

    async def ask_wish(self, request: pb.SubmitRequest, replay_of: str) -> RequestId:
        """Have a planner think about a bundle."""
        text = request.wish.text.strip()
        if not text or len(text) > WISH_CHARS_MAX:
            raise UsageError(f"A wish has 1 to {WISH_CHARS_MAX:,} characters.")
        return await self._planner(request, WishAsk(paths.bundle_path(request.wish.bundle), text, replay_of=replay_of))

    async def ask_planner(self, request: pb.SubmitRequest, replay_of: str) -> RequestId:
        """Let automatic users ask, or not."""
        return await self._planner(request, PlannerAsk(request.planner.on, replay_of))

    async def _planner(self, request: pb.SubmitRequest, asked: WishAsk | PlannerAsk) -> RequestId:
        event = PlannerAsked(0, self._doors.ids.request(), request.user, asked, request.client_key)
        refused = self._refusal(request, event.request_id, event.kind, event.bundle, ask.encode(asked))
        return await self._known(refused) or await self._ask(lambda token: replace(event, token=token))

    async def consider(self, effect: Consider) -> None:
        """Have a wish thought about, and ask for what comes of it. Repeated, it is answered with the first asks."""
        try:
            refused = await self._considered(effect)
        except UnreachableError:  # we are stopping: the next process thinks again
            return
        except Plotter2Error as wrong:
            refused = wrong
        outcome = AskedFor(effect.cause) if refused is None else AskedFor(effect.cause, refused.message, refused.code)
        await self._doors.loop.put(outcome)

    async def _considered(self, effect: Consider) -> Plotter2Error | None:
        """What of the asks was refused, if any was."""
        request = await self.need(effect.cause)
        asked = ask.wish_ask(request.ask_json)
        wish = Wish(asked.bundle, asked.text, RequestId(asked.of))
        refused: Plotter2Error | None = None
        for number, one in enumerate((await self._proposals(wish))[:PROPOSALS_MAX]):
            message = proposal_to_proto(one, wish.scope)
            message.user, message.cause = self._proposer.identity, request.id
            message.client_key = effect.client_key(number)
            try:
                await self.submit(message)
            except UnreachableError:
                raise
            except Plotter2Error as wrong:
                refused = refused or wrong
        return refused

    async def _proposals(self, wish: Wish) -> Sequence[Proposal]:
        """What the planner proposes. It may be anybody's: neither its silence nor a fault of it is ours."""
        sight = await self._sight(wish.scope)
        try:
            async with asyncio.timeout(self._patience_s):
                return await self._proposer.propose(wish, sight)
        except Plotter2Error:
            raise
        except TimeoutError:
            raise FailedError(f"{self._proposer.identity} has not answered within {self._patience_s:g} s.") from None
        except Exception as wrong:
            self._log.exception("planner.failed", wish=wish.text, scope=wish.scope)
            raise FailedError(f"{self._proposer.identity} has a fault: {type(wrong).__name__}: {wrong}.") from wrong

    async def _sight(self, bundle: str) -> Sight:
        version = await version_of(self._doors, bundle, 0)
        declared = package.read(version.package_json)
        inherited = inheritance.decode(await self._doors.store.get_inheritance(version.inherited))
        below = self._doors.state.catalog.below(bundle)
        found = (self._doors.state.catalog.get(path) for path in below)
        return Sight(
            bundle,
            version.version,
            declared,
            tuple(dict.fromkeys([*declared.data, *inherited.of("data")])),
            tuple(dict.fromkeys([*(task.name for task in declared.tasks), *inherited.of("tasks")])),
            declared.parameters if declared.service is not None else {},
            sum(1 for node in found if node is not None and node.version.run_key),
        )

    async def GetPlanner(self, request: pb.GetPlannerRequest, context: Context) -> pb.GetPlannerResponse:  # noqa: N802 -- gRPC's name
        """Whether automatic users may ask, and how often they did."""
        del request, context
        state = self._doors.state
        since = self._doors.clock.now() - HOUR_S
        return pb.GetPlannerResponse(
            is_on=state.switch.is_on,
            by=state.switch.by,
            at=state.switch.at,
            identity=self._proposer.identity,
            asked=sum(1 for at in state.automatic if at > since),
            hourly_max=state.automatic_hourly_max,
        )
