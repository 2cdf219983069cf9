"""What lies below a bundle, read from the store part by part: as it was when a request was asked, or as it is now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from manager.catalog import Catalog
from manager.store import Store
from plotter2.errors import NotFoundError
from plotter2.model import pins
from plotter2.model.bundle import BundleVersion
from plotter2.model.paths import is_below
from plotter2.model.pins import NOTHING_BELOW, UNPINNED, Place

AT_A_TIME = 1_000


async def pinned_places(store: Store, bundle: str, pinned: bytes) -> Sequence[Place]:
    """What a request fixed to see below a bundle, by the digest of that list; nothing where it fixed nothing.

    Raises:
        NotFoundError: no such list was written.
    """
    if pinned in {UNPINNED, NOTHING_BELOW}:
        return ()
    text = await store.get_pins(pinned)
    if not text:
        raise NotFoundError(f"Nobody has written down what the request sees below {bundle!r}.")
    return pins.decode(text)


async def beneath(
    store: Store, catalog: Catalog, bundle: str, pinned: bytes = UNPINNED
) -> AsyncIterator[list[BundleVersion]]:
    """Versions of bundles below one, in the order of the tree, many at a time; archived bundles are left out.

    Args:
        store: where versions are.
        catalog: says what is there now.
        bundle: below which one.
        pinned: what a request fixed, by its digest; without, the newest versions.

    Raises:
        NotFoundError: no such list was written.
    """
    if pinned == UNPINNED:
        names = list(catalog.below(bundle))
        for start in range(0, len(names), AT_A_TIME):
            part = names[start : start + AT_A_TIME]
            newest = {str(one.path): one for one in await store.newest_of(part) if not one.archived}
            yield [newest[name] for name in part if name in newest]
        return
    known = await pinned_places(store, bundle, pinned)
    places = [place for place in known if is_below(place[0], bundle) and place[0] != bundle]
    for start in range(0, len(places), AT_A_TIME):
        wanted = places[start : start + AT_A_TIME]
        found = {(str(one.path), one.version): one for one in await store.versions_of(wanted)}
        yield [found[place] for place in wanted if place in found]
