"""What people name and ask for, found in the store: what gRPC and the pages have in common."""

from __future__ import annotations

from manager.catalog import Catalog
from manager.store import Page, Store
from plotter2.errors import NotFoundError
from plotter2.model import paths, query
from plotter2.model.bundle import BundleVersion
from plotter2.model.entry import Entry, Space
from plotter2.model.query import Field, Order, Own, Search

NEWEST_FIRST = (Order(Field(Own.TIME), is_descending=True),)


async def find(
    store: Store, where: str, sort: str, page: tuple[int, int], under: str = "", *, archived: bool = False
) -> Page[Entry]:
    """Read a query and ask the store; `page` is offset and limit.

    Raises:
        UsageError: it is no query; the column, and what would be right.
        NotFoundError: it names what no run has; the column, and the nearest that one has.
    """
    condition, order = query.parse(where), query.parse_sort(sort)
    asked = {"where": [*query.fields(condition)], "sort": [key.field for key in order]}
    names = {(field.of, field.name) for fields in asked.values() for field in fields if isinstance(field.of, Space)}
    if names:
        known = await store.fact_names(names)
        for what, fields in asked.items():
            query.check_names(what, fields, known)
    return await store.search(Search(condition, order or NEWEST_FIRST, under, archived), *page)


async def version_of(store: Store, catalog: Catalog, name: str, number: int) -> BundleVersion:
    """One version of a bundle; 0 is the newest.

    Raises:
        NotFoundError: there is no such bundle, or no such version; the message says what there is.
    """
    path = paths.bundle_path(name)
    found = await store.get_bundle(path, number)
    if found is not None:
        return found
    catalog.need(path)  # its message names those nearby
    newest = await store.get_bundle(path)
    there = f"; its versions are 1 to {newest.version}" if newest else ""
    raise NotFoundError(f"Bundle {path!r} has no version {number}{there}.")
