"""The words between a worker, its fork server and its children: length-prefixed msgpack over Unix sockets (pure).

Both ends are ours and of one version, so frames are arrays without names. File descriptors travel beside `Fork`.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from plotter2.errors import CorruptionError
from plotter2.model.link import Link

T = TypeVar("T")

HEADER_BYTES = 4
FRAME_BYTES_MAX = 1 << 28
READ_BYTES = 1 << 16


class Ground(msgspec.Struct, frozen=True, array_like=True):
    """One bundle version as a run sees it: names in the bundle to local paths; and the bundles below it."""

    bundle: str = ""
    version: int = 0
    files: dict[str, str] = {}
    package_json: str = ""
    parameters_json: str = ""
    below: list[Ground] = []


class Made(msgspec.Struct, frozen=True, array_like=True):
    """A file that a run made, relative to the run's own directory."""

    path: str
    kind: str
    title: str
    size_bytes: int
    digest: bytes


class Instance(msgspec.Struct, frozen=True, array_like=True):
    """A run's place in a tree of instances: which tree, its number there, what its keys are called.

    Attributes:
        asked: how many things it has asked in this attempt, in children that are gone: the next one is counted on.
    """

    tree: str
    number: int
    label: str = ""
    place: float = 0.0
    asked: int = 0


class Content(msgspec.Struct, frozen=True, array_like=True):
    """A file that an instance has written for others: its local path and what it holds."""

    path: str
    digest: bytes


