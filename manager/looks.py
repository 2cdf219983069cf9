"""What a request sees that is known only when its text is read: the first look holds for all that follow (pure).

A worker that is lost, a second one that joins, a manager that starts again: whoever makes a run of the request ready
sees what the first of them saw.
"""

from __future__ import annotations

from manager.commands import Answer, Command, SaveLook, SavePins
from manager.events import Looked
from manager.state import State
from plotter2.model.pins import digest_of


def looked(state: State, event: Looked) -> list[Command]:
    """Answer with what was seen first; what is seen first is written."""
    look = event.look
    live = state.requests.get(look.request_id)
    if live is None:  # it has ended: nobody looks after this one
        return [Answer(event.token, look.seen)]
    if look.at in live.looks:
        return [Answer(event.token, live.looks[look.at])]
    live.looks[look.at] = look.seen
    text: list[Command] = [SavePins(digest_of(event.text), event.text)] if event.text else []
    return [*text, SaveLook(look), Answer(event.token, look.seen)]
