"""One step of a pipeline, and what stands between two: the data, and the frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plotter2.datter.context import Context, KeyType
from plotter2.datter.figures.frame import Frame, Report
from plotter2.datter.pages import compose
from plotter2.datter.pipelines.repeating import REPEAT
from plotter2.datter.scripting.axes import KEYTYPE
from plotter2.datter.values.group import DataGroup
from plotter2.datter.vocabulary import Builtin, Role
from plotter2.errors import Plotter2Error, TaskFailedError

WRONG = (Plotter2Error, TypeError, ValueError, ArithmeticError, LookupError, OSError, MemoryError)
LOG = "loggy"
WITHOUT_DATA = frozenset({LOG, REPEAT})
"""Effects that are given nothing of what the pipeline has."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: which built-in, with which arguments."""

    place: int
    builtin: Builtin
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def where(self) -> str:
        """The step for messages."""
        return f"step {self.place} ({self.builtin.name})"


def _constraint(wanted: Any) -> Any:
    return KeyType(wanted[KEYTYPE]) if isinstance(wanted, dict) else wanted


def said(wrong: BaseException) -> str:
    """What went wrong, without where in our code."""
    return str(wrong) if isinstance(wrong, Plotter2Error) else f"{type(wrong).__name__}: {wrong}"


def _answer_for(step: Step, group: DataGroup) -> None:
    """Have what goes wrong when a member is looked at told as this step's, whichever step looks."""

    def guarded(load: Callable[[], Any]) -> Any:
        try:
            return load()
        except _StepFailedError:
            raise
        except WRONG as wrong:
            raise _StepFailedError(f"{step.where}: {said(wrong)}") from wrong

    for member in group.members:
        member.guard(guarded)


class _StepFailedError(TaskFailedError):
    """A step went wrong, and it is known which."""


class Register:
    """What stands between two steps."""

    def __init__(self, value: Any = None) -> None:
        self.value = value
        self.frame: Frame | None = None

    def taken(self, step: Step, context: Context) -> None:
        """Do one step.

        Raises:
            TaskFailedError: it went wrong; says which and why.
        """
        try:
            before = self.value
            self._take(step, context)
        except _StepFailedError:  # of a group's member, which is made when it is looked at
            raise
        except WRONG as wrong:
            raise _StepFailedError(f"{step.where}: {said(wrong)}") from wrong
        if isinstance(self.value, DataGroup) and self.value is not before:
            _answer_for(step, self.value)

    def _take(self, step: Step, context: Context) -> None:
        call, args, kwargs, role = step.builtin.call, step.args, step.kwargs, step.builtin.role
        if role is Role.SOURCE:
            self.value = call(*args, **kwargs)
        elif role is Role.DATA:
            self.value = call(self.value, *args, **kwargs)
        elif role is Role.CONTRACT:
            call(*args, **{name: _constraint(wanted) for name, wanted in kwargs.items()})
        elif role is Role.EFFECT:
            is_bare = step.builtin.name == LOG and not args and not kwargs  # it has nothing else to tell
            call(*([self.value] if is_bare or step.builtin.name not in WITHOUT_DATA else []), *args, **kwargs)
        elif role is Role.NEW_FRAME:
            self.frame = call(*args, **kwargs)
        elif role is Role.FRAME:
            call(self.frame, *args, **kwargs)
        elif role in {Role.DRAW, Role.DRAW_NOW}:
            frame = [self.frame] if self.frame is not None and not self.frame.is_sent else []
            call(*frame, self.value, *args, **kwargs)
        else:
            self._end(step, context)

    def _end(self, step: Step, context: Context) -> None:
        if step.builtin.name == "report":
            made: Report = step.builtin.call(*step.args, **step.kwargs)
            made.add(self.frame if self.frame is not None and not self.frame.is_empty else self.value)
            return
        if self.frame is not None and not self.frame.is_sent and not self.frame.is_empty:
            compose.send(context, self.frame)
        step.builtin.call(self.value, *step.args, **step.kwargs)
