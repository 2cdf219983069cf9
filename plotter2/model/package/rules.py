"""What must hold in a package.json beyond the types of its values: names that fit, and fit together (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from plotter2.errors import PackageError, PathRefusedError, UsageError
from plotter2.model import paths, schedule, spread, types
from plotter2.model.document import Path
from plotter2.model.package import linked, starting
from plotter2.model.package.declare import ABOVE, FORMATS, HERE, LinkDeclaration, OrderedRedo, Package, StandingOrder
from plotter2.model.package.places import BUILT_IN_PLACES, places
from plotter2.model.package.wording import Broken, hint, names

ENTRIES_MAX = 1_000
"""Entries of any one section."""
PARENTS_MAX = 32
ARRIVALS_MAX = 1_000_000
NAME_BYTES_MAX = 255
UNIT_CHARS_MAX = 40
INHERITED = ("tasks", "data", "config", "heads", "links")
"""The sections that a bundle has from its parents too."""
_SOURCES = ("function", "file", "data", "pipeline")


def broken(package: Package) -> Iterator[Broken]:
    """Every rule that a declaration breaks, in the order of its sections."""
    for rule in _RULES:
        yield from rule(package)


def _sizes(package: Package) -> Iterator[Broken]:
    for section in ("parameters", "data", "heads", "tags", "config", "prefer", "tasks", "links", "standing"):
        count = len(getattr(package, section))
        if count > ENTRIES_MAX:
            yield Broken((section,), f"has {count:,} entries; at most {ENTRIES_MAX:,} can be declared")
    if len(package.parents) > PARENTS_MAX:
        yield Broken(("parents",), f"has {len(package.parents)} entries; a bundle has at most {PARENTS_MAX} parents")


def _names(package: Package) -> Iterator[Broken]:
    for section in ("parameters", "data", "heads", "tags", "config"):
        for name in getattr(package, section):
            if reason := _bad_name(name):
                yield Broken((section, name), reason)
    for section in ("tasks", "links", "standing"):
        seen: set[str] = set()
        for i, one in enumerate(getattr(package, section)):
            if reason := _bad_name(one.name):
                yield Broken((section, i, "name"), reason)
            if one.name in seen:
                yield Broken((section, i, "name"), f"is {one.name!r}, as another of {section!r}; names must differ")
            seen.add(one.name)


def _bad_name(name: str) -> str:
    if not name.strip():
        return "is an empty name"
    if len(name.encode()) > NAME_BYTES_MAX:
        return f"is a name longer than {NAME_BYTES_MAX} bytes"
    return "" if name.isprintable() else "is a name with characters that cannot be shown"


def _family(package: Package) -> Iterator[Broken]:
    for section in ("parents", "children"):
        seen: set[str] = set()
        for i, name in enumerate(getattr(package, section)):
            at = (section, i)
            if section == "children" and "/" in name:
                yield Broken(at, f"is {name!r}; a child is named without '/', as it lies directly below")
            yield from _bundle(at, name)
            if name in seen:
                yield Broken(at, f"names {name!r} a second time")
            seen.add(name)


def _preferences(package: Package) -> Iterator[Broken]:
    for key, name in package.prefer.items():
        section, dot, rest = key.partition(".")
        if section not in INHERITED or not dot or not rest:
            yield Broken(("prefer", key), f"is no inherited thing; it is one of {names(INHERITED)}, a dot, and a name")
        yield from _bundle(("prefer", key), name)


def _bundle(at: Path, name: str) -> Iterator[Broken]:
    try:
        paths.bundle_path(name)
    except PathRefusedError as wrong:
        yield Broken(at, f"names no bundle: {wrong.message.rstrip('.')}")


def _service(package: Package) -> Iterator[Broken]:
    if package.service is None:
        return
    yield from starting.faults(package.service)
    known = set(package.parameters) | BUILT_IN_PLACES
    for at, text in starting.templates(package.service):
        for name in places(text):
            if name not in known:
                yield Broken(at, f"uses {{{name}}}, but the declared parameters are {names(package.parameters)}")


def _tasks(package: Package) -> Iterator[Broken]:
    for i, task in enumerate(package.tasks):
        if bool(task.task_src) == (task.pipeline is not None):
            yield Broken(("tasks", i), f"({task.name!r}) needs either 'task_src' or 'pipeline'")
    yield from linked.broken(package.tasks)


def _types(package: Package) -> Iterator[Broken]:
    for key, datum in package.data.items():
        if datum.type.strip().lower() not in {"", *FORMATS}:
            formats = f"; a format would be one of {', '.join(sorted(FORMATS))}"
            yield from _type(("data", key, "type"), datum.type, formats)
    for name, head in package.heads.items():
        yield from _type(("heads", name, "returns"), head.returns)
        for key, text in head.params.items():
            yield from _type(("heads", name, "params", key), text)


def _type(at: Path, text: str, more: str = "") -> Iterator[Broken]:
    try:
        types.parse(text)
    except PackageError as wrong:
        yield Broken(at, f"must be a type, but {wrong.message.rstrip('.')}{more}")


def _units(package: Package) -> Iterator[Broken]:
    for key, datum in package.data.items():
        for at, unit in ((("unit",), datum.unit), *((("units", name), one) for name, one in datum.units.items())):
            is_word = unit.isprintable() and unit.strip() == unit and not set("[]") & set(unit)
            if not is_word or len(unit) > UNIT_CHARS_MAX or (len(at) > 1 and not unit):
                reason = f"must be a unit of at most {UNIT_CHARS_MAX} letters, without brackets"
                yield Broken(("data", key, *at), reason)
        if datum.visual and (reason := _bad_name(datum.visual)):
            yield Broken(("data", key, "visual"), reason)
        if (parting := datum.dialect.delimiter) and (len(parting) > 1 or not parting.isascii() or parting in '"\r\n'):
            yield Broken(("data", key, "dialect", "delimiter"), "must be one plain character, as ';' or \"\\t\"")


def _heads(package: Package) -> Iterator[Broken]:
    pipelines = [one.name for one in package.tasks if one.pipeline is not None or one.task_src.endswith(".json")]
    for name, head in package.heads.items():
        at: Path = ("heads", name)
        given = [one for one in _SOURCES if getattr(head, one)]
        if len(given) != 1:
            yield Broken(at, f"needs exactly one of {names(_SOURCES)}, and has {names(given)}")
        if head.data and head.data not in package.data:
            yield Broken(
                (*at, "data"), f"names {head.data!r}, which is no key of 'data'; {hint(head.data, package.data)}"
            )
        if head.pipeline and head.pipeline not in pipelines:
            yield Broken((*at, "pipeline"), f"names {head.pipeline!r}, which is no pipeline of 'tasks'; "
                         f"{hint(head.pipeline, pipelines)}")  # fmt: skip
        if head.params and (head.file or head.data):
            yield Broken((*at, "params"), "stand at a head that is a file or data; only what runs takes parameters")


def _links(package: Package) -> Iterator[Broken]:
    for i, link in enumerate(package.links):
        at: Path = ("links", i)
        yield from _ends(at, link)
        for key, name in _own_heads(link):
            if name and name not in package.heads:
                yield Broken(
                    (*at, *key), f"names {name!r}, which is no head of this bundle; {hint(name, package.heads)}"
                )
        for side in ("forward", "backward"):
            head = package.heads.get(getattr(link.epsilon, side))
            if head is not None and not head.function:
                yield Broken((*at, "translate", side), "names a head that is no function; only a function translates")


def _ends(at: Path, link: LinkDeclaration) -> Iterator[Broken]:
    if HERE not in {link.src, link.dst}:
        yield Broken(at, f"({link.name!r}) links {link.src!r} to {link.dst!r}; one of 'from' and 'to' must be {HERE!r}")
    for key, end in (("from", link.src), ("to", link.dst)):
        if end not in {HERE, ABOVE}:
            yield from _bundle((*at, key), end)


def _own_heads(link: LinkDeclaration) -> Iterator[tuple[tuple[str, ...], str]]:
    if link.src == HERE:
        yield ("in",), link.in_head
    if link.dst == HERE:
        yield ("out",), link.out_head
    yield ("translate", "forward"), link.epsilon.forward
    yield ("translate", "backward"), link.epsilon.backward


def _standing(package: Package) -> Iterator[Broken]:
    for i, order in enumerate(package.standing):
        at: Path = ("standing", i)
        yield from _trigger(at, order)
        if order.redo is not None:
            yield from _redo((*at, "redo"), order.redo, package)
        if order.report is not None and len(order.report.data) > ENTRIES_MAX:
            yield Broken((*at, "report", "data"), f"has more than {ENTRIES_MAX:,} entries")


def _redo(at: Path, redo: OrderedRedo, package: Package) -> Iterator[Broken]:
    if redo.of != HERE:
        yield from _bundle((*at, "of"), redo.of)
    if not 1 <= redo.parallel <= ENTRIES_MAX:
        yield Broken((*at, "parallel"), f"must lie between 1 and {ENTRIES_MAX:,}")
    for name, given in redo.set.items():
        here: Path = (*at, "set", name)
        if redo.of == HERE and name not in package.parameters:
            yield Broken(here, f"is no parameter of this bundle; {hint(name, package.parameters)}")
        try:
            found = spread.texts(given)
        except UsageError as wrong:
            yield Broken(here, f"is no range: {wrong.message.rstrip('.')}")
            continue
        if not 1 <= len(found) <= ENTRIES_MAX:
            yield Broken(here, f"has {len(found):,} values; an order gives between 1 and {ENTRIES_MAX:,}")


def _trigger(at: Path, order: StandingOrder) -> Iterator[Broken]:
    for key, on in (("n", "arrivals"), ("cron", "cron"), ("request", "request")):
        if bool(getattr(order, key)) != (order.on == on):
            needs = (
                f"needs {key!r}, as its 'on' is {on!r}" if order.on == on else f"has {key!r}, which goes with {on!r}"
            )
            yield Broken(at, f"({order.name!r}) {needs}")
    if not 0 <= order.n <= ARRIVALS_MAX:
        yield Broken((*at, "n"), f"must lie between 1 and {ARRIVALS_MAX:,}")
    if order.cron and (reason := schedule.fault(order.cron)):
        yield Broken((*at, "cron"), reason)


_RULES: Iterable[Callable[[Package], Iterator[Broken]]] = (
    _sizes, _names, _family, _preferences, _service, _tasks, _types, _units, _heads, _links, _standing,
)  # fmt: skip
