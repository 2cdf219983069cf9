"""A worker's machine with short words for what happens to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, TypeVar

from pypdf import PdfWriter
from pypdf.annotations import Link
from pypdf.generic import NameObject

from plotter2.child.frames import Ask, Ended
from plotter2.ids import RequestId, RunId, TaskId
from plotter2.model.task import Limits, RunState, Task, TaskKind
from plotter2.mqtt.payloads import AssignBatch, Assignment, Cancellation, Instance, Report
from worker.commands import Command, PrepareProgram, SendRun, StartChild, Tell
from worker.events import Assigned, ChildReady, Event, OpAnswered, OpAsked, ProgramPrepared, RunEnded
from worker.machine import Machine
from worker.state import Policy

T = TypeVar("T")
REQUEST = RequestId("req-" + "0" * 32)


def run_id(number: int) -> RunId:
    return RunId(f"{REQUEST}.{number}")


def task(limits: Limits | None = None) -> Task:
    return Task(TaskId("t"), "tiny", TaskKind.SCRIPT, "pass", b"s" * 32, "tiny.py", limits=limits or Limits())


class Story:
    """Turns of a machine, one event each, with a clock that goes on by itself."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.machine = Machine(policy or Policy(children=1, window_runs=8))
        self.now = 100.0
        self.task = task()
        self.warmed = 900
        self.children = [c.child for c in self.machine.begin(self.now) if isinstance(c, StartChild)]
        for child in self.children:
            self.turn(ChildReady(child))

    def turn(self, *events: Event, after_s: float = 0.001) -> list[Command]:
        self.now += after_s
        commands = [command for event in events for command in self.machine.handle(event, self.now)]
        return commands + self.machine.settle(self.now)

    def assign(self, *numbers: int, epoch: int = 1, lease_s: float = 0.0, prepared: bool = True) -> list[Command]:
        given = tuple(Assignment(run_id(number), epoch, self.task.id, lease_s=lease_s) for number in numbers)
        commands = self.turn(Assigned(AssignBatch(given, (self.task,))))
        for command in list(commands):
            if isinstance(command, PrepareProgram) and prepared:
                commands += self.turn(ProgramPrepared(command.program))
        return commands

    def warm(self) -> None:
        """Let the machine learn that runs of this task are short."""
        self.warmed += 1
        sent = only(self.assign(self.warmed), SendRun)
        self.end(sent[0])

    def instances(self, *numbers: int, epoch: int = 1, said: int = 0) -> list[SendRun]:
        """Assign instances of one tree; what was sent to children because of it."""
        given = tuple(
            Assignment(run_id(number), epoch, self.task.id, instance=Instance(REQUEST, number, said=said))
            for number in numbers
        )
        commands = self.turn(Assigned(AssignBatch(given, (self.task,))))
        for command in list(commands):
            if isinstance(command, PrepareProgram):
                commands += self.turn(ProgramPrepared(command.program))
        return only(commands, SendRun)

    def ask(self, sent: SendRun, ask: int = 1, after_s: float = 0.001, **about: Any) -> list[Command]:
        """An instance asks for the how manieth time."""
        seq = about.pop("seq", ask)
        return self.turn(OpAsked(sent.child, Ask(sent.run.sequence, ask, seq, b"op", **about)), after_s=after_s)

    def answer(self, sent: SendRun, ask: int = 1, *, is_read: bool = False) -> list[Command]:
        return self.turn(OpAnswered(RunId(sent.run.run_id), sent.run.epoch, ask, value=b"x", is_read=is_read))

    def end(self, sent: SendRun, after_s: float = 0.001, state: RunState = RunState.DONE) -> list[Command]:
        return self.turn(RunEnded(sent.child, Ended(sent.run.sequence, str(state), "1")), after_s=after_s)

    def cancel(self, number: int, epoch: int = 1) -> list[Command]:
        return self.turn(Assigned(AssignBatch(cancellations=(Cancellation(run_id(number), epoch),))))


def only(commands: list[Command], kind: type[T]) -> list[T]:
    return [command for command in commands if isinstance(command, kind)]


def told(commands: list[Command]) -> list[Report]:
    return [command.report for command in only(commands, Tell)]


def paper(
    title: str = "R", entries: Mapping[str, int] | None = None, files: Sequence[str] = (), lefts: Sequence[int] = (40,)
) -> bytes:
    """A PDF of three pages as browsers print them: on the first, links to places on pages, and to files."""
    writer = PdfWriter()
    for _ in range(3):
        writer.add_blank_page(595, 842)
    for place, (name, page) in enumerate((entries or {}).items()):
        writer.add_named_destination(f"/{name}", page)
        left = lefts[place % len(lefts)]
        link = Link(rect=(left, 700 - 12 * place, left + 50, 708 - 12 * place), target_page_index=0)
        link[NameObject("/Dest")] = NameObject(f"/{name}")
        writer.add_annotation(0, link)
    for uri in files:
        writer.add_annotation(0, Link(rect=(40, 100, 80, 110), url=uri))
    writer.metadata = {"/Title": title, "/Creator": "a browser", "/Producer": "a printer"}
    stream = BytesIO()
    writer.write(stream)
    return stream.getvalue()
