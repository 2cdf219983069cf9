"""Versions, their files, what they inherit and the reports about them, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from manager.store import (
    Page,
)
from manager.store.memory.paging import page
from plotter2.model import difference
from plotter2.model.bundle import BundleVersion, Contents, FileEntry
from plotter2.model.difference import FileChange
from plotter2.model.paths import is_below
from plotter2.model.report import Report


class Bundles:
    """Versions by path."""

    def __init__(self) -> None:
        super().__init__()
        self._versions: dict[str, list[Contents]] = {}
        self._archived: dict[str, bool] = {}
        self._inheritances: dict[bytes, str] = {}
        self._pins: dict[bytes, str] = {}
        self._tags: dict[str, str] = {}
        self._reports: dict[tuple[str, int], Report] = {}

    def _take_version(self, contents: Contents) -> None:
        path = contents.bundle.path
        versions = self._versions.setdefault(path, [])
        if not versions or versions[-1].bundle.version < contents.bundle.version:
            self._archived[path] = contents.bundle.archived
            self._tags[path] = contents.bundle.tags_json
        versions.append(replace(contents, files=tuple(sorted(contents.files))))
        versions.sort(key=lambda one: one.bundle.version)

    async def list_bundles(
        self, offset: int, limit: int, under: str = "", *, archived: bool = False
    ) -> Page[BundleVersion]:
        """The newest version of each bundle, by path."""
        chosen = (
            self._newest(path)
            for path in sorted(self._versions)
            if (not under or is_below(path, under)) and (archived or not self._archived[path])
        )
        return page(chosen, offset, limit)

    async def list_versions(self, bundle: str, offset: int, limit: int) -> Page[BundleVersion]:
        """All versions of one bundle, newest first."""
        return page([self._shown(one) for one in reversed(self._versions.get(bundle, ()))], offset, limit)

    async def get_bundle(self, bundle: str, version: int = 0) -> BundleVersion | None:
        """One version; 0 means the newest."""
        found = self._contents(bundle, version)
        return self._shown(found) if found else None

    async def files_of(self, bundle: str, version: int) -> tuple[FileEntry, ...]:
        """The files of a version, by path."""
        found = self._contents(bundle, version) if version else None
        return found.files if found else ()

    async def files_after(self, bundle: str, version: int, after: str, limit: int) -> tuple[FileEntry, ...]:
        """Files of a version, by path, after one."""
        return tuple(islice((one for one in await self.files_of(bundle, version) if one.path > after), limit))

    async def newest_of(self, bundles: Sequence[str]) -> tuple[BundleVersion, ...]:
        """The newest version of each of these bundles."""
        return tuple(self._newest(path) for path in set(bundles) if path in self._versions)

    async def versions_of(self, places: Sequence[tuple[str, int]]) -> tuple[BundleVersion, ...]:
        """These versions."""
        return tuple(self._shown(found) for place in places if (found := self._contents(*place)) is not None)

    async def get_pins(self, digest: bytes) -> str:
        """The text of a list of pins."""
        return self._pins.get(digest, "")

    async def files_of_many(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], tuple[FileEntry, ...]]:
        """The files of each of these versions."""
        return {place: files for place in places if (files := await self.files_of(*place))}

    async def digests_of(self, wanted: Sequence[tuple[str, int, str]]) -> dict[tuple[str, int, str], bytes]:
        """The digests of single files of versions."""
        found = await self.files_of_many(list(dict.fromkeys((bundle, number) for bundle, number, _ in wanted)))
        known = {(*place, entry.path): entry.digest for place, files in found.items() for entry in files}
        return {one: known[one] for one in wanted if one in known}

    async def get_inheritance(self, digest: bytes) -> str:
        """The text of a snapshot of what is inherited."""
        return self._inheritances.get(digest, "")

    async def changed_files(
        self, before: tuple[str, int], after: tuple[str, int], from_path: str, limit: int
    ) -> tuple[FileChange, ...]:
        """Files that differ between two versions, by path."""
        found = difference.files(await self.files_of(*before), await self.files_of(*after))
        return tuple(islice((one for one in found if one.path > from_path), limit))

    async def find_run_keys(self, run_keys: Sequence[bytes]) -> dict[bytes, BundleVersion]:
        """For each of these keys the newest version that a successful service run left under it."""
        wanted = set(run_keys) - {b""}
        chosen = [
            one
            for versions in self._versions.values()
            for one in versions
            if one.bundle.run_key in wanted and one.bundle.ok
        ]
        chosen.sort(key=lambda one: one.bundle.created_at)
        return {one.bundle.run_key: self._shown(one) for one in chosen}

    async def get_report(self, bundle: str, number: int) -> Report | None:
        """A report of a bundle, by its number."""
        return self._reports.get((bundle, number))

    def _contents(self, bundle: str, version: int) -> Contents | None:
        versions = self._versions.get(bundle, [])
        if not version:
            return versions[-1] if versions else None
        return next((one for one in versions if one.bundle.version == version), None)

    def _shown(self, one: Contents) -> BundleVersion:
        path = one.bundle.path
        return replace(one.bundle, archived=self._archived[path], tags_json=self._tags[path])

    def _newest(self, path: str) -> BundleVersion:
        return self._shown(self._versions[path][-1])
