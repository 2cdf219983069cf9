"""How a batch becomes rows: one statement a table, only what changed, inside a transaction that somebody else holds.

Remembers which service runs it has written, so that of those only their states are sent, and each snapshot of what is
inherited once. After a failure it remembers nothing, which is always safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from manager.store import Batch, Held, ServiceRow, Snapshot, entries, rows, tallies
from manager.store.text import clean_child
from manager.store.tracing import edge_values
from plotter2.ids import ServiceId
from plotter2.model.bundle import Contents
from plotter2.model.entry import Space
from plotter2.model.service import SERVICE_ENDS
from plotter2.pg import Connection, Queries

STAGED_ROWS_MIN = 200


class Writer:
    """Writes batches."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._services: set[ServiceId] = set()
        self._inheritances: set[bytes] = set()

    def know(self, snapshot: Snapshot) -> None:
        """What is in the database already."""
        self._services = {one.spec.service_id for one in snapshot.services}
        self._inheritances = set(snapshot.inheritances)

    def forget(self) -> None:
        """The outcome of a transaction is not known."""
        self._services.clear()
        self._inheritances.clear()

    def work(self, batch: Batch) -> dict[str, list[rows.Values]]:
        """The rows of requests, runs, trees and edges, by the query that puts them; none that has nothing to put."""
        requests, runs = batch.requests.values(), batch.runs.values()
        puts: dict[str, list[rows.Values]] = {
            "put_requests": [rows.request_values(one) for one in requests],
            "put_children": [
                rows.child_values(one.id, clean_child(child)) for one in requests for child in one.children
            ],
            "put_tasks": [rows.task_values(one) for one in batch.tasks.values()],
            "put_runs": [rows.run_values(one) for one in runs],
            "put_outputs": [row for one in runs if one.outputs for row in rows.output_values(one)],
            "put_edges": [edge_values(one) for one in batch.edges],
            "put_trees": [rows.tree_values(one) for one in batch.trees],
            "put_leaves": [rows.leaf_values(one) for one in batch.leaves],
            "put_lines": [row for one in batch.lines for row in rows.line_values(one)],
            "put_looks": [(one.request_id, one.at, one.seen) for one in batch.looks],
        }
        return {name: values for name, values in puts.items() if values}

    async def write(self, connection: Connection, batch: Batch) -> None:
        """All rows of a batch, but not its records."""
        for name, values in self.work(batch).items():
            if name == "put_runs" and len(values) >= STAGED_ROWS_MIN:
                await self._stage_runs(connection, values)
            else:
                await self._put(connection, name, values)
        await self._write_bundles(connection, batch.bundles, batch.inheritances)
        await self._put(connection, "put_pins", list(batch.pins.items()))
        await self._put(connection, "put_archived", list(batch.archived.items()))
        await self._put(connection, "put_tags", [(path, one.by_hand_json) for path, one in batch.tags.items()])
        if batch.workers:
            await connection.executemany(
                self._queries["put_worker"], [rows.worker_values(one) for one in batch.workers.values()]
            )
        await self._write_services(connection, batch.services.values())
        await self._write_entries(connection, entries.changes(batch, self._services), batch.archived)
        await self._put(connection, "put_deliveries", [rows.delivery_values(one) for one in batch.deliveries.values()])
        await self._write_held(connection, batch.held.values())
        await self._put(connection, "put_quarantine", [rows.item_values(one) for one in batch.quarantine.values()])
        await self._put(connection, "put_links", [rows.link_values(one) for one in batch.links])
        await self._put(connection, "put_orders", [tallies.values(one) for one in batch.tallies.values()])
        await self._put(connection, "put_reports", [rows.report_values(one) for one in batch.reports])

    def written(self, batch: Batch) -> None:
        """The batch is committed."""
        self._inheritances |= batch.inheritances.keys()
        for service_id, service in batch.services.items():
            if service.status.state in SERVICE_ENDS:
                self._services.discard(service_id)
            else:
                self._services.add(service_id)

    async def _put(self, connection: Connection, name: str, values: Sequence[rows.Values]) -> None:
        if values:
            await connection.execute(self._queries[name], *rows.columns(values))

    async def _stage_runs(self, connection: Connection, values: Sequence[rows.Values]) -> None:
        await connection.execute(self._queries["stage_runs"])
        await connection.copy_records_to_table("staged_runs", records=values, columns=rows.RUN_COLUMNS)
        await connection.execute(self._queries["put_staged_runs"])

    async def _write_bundles(
        self, connection: Connection, bundles: Sequence[Contents], inheritances: dict[bytes, str]
    ) -> None:
        if not bundles:
            return
        new = [(digest, text) for digest, text in inheritances.items() if digest not in self._inheritances]
        if new:
            await connection.executemany(self._queries["put_inheritance"], new)
        values = [rows.version_values(one.bundle) for one in bundles]
        made = await connection.fetch(self._queries["put_versions"], *rows.columns(values))
        numbers = {(row["path"], row["version"]): row["id"] for row in made}
        newest = [(one.path, one.version, one.archived, one.tags_json) for one in (each.bundle for each in bundles)]
        await self._put(connection, "put_newest", newest)
        entries = [
            (number, entry.path, entry.size_bytes, entry.digest, entry.mode)
            for one in bundles
            for number in (numbers[one.bundle.path, one.bundle.version],)
            for entry in one.files
        ]
        if entries:
            await connection.copy_records_to_table("files", records=entries, columns=rows.FILE_COLUMNS)

    async def _write_entries(
        self, connection: Connection, changes: entries.Changes, archived: Mapping[str, bool]
    ) -> None:
        if changes.entries:
            values = [rows.entry_values(one) for one in changes.entries.values()]
            taken = await connection.fetch(self._queries["put_entries"], *rows.columns(values))
            renewed = [row["id"] for row in taken if row["was_there"]]
            if renewed:
                await connection.execute(self._queries["void_facts"], renewed, "")
            facts = [fact for row in taken for fact in rows.fact_values(row["id"], changes.entries[row["path"]])]
            await self._put(connection, "put_facts", facts)
        if changes.tags:
            tagged = await connection.fetch(self._queries["put_entry_tags"], *rows.columns([*changes.tags.items()]))
            await connection.execute(self._queries["void_facts"], [row["id"] for row in tagged], Space.TAG)
            facts = [fact for row in tagged for fact in rows.tag_values(row["id"], changes.tags[row["path"]])]
            await self._put(connection, "put_facts", facts)
        await self._put(connection, "put_entry_states", changes.states)
        await self._put(connection, "put_entries_archived", list(archived.items()))

    async def _write_held(self, connection: Connection, deliveries: Iterable[Held]) -> None:
        for one in deliveries:
            digest, text = rows.file_list(one.files)
            await connection.execute(self._queries["put_file_list"], digest, text)
            await connection.execute(self._queries["put_held"], *rows.held_values(one, digest))

    async def _write_services(self, connection: Connection, services: Iterable[ServiceRow]) -> None:
        specs: list[rows.Values] = []
        lists: dict[bytes, str] = {}
        for one in services:
            if one.spec.service_id not in self._services:
                digest, text = rows.file_list(one.spec.files)
                lists[digest] = text
                specs.append(rows.spec_values(one, digest))
        if lists:
            await connection.executemany(self._queries["put_file_list"], list(lists.items()))
        await self._put(connection, "put_services", specs)
        await self._put(connection, "put_service_states", [rows.status_values(one) for one in services])
