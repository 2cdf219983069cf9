"""A request's ask again, as it would come from a client. What cannot be repeated says what would do instead."""

from __future__ import annotations

import asyncio
import shlex

from manager.doors import Doors
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.errors import RefusedError
from plotter2.model import ask
from plotter2.model.request import Request, RequestKind
from plotter2.wire import asks as wire
from plotter2.wire import links as wire_links

TASKS_NAMED_MAX = 5


async def again(first: Request, doors: Doors) -> pb.SubmitRequest:  # noqa: C901, PLR0911, PLR0912 -- a dispatch table
    """The ask of this request.

    Raises:
        RefusedError: it cannot be asked again by this; the message says what would do.
    """
    match first.kind:
        case RequestKind.RUN:
            asked = ask.run_ask(first.ask_json)
            source = await asyncio.to_thread(_text, doors, asked.source) if asked.source else ""
            return pb.SubmitRequest(run=wire.run_to_proto(asked, source))
        case RequestKind.REDO:
            return pb.SubmitRequest(redo=wire.redo_to_proto(ask.redo_ask(first.ask_json)))
        case RequestKind.ARCHIVE:
            return pb.SubmitRequest(archive=wire.archive_to_proto(ask.archive_ask(first.ask_json)))
        case RequestKind.INHERIT:
            return pb.SubmitRequest(inherit=wire.inherit_to_proto(ask.inherit_ask(first.ask_json)))
        case RequestKind.TAG:
            return pb.SubmitRequest(tag=wire.tag_to_proto(ask.tag_ask(first.ask_json)))
        case RequestKind.LINK | RequestKind.UNLINK:
            return _link(first)
        case RequestKind.RELEASE | RequestKind.REFUSE:
            return _decision(first)
        case RequestKind.PAUSE | RequestKind.RESUME:
            return _order(first)
        case RequestKind.WISH:
            asked_wish = ask.wish_ask(first.ask_json)
            if not asked_wish.text:
                raise RefusedError(f"Request {first.id} was made by plotter2 itself, when a redo was done.")
            return pb.SubmitRequest(wish=pb.WishAsk(bundle=asked_wish.bundle, text=asked_wish.text))
        case RequestKind.PLANNER:
            return pb.SubmitRequest(planner=pb.PlannerAsk(on=ask.planner_ask(first.ask_json).on))
        case RequestKind.PUSH:
            raise RefusedError(
                f"Request {first.id} is a push: its data came from outside. `plotter2 pull {first.bundle}@VERSION DIR` "
                f"gives that data back, `plotter2 push DIR {first.bundle}` sends a directory again."
            )
        case RequestKind.CALL:
            raise RefusedError(
                f"Request {first.id} is a stream of calls: their parameters came from a client and are not kept as an "
                "ask. Call the client's `map` again."
            )
        case RequestKind.STANDING:
            raise RefusedError(await _fired(first, doors))


def _link(first: Request) -> pb.SubmitRequest:
    if first.kind is RequestKind.LINK:
        return pb.SubmitRequest(link=wire_links.link_to_proto(ask.link_ask(first.ask_json)))
    return pb.SubmitRequest(unlink=wire_links.unlink_to_proto(ask.unlink_ask(first.ask_json)))


def _order(first: Request) -> pb.SubmitRequest:
    asked = ask.order_ask(first.ask_json)
    about = pb.OrderAsk(bundle=asked.bundle, order=asked.order)
    return pb.SubmitRequest(pause=about) if first.kind is RequestKind.PAUSE else pb.SubmitRequest(resume=about)


def _decision(first: Request) -> pb.SubmitRequest:
    about = pb.QuarantineAsk(item_id=ask.quarantine_ask(first.ask_json).item)
    is_release = first.kind is RequestKind.RELEASE
    return pb.SubmitRequest(release=about) if is_release else pb.SubmitRequest(refuse=about)


def _text(doors: Doors, digest: str) -> str:
    with doors.organizer.open_blob(bytes.fromhex(digest)) as source:
        return source.read().decode()


async def _fired(first: Request, doors: Doors) -> str:
    """How what an order ran and asked for is asked by hand; a report that it drew itself has no task to name."""
    commands = []
    for run in (await doors.store.runs_of(first.id))[:TASKS_NAMED_MAX]:
        row = await doors.store.get_task(run.task_id)
        if row is not None and row.task.version:
            commands.append(f"`plotter2 run {shlex.quote(run.task_name)} --on {run.bundle}`")
    caused = await doors.store.list_requests(0, TASKS_NAMED_MAX, cause=first.id)
    commands += [f"`plotter2 replay {one.id}`" for one in caused.items if one.kind is RequestKind.REDO]
    way = f"; what it ran is asked by {', '.join(commands)}" if commands else ""
    return f"Request {first.id} was fired by a standing order, not asked for{way}."
