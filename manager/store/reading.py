"""What is asked of PostgresStore between commits: single things, and pages of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from manager.store import FACT_NAMES_MAX, Delivery, Held, HistoryRow, OutputRow, Page, ServiceRow, TaskRow, rows
from manager.store.search import Statement
from manager.store.text import clean
from plotter2.ids import DeliveryId, RequestId, RunId, ServiceId, TaskId
from plotter2.model.bundle import BundleVersion, FileEntry
from plotter2.model.difference import FileChange
from plotter2.model.entry import Entry, Space
from plotter2.model.quarantine import QuarantineItem
from plotter2.model.query import Search
from plotter2.model.report import Report
from plotter2.model.request import Request
from plotter2.model.task import TaskRun
from plotter2.pg import Database, Queries

T = TypeVar("T")


class Reader:
    """The reading half of the store; see `manager.store.Store` for what each method promises."""

    def __init__(self, database: Database, queries: Queries) -> None:
        self._database = database
        self._queries = queries
        self._fact_names: dict[Space, tuple[str, ...]] = {}

    async def _fetch(self, name: str, *args: object) -> Sequence[rows.Row]:
        async with self._database.connection() as connection:
            return await connection.fetch(
                self._queries[name], *(clean(arg) if isinstance(arg, str) else arg for arg in args)
            )

    async def _one(self, convert: Callable[[rows.Row], T], name: str, *args: object) -> T | None:
        found = await self._fetch(name, *args)
        return convert(found[0]) if found else None

    async def _page(
        self, convert: Callable[[rows.Row], T], key: str, name: str, page: tuple[int, int], *args: object
    ) -> Page[T]:
        found = await self._fetch(name, *page, *args)
        return Page(tuple(convert(row) for row in found if row[key] is not None), found[0]["rows_in_all"])

    async def get_request(self, request: RequestId) -> Request | None:
        """One request with its children."""
        return await self._one(_with_children, "get_request", request)

    async def find_request(self, client_key: str) -> Request | None:
        """The request that was made under this client key."""
        return await self._one(_with_children, "find_request", client_key)

    async def list_requests(self, offset: int, limit: int, bundle: str = "", cause: str = "") -> Page[Request]:
        """Newest first, without their children."""
        return await self._page(rows.to_request, "id", "list_requests", (offset, limit), bundle, cause)

    async def runs_of(self, request: RequestId) -> tuple[TaskRun, ...]:
        """All runs of a request, in index order, with outputs."""
        return tuple(map(_with_outputs, await self._fetch("runs_of", request)))

    async def get_run(self, run: RunId) -> TaskRun | None:
        """One run with its outputs."""
        return await self._one(_with_outputs, "get_run", run)

    async def get_task(self, task: TaskId) -> TaskRow | None:
        """One definition."""
        return await self._one(rows.to_task, "get_task", task)

    async def list_tasks(self, offset: int, limit: int) -> Page[TaskRow]:
        """Definitions that were created over HTTP, newest first."""
        return await self._page(rows.to_task, "id", "list_tasks", (offset, limit))

    async def list_bundles(
        self, offset: int, limit: int, under: str = "", *, archived: bool = False
    ) -> Page[BundleVersion]:
        """The newest version of each bundle, by path."""
        return await self._page(rows.to_version, "path", "list_bundles", (offset, limit), under, archived)

    async def list_versions(self, bundle: str, offset: int, limit: int) -> Page[BundleVersion]:
        """All versions of one bundle, newest first."""
        return await self._page(rows.to_version, "path", "list_versions", (offset, limit), bundle)

    async def get_bundle(self, bundle: str, version: int = 0) -> BundleVersion | None:
        """One version; 0 means the newest."""
        return await self._one(rows.to_version, "get_version", bundle, version)

    async def files_of(self, bundle: str, version: int) -> tuple[FileEntry, ...]:
        """The files of a version, by path."""
        return tuple(map(rows.to_file, await self._fetch("files_of", bundle, version)))

    async def files_after(self, bundle: str, version: int, after: str, limit: int) -> tuple[FileEntry, ...]:
        """Files of a version, by path, after one."""
        return tuple(map(rows.to_file, await self._fetch("files_after", bundle, version, after, limit)))

    async def newest_of(self, bundles: Sequence[str]) -> tuple[BundleVersion, ...]:
        """The newest version of each of these bundles."""
        return tuple(map(rows.to_version, await self._fetch("newest_of", list(map(clean, bundles)))))

    async def versions_of(self, places: Sequence[tuple[str, int]]) -> tuple[BundleVersion, ...]:
        """These versions."""
        return (
            tuple(map(rows.to_version, await self._fetch("versions_of", *map(list, zip(*places, strict=True)))))
            if places
            else ()
        )

    async def get_pins(self, digest: bytes) -> str:
        """The text of a list of pins."""
        return await self._one(lambda row: str(row["places"]), "get_pins", digest) or ""

    async def files_of_many(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], tuple[FileEntry, ...]]:
        """The files of each of these versions."""
        if not places:
            return {}
        found: dict[tuple[str, int], list[FileEntry]] = defaultdict(list)
        for row in await self._fetch("files_of_many", *map(list, zip(*places, strict=True))):
            found[row["bundle"], row["version"]].append(rows.to_file(row))
        return {place: tuple(files) for place, files in found.items()}

    async def digests_of(self, wanted: Sequence[tuple[str, int, str]]) -> dict[tuple[str, int, str], bytes]:
        """The digests of single files of versions."""
        if not wanted:
            return {}
        found = await self._fetch("digests_of", *map(list, zip(*wanted, strict=True)))
        return {(row["bundle"], row["version"], row["path"]): row["digest"] for row in found}

    async def get_inheritance(self, digest: bytes) -> str:
        """The text of a snapshot of what is inherited."""
        return await self._one(lambda row: str(row["entries"]), "get_inheritance", digest) or ""

    async def changed_files(
        self, before: tuple[str, int], after: tuple[str, int], from_path: str, limit: int
    ) -> tuple[FileChange, ...]:
        """Files that differ between two versions, by path."""
        found = await self._fetch("changed_files", *before, *after, from_path, limit)
        return tuple(map(rows.to_file_change, found))

    async def list_history(self, bundle: str, offset: int, limit: int) -> Page[HistoryRow]:
        """Requests about a bundle or what lies below it, oldest first."""
        return await self._page(rows.to_history, "id", "list_history", (offset, limit), bundle)

    async def find_run_keys(self, run_keys: Sequence[bytes]) -> dict[bytes, BundleVersion]:
        """For each of these keys the newest version that a successful service run left under it."""
        found = map(rows.to_version, await self._fetch("find_run_keys", list(run_keys)))
        return {version.run_key: version for version in found}

    async def find_memos(self, keys: Sequence[bytes]) -> dict[bytes, TaskRun]:
        """For each of these keys the newest run that left its results under it."""
        found = map(rows.to_run, await self._fetch("find_memos", list(keys)) if keys else ())
        return {run.memo_key: run for run in found}

    async def get_service(self, service: ServiceId) -> ServiceRow | None:
        """One service run, ended or not."""
        return await self._one(_service, "get_service", service)

    async def find_maker(self, bundle: str, version: int) -> ServiceRow | None:
        """The service run whose output became this version."""
        return await self._one(_service, "find_maker", bundle, version)

    async def get_delivery(self, delivery: DeliveryId) -> Delivery | None:
        """What became of a delivery."""
        return await self._one(rows.to_delivery, "get_delivery", delivery)

    async def get_delivery_of(self, request: RequestId) -> Delivery | None:
        """The delivery that a push was."""
        return await self._one(rows.to_delivery, "get_delivery_of", request)

    async def get_held(self, delivery: DeliveryId) -> Held | None:
        """A delivery that is, or was, in quarantine, with its files."""
        return await self._one(lambda row: rows.to_held(row, rows.to_files(row["entries"])), "get_held", delivery)

    async def get_report(self, bundle: str, number: int) -> Report | None:
        """A report of a bundle, by its number."""
        return await self._one(rows.to_report, "get_report", bundle, number)

    async def get_item(self, item: str) -> QuarantineItem | None:
        """What is, or was, in quarantine under this id."""
        return await self._one(rows.to_item, "get_item", item)

    async def list_quarantine(self, offset: int, limit: int, *, decided: bool = False) -> Page[QuarantineItem]:
        """What is in quarantine, oldest first."""
        return await self._page(rows.to_item, "id", "list_quarantine", (offset, limit), decided)

    async def list_outputs(
        self, offset: int, limit: int, *, bundle: str = "", request: str = "", kind: str = ""
    ) -> Page[OutputRow]:
        """Outputs, newest first."""
        return await self._page(rows.to_output_row, "run_id", "list_outputs", (offset, limit), bundle, request, kind)

    async def search(self, search: Search, offset: int, limit: int) -> Page[Entry]:
        """The bundles and runs that a search finds: one statement, made for it."""
        statement = Statement(search, offset, limit)
        async with self._database.connection() as connection:
            found = await connection.fetch(statement.text, *statement.arguments)
        return Page(tuple(rows.to_entry(row) for row in found if row["path"] is not None), found[0]["rows_in_all"])

    async def fact_names(self, wanted: Iterable[tuple[Space, str]] = ()) -> dict[Space, tuple[str, ...]]:
        """Names under which any entry has, or once had, a value; see `Store.fact_names`."""
        asked = [*wanted]
        if not asked or any(name not in self._fact_names.get(space, ()) for space, name in asked):
            found = await self._fetch("fact_names", FACT_NAMES_MAX)
            self._fact_names = {space: tuple(row["name"] for row in found if row["space"] == space) for space in Space}
        return self._fact_names


def _service(row: rows.Row) -> ServiceRow:
    return rows.to_service(row, rows.to_files(row["entries"]))


def _with_children(row: rows.Row) -> Request:
    return rows.to_request(row, tuple(map(rows.to_child, row["children"])))


def _with_outputs(row: rows.Row) -> TaskRun:
    return rows.to_run(row, tuple(map(rows.to_output, row["outputs"])))