class Program(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """What many runs have in common, sent once to each child: the definition and what it stands on.

    Attributes:
        modules: the `.py` files that ship with the script, name in its bundle to local path.
        roots: the folders of that bundle whose modules it may import.
        links: what it can call by name, and how that is done.
        lenders: the other bundles that links lead to, with those of their files that are needed.
        loads: the bundles that it loads from by name, as it spells them.
        config: the digest of what the installation adds, b"" for nothing.
        additions: its files, name below the config directory to local path.
    """

    number: int
    task_name: str
    kind: str
    source: str
    filename: str
    ground: Ground = Ground()
    modules: dict[str, str] = {}
    roots: list[str] = []
    links: dict[str, tuple[Link, ...]] = {}
    lenders: list[Ground] = []
    loads: dict[str, Ground] = {}
    config: bytes = b""
    additions: dict[str, str] = {}


class Run(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """Do this, after what was sent before. `sequence` is the worker's number for it."""

    sequence: int
    program: int
    run_id: str
    epoch: int
    parameters_json: str
    seed: int
    memory_bytes: int
    instance: Instance | None = None


class Skip(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """Leave these out, where they have not begun."""

    sequences: list[int]


class Forget(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """These programs will not be spoken of again."""

    programs: list[int]


class Told(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """The answer of what an instance has asked: a value as MessagePack, or the code and sentence of an error.

    Attributes:
        ask: the question's own number.
        is_read: the child's thread waits for it; else the instance goes on in its turn.
        places: where the content lies that the value speaks of: local paths by hexadecimal digest.
    """

    sequence: int
    ask: int
    code: str = ""
    message: str = ""
    value: bytes = b""
    is_read: bool = False
    places: dict[str, str] = {}


class Ready(msgspec.Struct, frozen=True, array_like=True, tag=11):
    """A child has begun to listen."""

    pid: int


class Ended(msgspec.Struct, frozen=True, array_like=True, tag=12):
    """How a run ended. `is_spent`: this interpreter should not be used much longer; `again_json`: wants more runs."""

    sequence: int
    state: str
    results_json: str = ""
    error: str = ""
    error_code: str = ""
    made: list[Made] = []
    lines: list[str] = []
    is_spent: bool = False
    again_json: str = ""


class Printed(msgspec.Struct, frozen=True, array_like=True, tag=13):
    """What a run has printed while it goes on, and how far it says it is: how much of how much, if it said so."""

    sequence: int
    lines: list[str]
    progress: tuple[float, float] | None = None


class Skipped(msgspec.Struct, frozen=True, array_like=True, tag=14):
    """These had not begun, and will not."""

    sequences: list[int]


class Ask(msgspec.Struct, frozen=True, array_like=True, tag=15):
    """What an instance asks its tree's ledger; others run until it is told.

    Attributes:
        ask: the how manieth thing it asks in this attempt, from 1.
        seq: the how manieth op (`plotter2.datter.ledger.ops`), from 1; 0 for what only reads: then its turn goes on.
        op: the question, as MessagePack.
        content: what must be safe before the question is asked.
        cpu_s: processor time of the turn that ends with this.
        memory_bytes: private memory that it has taken in all its turns.
    """

    sequence: int
    ask: int
    seq: int
    op: bytes
    content: Content | None = None
    cpu_s: float = 0.0
    memory_bytes: int = 0


class Fork(msgspec.Struct, frozen=True, array_like=True, tag=21):
    """Make a child; its end of the socket pair comes beside this frame."""

    child: int
    log_path: str
    runs_path: str
    scratch_name: str
    common_path: str


class Kill(msgspec.Struct, frozen=True, array_like=True, tag=22):
    """End a child and all it has started, at once."""

    child: int


class Warm(msgspec.Struct, frozen=True, array_like=True, tag=31):
    """The fork server has imported everything."""

    pid: int
    threads: int


class Forked(msgspec.Struct, frozen=True, array_like=True, tag=32):
    """A child is there."""

    child: int
    pid: int


class Exited(msgspec.Struct, frozen=True, array_like=True, tag=33):
    """A child is gone. `status`: exit code, or minus the signal's number."""

    child: int
    status: int


ToChild = Program | Run | Skip | Forget | Told
FromChild = Ready | Ended | Printed | Skipped | Ask
ToServer = Fork | Kill
FromServer = Warm | Forked | Exited

_encoder = msgspec.msgpack.Encoder()


def pack(message: ToChild | FromChild | ToServer | FromServer) -> bytes:
    """One message as a frame."""
    body = _encoder.encode(message)
    return len(body).to_bytes(HEADER_BYTES, "little") + body


class Reader(Generic[T]):
    """Takes bytes as they come, gives the messages that are complete."""

    def __init__(self, decoder: msgspec.msgpack.Decoder[T]) -> None:
        self._decoder = decoder
        self._rest = b""

    def feed(self, data: bytes) -> list[T]:
        """Take what arrived.

        Raises:
            CorruptionError: longer than any frame of ours, or not one of the messages expected here.
        """
        data = self._rest + data if self._rest else data
        messages: list[T] = []
        start = 0
        while len(data) - start >= HEADER_BYTES:
            size = int.from_bytes(data[start : start + HEADER_BYTES], "little")
            if size > FRAME_BYTES_MAX:
                raise CorruptionError(f"A frame of {size} bytes arrived; the limit is {FRAME_BYTES_MAX}.")
            end = start + HEADER_BYTES + size
            if end > len(data):
                break
            try:
                messages.append(self._decoder.decode(memoryview(data)[start + HEADER_BYTES : end]))
            except msgspec.MsgspecError as wrong:
                raise CorruptionError(f"A frame cannot be read: {wrong}.") from wrong
            start = end
        self._rest = data[start:]
        return messages


def to_child_reader() -> Reader[ToChild]:
    """Reads what a worker says to a child."""
    return Reader(msgspec.msgpack.Decoder(ToChild))


def from_child_reader() -> Reader[FromChild]:
    """Reads what a child says to its worker."""
    return Reader(msgspec.msgpack.Decoder(FromChild))


def to_server_reader() -> Reader[ToServer]:
    """Reads what a worker says to its fork server."""
    return Reader(msgspec.msgpack.Decoder(ToServer))


def from_server_reader() -> Reader[FromServer]:
    """Reads what a fork server says to its worker."""
    return Reader(msgspec.msgpack.Decoder(FromServer))
