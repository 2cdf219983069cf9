"""What can stand in a package.json: one struct a section, defaults and all. Values only; `parse` has the rules (pure).

Every section is optional. A comment is the key "//" with a string or a list of strings, in any of these objects.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any, Literal

import msgspec
from msgspec import field

from plotter2.model.request import RequestKind
from plotter2.model.task import Limits
from plotter2.model.types import Kind, Mode
from plotter2.model.types import parse as parse_type

_UNIT = re.compile(r"\[((?:[^\W\d_]|[%°])[^\s\[\],]{0,19})\]\.?\s*$")
"""A unit at the end of a description: one word, as no range or shape is."""
HERE = "."
ABOVE = ".."
FORMATS = frozenset(
    {"csv", "tsv", "json", "jsonl", "ndjson", "npy", "npz", "parquet", "feather", "arrow", "arrows"}
    | {"text", "txt", "md", "log", "bytes", "png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "webp"}
)
"""How a file can be written, where its name does not say it."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What all objects of a package.json have in common.

    Attributes:
        comment: for people, and nothing to us: a text or a list of texts.
    """

    comment: str | list[str] = field(default="", name="//")


class Parameter(Section, frozen=True):
    """One declared parameter of an experiment.

    Attributes:
        type: what its values are; "json" for any JSON value.
        default: the value where a redo names none.
        choices: all values that are allowed; none given: any.
        min: the least number that is allowed.
        max: the greatest number that is allowed.
        help: for people.
    """

    type: Literal["float", "int", "str", "bool", "json"] = "json"
    default: Any = None
    choices: list[Any] | None = None
    min: float | None = None
    max: float | None = None
    help: str = ""


class Metrics(Section, frozen=True):
    """Where metrics are found: CSV, JSON or JSON-lines files, or printed lines by a pattern with named groups.

    Attributes:
        format: how they are written; not needed where the path ends in .csv, .json or .jsonl, or there is a pattern.
            "json" is one object, or a list of objects; names inside one another get dots.
        path: for "csv", "json" and "jsonl": the file, or a pattern for many, relative to the service's cwd.
        pattern: for "pattern": a regular expression; each line that it matches is a row, each named group a column.
        source: for "pattern": which of the program's two streams is read.
    """

    format: Literal["", "csv", "json", "jsonl", "pattern"] = ""
    path: str = ""
    pattern: str = ""
    source: Literal["stdout", "stderr"] = "stdout"

    @property
    def kind(self) -> str:
        """How they are written, given or seen from the path; "" where it cannot be seen."""
        if self.format or (self.pattern and not self.path):
            return self.format or "pattern"
        ending = PurePosixPath(self.path).suffix.lower().lstrip(".")
        return ending if ending in {"csv", "json", "jsonl"} else ""


class ServiceLimits(Section, frozen=True):
    """What one service run may use; 0 means no limit of its own. Seconds and bytes.

    Attributes:
        wall_s: seconds from start to end.
        memory_bytes: memory of all its processes together, as the system counts it against them.
        log_bytes_max: how much of what it prints is kept.
        output_bytes_max: how much its files may have.
    """

    wall_s: float = 0.0
    memory_bytes: int = 0
    log_bytes_max: int = 64 << 20
    output_bytes_max: int = 0


class Service(Section, frozen=True):
    """How the experiment is started and what it leaves.

    Attributes:
        command: argv; `{name}` stands for a parameter, `{python}`, `{output}`, `{bundle}`, `{work}` are filled by us.
        cwd: where it starts, below the working copy of the bundle; code_sources by default (made when missing).
        env: extra environment, with the same placeholders.
        files: files to write before it starts: relative name to JSON value or text, with the same placeholders. A
            string that is nothing but one placeholder becomes the parameter's own typed value.
        python: the interpreter that `{python}` names; by default the one plotter2 runs on.
        outputs: patterns (as in pathlib's glob) of files to keep, relative to cwd; none: everything new or changed.
        metrics: where its metrics are found.
        limits: what one run may use.
    """

    command: list[str]
    cwd: str = "code_sources"
    env: dict[str, str] = {}
    files: dict[str, Any] = {}
    python: str = ""
    outputs: list[str] = []
    metrics: list[Metrics] = []
    limits: ServiceLimits = ServiceLimits()


class Dialect(Section, frozen=True):
    """How a csv or tsv is written, where it does not show it: "" and null are found out.

    Attributes:
        head: whether its first row is names; false: it is values, and the columns are called `column 1` and on.
        delimiter: the character between fields.
        decimal: what stands before the tenths; the other one of the two may part thousands.
        dates: what order days are written in, as 01/02/2024.
        missing: words and numbers that stand where a value is missing, as "-999", beside NA, null and the like.
    """

    head: bool | None = None
    delimiter: str = ""
    decimal: Literal["", ".", ","] = ""
    dates: Literal["", "dmy", "mdy"] = ""
    missing: tuple[str, ...] = ()


class DataKey(Section, frozen=True):
    """A name for data: a file, or a pattern for many (then the value is a group, one item a file).

    Attributes:
        path: the file, or a pattern for many; for the child of a redo: relative to the service's cwd.
        type: a type, as `matrix[float64, *, 32]`; or a format, as `csv`, for a file whose name does not say it.
        description: for people; a unit may stand at its end, as in `validation loss [nats]`.
        unit: what the values are measured in; drawings say it at their axes.
        units: of a table: what its columns are measured in, by name.
        visual: the picture that is drawn of it where nobody says another; the installation's own ones too.
        dialect: how its text is written.
    """

    path: str
    type: str = ""
    description: str = ""
    unit: str = ""
    units: dict[str, str] = {}
    visual: str = ""
    dialect: Dialect = Dialect()

    @property
    def measured_in(self) -> tuple[tuple[str, str], ...]:
        """Units by the name of the column; "" for the values themselves, from the description where none is given."""
        said = _UNIT.search(self.description)
        unit = self.unit or (said[1] if said else "")
        return ((("", unit),) if unit else ()) + tuple(self.units.items())

    @property
    def loads_as(self) -> str:
        """The word that says how the file is read: a format, or table, matrix, image, bytes...; "" for: by its name."""
        word = self.type.strip().lower()
        if not word or word in FORMATS:
            return word
        kind = parse_type(self.type)
        is_shape = kind.kind in {Kind.TABLE, Kind.IMAGE, Kind.BYTES} or (kind.kind is Kind.ARRAY and kind.shape != ())
        return str(kind).partition("[")[0].partition("{")[0] if is_shape else ""

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """The dtypes that a table's columns are declared to have, by name: `table{when: time, x: float32, *}`."""
        word = self.type.strip().lower()
        return () if not word or word in FORMATS else parse_type(self.type).columns


class TaskLimits(Section, frozen=True):
    """What one run of a task may use; 0 means the worker's own limit. Seconds and bytes.

    Attributes:
        wall_s: seconds from start to end.
        cpu_s: seconds of computing.
        memory_bytes: memory beyond what the interpreter has anyway.
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0
    memory_bytes: int = 0

    @property
    def bounds(self) -> Limits:
        """The same, as a definition carries it."""
        return Limits(self.wall_s, self.cpu_s, self.memory_bytes)


class TaskDeclaration(Section, frozen=True):
    """A task in the bundle's scope (requirement 068).

    Attributes:
        name: by which it is asked for; unique in the bundle.
        task_src: a .py script or a .json pipeline of the bundle.
        pipeline: instead of `task_src`: the pipeline itself.
        linked: names of tasks that this one is linked to, one or many: of this bundle, inherited, or a link of this
            bundle to another one's task.
        parameters: what each run of it is given, by name, where the run does not give it itself.
        limits: what one run may use.
    """

    name: str
    task_src: str = ""
    pipeline: list[Any] | None = None
    linked: list[str] | str = []
    parameters: dict[str, Any] = {}
    limits: TaskLimits = TaskLimits()

    @property
    def linked_to(self) -> tuple[str, ...]:
        """The names in `linked`, in order."""
        return (self.linked,) if isinstance(self.linked, str) else tuple(self.linked)


class Head(Section, frozen=True):
    """One end of a link: what this bundle can do or has, under a name (requirements 037, 041, 043, 044).

    Exactly one of the first four says what it is.

    Attributes:
        function: `path:qualified.name` of a function in this bundle, or its qualified name alone: then it is looked
            for in `code_sources`.
        file: a file of this bundle, or a pattern for many.
        data: a key of the section `data`.
        pipeline: the name of a task of this bundle that is a pipeline.
        params: the types of what it takes, by name; nothing for a file or for data.
        returns: the type of what it gives; "any" is not checked.
        description: for people.
    """

    function: str = ""
    file: str = ""
    data: str = ""
    pipeline: str = ""
    params: dict[str, str] = {}
    returns: str = "any"
    description: str = ""


class Translation(Section, frozen=True):
    """The epsilon of a link (requirement 039): names of heads of this bundle that are functions; "" changes nothing.

    Attributes:
        forward: turns the arguments that the in head takes into those that the out head takes.
        backward: turns what the out head returns into what the in head returns.
    """

    forward: str = ""
    backward: str = ""


class LinkDeclaration(
    Section,
    frozen=True,
    rename={"src": "from", "dst": "to", "in_head": "in", "out_head": "out", "epsilon": "translate"},
):
    """A link A -> B (requirements 036 to 047): A expects something, the in head; B satisfies it, the out head.

    Attributes:
        name: of the operation that is satisfied; unique in the bundle.
        in_head: a head that A declares.
        out_head: a head that B declares.
        src: bundle A: a path, "." for this bundle, ".." for the one above. One of `from` and `to` is ".".
        dst: bundle B, in the same way.
        mode: "constant": types must be the same in kind, dtype, rank and shape; "mutable": shapes may differ.
        epsilon: what translates between them, if they differ.
        description: for people.
    """

    name: str
    in_head: str
    out_head: str
    src: str = ABOVE
    dst: str = HERE
    mode: Mode = Mode.CONSTANT
    epsilon: Translation = Translation()
    description: str = ""


class OrderedRedo(Section, frozen=True):
    """A redo that a standing order asks for.

    Attributes:
        of: the experiment: a path, or "." for the bundle that declares the order.
        set: values of each parameter: a value, a list of several, or a range as in `plotter2 redo` ("1..3").
        parallel: at most so many runs at a time.
        force: also what was run before with the same code and data.
    """

    of: str = HERE
    set: dict[str, Any] = {}
    parallel: int = 1
    force: bool = False


class OrderedReport(Section, frozen=True):
    """A report that a standing order asks for: everything drawn as it suits it, on one page.

    Attributes:
        data: what it shows: keys of data, or files of the bundle; none: its main data.
        title: over the page; none: the order's name.
    """

    data: list[str] = []
    title: str = ""


class StandingOrder(Section, frozen=True):
    """What shall happen by itself (requirements 023, 024).

    Attributes:
        name: who asked, in the requests that it makes; unique in the bundle.
        on: when. "child": each time a child bundle arrives, the tasks run on that child; "settled": when a redo of this
            bundle has ended, they run on this bundle; "version": when a new version of this bundle arrives;
            "arrivals": at each n-th child that arrives, on this bundle; "cron": at the times that `cron` names, on this
            bundle; "request": when a request of the kind `request` about this bundle is done, on this bundle.
        run: names of tasks, the bundle's own or inherited ones.
        redo: an experiment to run again.
        report: a report to draw, without a task for it.
        n: how many arrivals make one firing; with "arrivals" only.
        cron: minute, hour, day of month, month, day of week, in UTC; with "cron" only.
        request: with "request" only.
    """

    name: str
    on: Literal["child", "settled", "version", "arrivals", "cron", "request"]
    run: list[str] = []
    redo: OrderedRedo | None = None
    report: OrderedReport | None = None
    n: int = 0
    cron: str = ""
    request: RequestKind | None = None


Tag = str | bool | int | float


class Package(Section, frozen=True):
    """The whole declaration.

    Attributes:
        schema: for editors: where the JSON Schema of package.json lies. Not read by us.
        name: for people.
        description: for people.
        tags: marks to find bundles by; plain values.
        parents: bundles whose links, tasks and configuration this one inherits, nearest first (requirement 035).
        prefer: which parent holds where two that are not related differ: "tasks.NAME", "data.NAME", "config.NAME",
            "heads.NAME" or "links.NAME" to a bundle.
        children: names of bundles below this one, in the order in which they shall be gone through (requirement 029);
            those not named follow by name.
        config: settings for the tasks of this bundle and of those that inherit from it: any JSON values.
        parameters: what the experiment can be given, by name.
        service: how the experiment is started.
        data: names for files.
        tasks: scripts and pipelines that can be run on the bundle.
        heads: what the bundle has and can do, by name.
        links: which expectations are satisfied by what.
        standing: what happens by itself.
    """

    schema: str = field(default="", name="$schema")
    name: str = ""
    description: str = ""
    tags: dict[str, Tag] = {}
    parents: list[str] = []
    prefer: dict[str, str] = {}
    children: list[str] = []
    config: dict[str, Any] = {}
    parameters: dict[str, Parameter] = {}
    service: Service | None = None
    data: dict[str, DataKey] = {}
    tasks: list[TaskDeclaration] = []
    heads: dict[str, Head] = {}
    links: list[LinkDeclaration] = []
    standing: list[StandingOrder] = []
