"""The page of standing orders, and of automatic users: what happens by itself, and why it did."""

from __future__ import annotations

from fastapi import APIRouter
from jinja2 import Environment
from starlette.responses import HTMLResponse, Response

from manager import orders
from manager.doors import Doors
from plotter2.client.views import Order
from plotter2.model.automatic import HOUR_S

ROWS = 1_000


def router(doors: Doors, templates: Environment) -> APIRouter:
    """The route for people."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/orders")
    async def page() -> Response:
        state, since = doors.state, doors.clock.now() - HOUR_S
        found = orders.listed(state)
        text = templates.get_template("orders.html").render(
            version=doors.version,
            total=len(found),
            orders=[Order.of(tally, order) for order, tally in found[:ROWS]],
            switch=state.switch,
            asked=sum(1 for at in state.automatic if at > since),
            hourly_max=state.automatic_hourly_max,
        )
        return HTMLResponse(text)

    return routes
