"""Lineage: a walk over the store, from whatever somebody names. Reads what each step of the walk wants, all at once."""

from __future__ import annotations

from dataclasses import dataclass

from manager.catalog import Catalog
from manager.finding import version_of
from manager.lineage import Facts, Walk, Wanted
from manager.store import OutputRow, Store
from manager.store.ancestry import FileAt
from plotter2.errors import NotFoundError, PathRefusedError
from plotter2.model import paths
from plotter2.model.lineage import Direction, Lineage, Node, NodeKind, place_of, version_id
from plotter2.model.output import COMPANIONS

OUTPUT = "output/"
ALTERED = "The file that was given is not what the run made: its content has changed."


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        thing: a path below `output/`, or the id of a request, run or service run; "" for none.
        digest: of the file that is asked about; b"" for none.
        nodes_max: nodes in the answer.
        fan_max: neighbours of one kind that a node shows.
    """

    direction: Direction
    thing: str
    digest: bytes
    nodes_max: int
    fan_max: int


async def traced(store: Store, catalog: Catalog, question: Question) -> Lineage:
    """The lineage of what is named.

    Raises:
        NotFoundError: nothing is named so, and no file has that content.
    """
    starts = await found(store, question) or await _versions(store, catalog, question)
    return await trace(store, question, starts)


async def _versions(store: Store, catalog: Catalog, question: Question) -> list[Node]:
    """A version; without a number the newest for `why`, every one for `uses`."""
    place = place_of(question.thing) or (question.thing, 0)
    try:
        name = paths.bundle_path(place[0])
        if place[1] == 0 and question.direction is Direction.USES:
            newest = await _newest(store, name, question.fan_max)
            if newest:
                return newest
        version = await version_of(store, catalog, name, place[1])
    except (NotFoundError, PathRefusedError) as wrong:
        if not question.digest and isinstance(wrong, NotFoundError):
            raise
        raise NotFoundError(
            f"No output and no bundle is called {question.thing!r}"
            + (", and nothing that plotter2 keeps has the content of that file." if question.digest else ".")
        ) from None
    return [Node(version_id(version.path, version.version), NodeKind.VERSION)]


async def _newest(store: Store, name: str, limit: int) -> list[Node]:
    page = await store.list_versions(name, 0, limit)
    return [Node(version_id(one.path, one.version), NodeKind.VERSION) for one in page.items]


async def trace(store: Store, question: Question, starts: list[Node]) -> Lineage:
    """Walk from these nodes to the limits."""
    walk = Walk(question.direction, starts, question.nodes_max, question.fan_max)
    read = _back if question.direction is Direction.WHY else _forth
    while (wanted := walk.wanted()) is not None:
        walk.learn(await read(store, wanted))
    return walk.lineage()


async def found(store: Store, question: Question) -> list[Node]:
    """Nodes that are meant by a path below `output/`, an id, or the content of a file; none for anything else.

    Raises:
        NotFoundError: an id that nothing has.
    """
    if question.thing.startswith("req-"):
        return [await _with_id(store, question.thing)]
    made = await _output_at(store, question.thing)
    if made is not None:
        is_page = question.thing.endswith(made.output.path)  # and not what lies beside it
        is_other = is_page and question.digest not in {b"", made.output.digest}
        return [Node(made.output.path, NodeKind.OUTPUT, remark=ALTERED if is_other else "")]
    if not question.digest:
        return []
    outputs = await store.outputs_like(question.digest, question.fan_max)
    if outputs:
        return [Node(one.output.path, NodeKind.OUTPUT) for one in outputs]
    return _holders(await store.files_like(question.digest, question.fan_max))


async def _with_id(store: Store, name: str) -> Node:
    if await store.requests_named([name]):
        return Node(name, NodeKind.REQUEST)
    if await store.runs_named([name]):
        return Node(name, NodeKind.RUN)
    if await store.services_named([name]):
        return Node(name, NodeKind.SERVICE)
    raise NotFoundError(f"There is no request or run {name!r}; `plotter2 requests` lists them.")


async def _output_at(store: Store, thing: str) -> OutputRow | None:
    """The output of a path that is spelled from wherever somebody stands; what lies beside a page stands for it."""
    path = thing.replace("\\", "/")
    tails = [path, *(path[place + len(OUTPUT) :] for place in _places(path, OUTPUT))]
    pages = (one.removesuffix(suffix) for one in tails for suffix in COMPANIONS)
    named = list(dict.fromkeys([*tails, *pages]))
    there = {one.output.path: one for one in await store.outputs_at(named)}
    return next((there[one] for one in named if one in there), None)


def _places(text: str, part: str) -> list[int]:
    return [at for at in range(len(text)) if text.startswith(part, at) and (at == 0 or text[at - 1] == "/")]


def _holders(files: list[FileAt]) -> list[Node]:
    paths: dict[str, list[str]] = {}
    for one in files:
        paths.setdefault(version_id(one.bundle, one.version), []).append(one.path)
    return [
        Node(name, NodeKind.VERSION, remark=f"It holds that file as {', '.join(map(repr, sorted(those)))}.")
        for name, those in paths.items()
    ]


async def _back(store: Store, wanted: Wanted) -> Facts:
    versions = [version_id(*one) for one in wanted.versions]
    return Facts(
        outputs=await store.outputs_at(wanted.outputs),
        runs=await store.runs_named(wanted.runs),
        services=await store.services_named(wanted.services),
        versions=await store.versions_at(wanted.versions),
        requests=await store.requests_named(wanted.requests),
        edges=await store.edges_into([*wanted.runs, *versions]),
        makers=await store.makers_of(wanted.versions),
    )


async def _forth(store: Store, wanted: Wanted) -> Facts:
    return Facts(
        outputs=await store.outputs_at(wanted.outputs),
        runs=await store.runs_named(wanted.runs),
        services=await store.services_named(wanted.services),
        versions=await store.versions_at(wanted.versions),
        requests=await store.requests_named(wanted.requests),
        edges=await store.edges_into(wanted.runs),
        made=await store.made_by(wanted.services),
        followers=await store.followers(wanted.versions, wanted.fan),
        products=await store.products(wanted.runs, wanted.fan),
        reports=await store.reports_of(wanted.runs),
        reuses=await store.reuses(wanted.runs, wanted.fan),
    )
