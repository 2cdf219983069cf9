"""The pages of lineage: why something is there, and what it was used for, as a picture to click through and as text.

`/why/<thing>` and `/uses/<thing>`, where a thing is a path below output/, a bundle, a version, or the id of a request
or run; `?fan=50` shows more neighbours of each.
"""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter
from jinja2 import Environment
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from manager.doors import Doors
from manager.store.text import clean
from manager.tracing import Question, traced
from plotter2 import lineage
from plotter2.errors import UsageError
from plotter2.ids import request_of
from plotter2.lineage import picture
from plotter2.model.lineage import FAN_DEFAULT, NODES_DEFAULT, Direction, Node, NodeKind, place_of

FAN_SHOWN_MAX = 400
TITLES = {Direction.WHY: "Where it came from", Direction.USES: "What was made from it"}


def router(doors: Doors, templates: Environment) -> APIRouter:
    """The routes for people."""
    routes = APIRouter(include_in_schema=False)

    async def page(direction: Direction, thing: str, fan: int) -> Response:
        fan = min(max(1, fan), FAN_SHOWN_MAX)
        question = Question(direction, clean(thing), b"", max(NODES_DEFAULT, fan * 4), fan)
        found = await traced(doors.store, doors.state.catalog, question)
        more = "?fan=" + str(min(fan * 8, FAN_SHOWN_MAX)) if fan < FAN_SHOWN_MAX else ""
        try:
            drawn = picture.svg(found, lambda node: _place(node, direction, more))
        except UsageError as wrong:
            drawn = f"<p>{wrong.message}</p>"
        text = templates.get_template("lineage.html").render(
            version=doors.version,
            thing=thing,
            title=TITLES[direction],
            direction=direction,
            has_other=place_of(found.starts[0]) is not None,
            other=Direction.USES if direction is Direction.WHY else Direction.WHY,
            picture=Markup(drawn),  # noqa: S704 -- every name in it is escaped where it is drawn
            tree=lineage.tree(found),
        )
        return HTMLResponse(text)

    @routes.get("/why/{thing:path}")
    async def why(thing: str, fan: int = FAN_DEFAULT) -> Response:
        return await page(Direction.WHY, thing, fan)

    @routes.get("/uses/{thing:path}")
    async def uses(thing: str, fan: int = FAN_DEFAULT) -> Response:
        return await page(Direction.USES, thing, fan)

    return routes


def _place(node: Node, direction: Direction, more: str) -> str:
    """Where a box leads to: the page of what it shows."""
    match node.kind:
        case NodeKind.OUTPUT:
            return f"/output/{quote(node.id)}"
        case NodeKind.VERSION:
            return f"/{direction}/{quote(node.id)}"
        case NodeKind.REPORT:
            return f"/bundles/{quote(node.bundle)}"
        case NodeKind.MORE:
            return more
        case NodeKind.RUN | NodeKind.SERVICE | NodeKind.REQUEST:
            return f"/requests/{quote(request_of(node.id))}"
