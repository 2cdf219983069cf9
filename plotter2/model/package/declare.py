"""What can stand in a package.json: one struct a section, defaults and all. Values only; `parse` has the rules (pure).

Every section is optional. A comment is the key "//" with a string or a list of strings, in any of these objects.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import field

from plotter2.model.request import RequestKind
from plotter2.model.task import Limits

HERE = "."
ABOVE = ".."


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What all objects of a package.json have in common: a comment, which means nothing to us."""

    comment: str | list[str] = field(default="", name="//")


class Parameter(Section, frozen=True):
    """One declared parameter of an experiment."""

    type: Literal["float", "int", "str", "bool", "json"] = "json"
    default: Any = None
    choices: list[Any] | None = None
    min: float | None = None
    max: float | None = None
    help: str = ""


class Metrics(Section, frozen=True):
    """Where metrics are found: a CSV file, a JSON-lines file, or printed lines by a pattern with named groups."""

    format: Literal["csv", "jsonl", "pattern"]
    path: str = ""
    pattern: str = ""
    source: Literal["stdout", "stderr"] = "stdout"


class ServiceLimits(Section, frozen=True):
    """What one service run may use; 0 means no limit of its own. Seconds and bytes."""

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
    """

    command: list[str]
    cwd: str = "code_sources"
    env: dict[str, str] = {}
    files: dict[str, Any] = {}
    python: str = ""
    outputs: list[str] = []
    metrics: list[Metrics] = []
    limits: ServiceLimits = ServiceLimits()


class DataKey(Section, frozen=True):
    """A name for data: a file, or a pattern for many (then the value is a group, one item a file)."""

    path: str
    type: str = ""
    description: str = ""


class TaskDeclaration(Section, frozen=True):
    """A task in the bundle's scope (requirement 068). `task_src` names a .py script or a .json pipeline."""

    name: str
    task_src: str = ""
    pipeline: list[Any] | None = None
    linked: list[str] | str = []
    parameters: dict[str, Any] = {}
    limits: Limits = Limits()


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
        src: bundle A: a path, "." for this bundle, ".." for the one above. One of `src` and `dst` is ".".
        dst: bundle B.
        in_head: a head that A declares.
        out_head: a head that B declares.
        mode: "constant": types must be the same in kind, dtype, rank and shape; "mutable": shapes may differ.
        epsilon: what translates between them, if they differ.
    """

    name: str
    in_head: str
    out_head: str
    src: str = ABOVE
    dst: str = HERE
    mode: Literal["constant", "mutable"] = "constant"
    epsilon: Translation = Translation()
    description: str = ""


class StandingOrder(Section, frozen=True):
    """What shall happen by itself (requirements 023, 024).

    Attributes:
        on: when. "child": each time a child bundle arrives, the tasks run on that child; "settled": when a redo of this
            bundle has ended, they run on this bundle; "version": when a new version of this bundle arrives;
            "arrivals": at each n-th child that arrives, on this bundle; "cron": at the times that `cron` names, on this
            bundle; "request": when a request of the kind `request` about this bundle is done, on this bundle.
        run: names of tasks.
        n: how many arrivals make one firing; with "arrivals" only.
        cron: minute, hour, day of month, month, day of week, in UTC; with "cron" only.
        request: with "request" only.
    """

    name: str
    on: Literal["child", "settled", "version", "arrivals", "cron", "request"]
    run: list[str]
    n: int = 0
    cron: str = ""
    request: RequestKind | None = None


Tag = str | bool | int | float


class Package(Section, frozen=True):
    """The whole declaration.

    Attributes:
        schema: for editors: where the JSON Schema of package.json lies. Not read by us.
        tags: marks to find bundles by; plain values.
        parents: bundles whose links, tasks and configuration this one inherits, nearest first (requirement 035).
        children: names of bundles below this one, in the order in which they shall be gone through (requirement 029);
            those not named follow by name.
        config: settings for the tasks of this bundle and of those that inherit from it: any JSON values.
    """

    schema: str = field(default="", name="$schema")
    name: str = ""
    description: str = ""
    tags: dict[str, Tag] = {}
    parents: list[str] = []
    children: list[str] = []
    config: dict[str, Any] = {}
    parameters: dict[str, Parameter] = {}
    service: Service | None = None
    data: dict[str, DataKey] = {}
    tasks: list[TaskDeclaration] = []
    heads: dict[str, Head] = {}
    links: list[LinkDeclaration] = []
    standing: list[StandingOrder] = []
