"""Ops: what scripts ask of the ledger, and its answers: plain data that crosses process borders (pure).

A script's built-ins ask; whoever carries the ops (`plotter2.datter.trees.hub`) takes them to the ledger and brings the
answers back, at once or when what is waited for has happened. An op is known by who asked it, in which attempt, and
as the how manieth: asked again, it gets the answer that was recorded, so an attempt can be lived through again.
Values never cross: an op names data by the number that the ledger gave it.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from plotter2.errors import RefusedError

ROOT = 0
"""Who asks when no task does: the request that starts it all."""


class OpId(msgspec.Struct, frozen=True, order=True):
    """Which op: the task's number, its attempt, and the count of ops in that attempt, from 1."""

    task: int
    epoch: int
    seq: int


class Instance(msgspec.Struct, frozen=True):
    """One instance to be started: what its keys are called, and the names of its keys by axis."""

    label: str = ""
    keys: dict[str, str] = {}


class _Op(msgspec.Struct, frozen=True, tag_field="op"):
    """What all ops share: a tag by which they are told apart on the wire."""


class Define(_Op, frozen=True, tag="define"):
    """A definition can be started in this run.

    Attributes:
        name: as the bundle calls it.
        aliases: what scripts may call it as well: its file, and that without the ending.
        exposes: names that its contract says it gives.
        linked: definitions whose instances start, held, before its own.
    """

    name: str
    aliases: tuple[str, ...] = ()
    exposes: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()


class Begin(_Op, frozen=True, tag="begin"):
    """Start instances of a definition. Answer: their numbers.

    Attributes:
        is_held: they start only when somebody waits for them.
        given: the parameters that a script gave, as it spelled them.
    """

    definition: str
    instances: tuple[Instance, ...]
    is_held: bool = False
    given: str = ""


class End(_Op, frozen=True, tag="end"):
    """The asking task has ended so. Answer: nothing."""

    state: str
    error: str = ""


class Restart(_Op, frozen=True, tag="restart"):
    """The asking task lives through its attempt again, from its first op; the attempt before is over."""


class Register(_Op, frozen=True, tag="register"):
    """A new datum of the asking task. Answer: its number.

    Attributes:
        ref: where the value lies, in the words of whoever carries ops.
        lineage: the data that it was made of.
        label: what tells it from others of its name: the keys of who made it.
        place: where it stands among these.
    """

    name: str
    ref: str = ""
    lineage: tuple[int, ...] = ()
    label: str = ""
    place: float = 0.0


class Claim(_Op, frozen=True, tag="claim"):
    """Take a datum that nobody owns. Answer: nothing."""

    datum: int


class Deregister(_Op, frozen=True, tag="deregister"):
    """Stop owning a datum; it goes to the pool, under this name or its own. Answer: nothing."""

    datum: int
    name: str = ""


class Handin(_Op, frozen=True, tag="handin"):
    """Give data to tasks (R6). Answer: the transfer key of each datum."""

    data: tuple[int, ...]
    to: tuple[int, ...]


class Share(_Op, frozen=True, tag="share"):
    """Let tasks read data that stays the asker's, or no longer. Answer: nothing."""

    data: tuple[int, ...]
    to: tuple[int, ...]
    is_revoked: bool = False


class Expose(_Op, frozen=True, tag="expose"):
    """Publish a datum under a name. Answer: nothing."""

    name: str
    datum: int


class Exposed(_Op, frozen=True, tag="exposed"):
    """What is exposed to the asking task. Answer: name to the number of a set, which `Ledger.data_of` opens."""


class Access(_Op, frozen=True, tag="access"):
    """Data under a name; waits for those who will expose it (R9). Answer: the number of a set of data.

    Attributes:
        is_here: the asker has data of this name itself, which is meant unless others show it some; then the answer is
            nothing.
    """

    name: str
    is_here: bool = False


class Unlock(_Op, frozen=True, tag="unlock"):
    """The datum of a transfer key. Answer: its number."""

    key: str


class Islinked(_Op, frozen=True, tag="islinked"):
    """Who linked a task. Answer: their numbers, in the order in which all tasks were made (R5)."""

    task: int


class Link(_Op, frozen=True, tag="link"):
    """Link each of some tasks to each of others. Answer: nothing."""

    owners: tuple[int, ...]
    tasks: tuple[int, ...]


class Gather(_Op, frozen=True, tag="gather"):
    """All instances of a definition. Answer: their numbers, in the order of their keys."""

    definition: str


class Release(_Op, frozen=True, tag="release"):
    """Give execution back (R7). Answer: owner to "returned" or "ended"."""


class Collect(_Op, frozen=True, tag="collect"):
    """Wait until tasks have released to the asker or ended (R8). Answer: lists of numbers by how each settled."""

    tasks: tuple[int, ...]
    is_strict: bool = True


class Sweep(_Op, frozen=True, tag="sweep"):
    """Look for circles among those who wait, while others still run. Answer: how many were broken."""


Op = (
    Define | Begin | End | Restart | Register | Claim | Deregister | Handin | Share | Expose | Exposed | Access | Unlock
    | Islinked | Link | Gather | Release | Collect | Sweep
)  # fmt: skip


class Open(_Op, frozen=True, tag="open"):
    """What a set of data holds. Only reads. Answer: a `Lying` for each, in their stable order."""

    set: int


class Look(_Op, frozen=True, tag="look"):
    """Where some data lies. Only reads. Answer: a `Lying` for each."""

    data: tuple[int, ...]


class Describe(_Op, frozen=True, tag="describe"):
    """What is known of tasks. Only reads. Answer: a `Described` for each."""

    tasks: tuple[int, ...]


class Start(_Op, frozen=True, tag="start"):
    """Start the instances of a definition, and before them, held, those that it is linked to. Answer: their numbers.

    Whoever carries ops plans which they are, and asks the ledger to `Begin` those.

    Attributes:
        parameters_json: a JSON object; a parameter that is called like an axis chooses a key.
    """

    definition: str
    parameters_json: str = "{}"


Read = Open | Look | Describe
Question = Op | Read | Start
"""All that a script's run asks whoever carries its ops."""


class Lying(msgspec.Struct, frozen=True, array_like=True):
    """One datum of a set: what it is called and where its value lies."""

    datum: int
    name: str
    label: str
    place: float
    ref: str


class Described(msgspec.Struct, frozen=True, array_like=True):
    """A task: its definition, what its keys are called, and the names of its keys by axis."""

    definition: str
    label: str = ""
    keys: dict[str, str] = {}


_DECODER = msgspec.msgpack.Decoder(Question)


def packed(question: Question) -> bytes:
    """A question as it crosses process borders."""
    return msgspec.msgpack.encode(question)


def unpacked(data: bytes) -> Question:
    """Read a question.

    Raises:
        RefusedError: it is none.
    """
    try:
        found: Question = _DECODER.decode(data)
    except msgspec.DecodeError as wrong:
        raise RefusedError(f"This is no op of a script: {str(wrong).rstrip('.')}.") from None
    return found


class Answer(msgspec.Struct, frozen=True):
    """What became of an op: a value, or the code and sentence of an error."""

    value: Any = None
    code: str = ""
    message: str = ""


class Told(msgspec.Struct, frozen=True):
    """The answer of one op."""

    op: OpId
    answer: Answer


class Turn(msgspec.Struct):
    """What one op brought about: answers, some of ops that waited, and tasks that can start now, in their order."""

    told: list[Told] = []
    ready: list[int] = []


class Entry(msgspec.Struct, frozen=True):
    """One line of the journal."""

    op: OpId
    what: Op


_ENTRY = msgspec.msgpack.Decoder(Entry)


def written(entry: Entry) -> bytes:
    """A line of the journal as it is kept."""
    return msgspec.msgpack.encode(entry)


def read(data: bytes) -> Entry:
    """A line of the journal that was kept."""
    return _ENTRY.decode(data)


class Hub(Protocol):
    """Takes a task's ops to the ledger."""

    def ask(self, op: Op) -> Any:
        """The value of the answer, when it comes; meanwhile others may run.

        Raises:
            Plotter2Error: what the answer says went wrong.
        """
        ...
