"""Bundles and content: list, describe, fetch, put."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

from manager.beneath import beneath
from manager.doors import Doors
from manager.rpc import looking
from manager.rpc.requests import page_of
from manager.rpc.versions import version_of
from plotter2 import lending
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.errors import LimitError, UsageError
from plotter2.model import manifest, paths
from plotter2.model.bundle import DIGEST_BYTES, BundleVersion, FileEntry
from plotter2.model.depends import depends
from plotter2.rpc import Context
from plotter2.wire import bundles as wire
from plotter2.wire.links import verdict_to_proto
from plotter2.wire.ways import ways_to_proto

CHUNK_BYTES = 1 << 20
DIGESTS_MAX = 100_000
FILES_A_PART = 10_000
FILES_IN_ONE_MAX = 100_000
"""A file takes 50 bytes and its path; a message has at most 16 MiB."""


class BundleCalls:
    """What is in the store."""

    _doors: Doors

    async def ListBundles(self, request: pb.ListBundlesRequest, context: Context) -> pb.ListBundlesResponse:  # noqa: N802 -- gRPC's name
        """Newest version of each bundle by path, or all versions of one."""
        del context
        offset, limit = page_of(request.page)
        under = paths.bundle_path(request.under) if request.under else ""
        if request.versions:
            page = await self._doors.store.list_versions(under, offset, limit)
        else:
            page = await self._doors.store.list_bundles(offset, limit, under, archived=request.with_archived)
        if under and not page.total:
            self._doors.state.catalog.check_place(under)
        return pb.ListBundlesResponse(bundles=[wire.bundle_to_proto(one) for one in page.items], total=page.total)

    async def GetBundle(self, request: pb.GetBundleRequest, context: Context) -> pb.GetBundleResponse:  # noqa: N802 -- gRPC's name
        """One version, with its files and everything below it where asked, in one message."""
        del context
        response, count = pb.GetBundleResponse(), 0
        async for part in self._parts(request):
            count += len(part.files) + sum(len(one.files) for one in part.descendants)
            if count > FILES_IN_ONE_MAX:
                raise LimitError(
                    f"Bundle {request.bundle!r} has more than {FILES_IN_ONE_MAX:,} files with what lies below it; that "
                    "is too much for one message: ReadBundle gives the same in parts."
                )
            response.MergeFrom(part)
        return wire.put_together([response])

    async def ReadBundle(  # noqa: N802 -- gRPC's name
        self, request: pb.ReadBundleRequest, context: Context
    ) -> AsyncIterator[pb.ReadBundleResponse]:
        """One version in parts, however many files it has."""
        del context
        async for part in self._parts(request.bundle):
            yield pb.ReadBundleResponse(part=part)

    async def _parts(self, request: pb.GetBundleRequest) -> AsyncIterator[pb.GetBundleResponse]:
        name = paths.bundle_path(request.bundle)
        if request.pinned_by and not request.version:
            found = await looking.loaded(self._doors, request.pinned_by, name)
        else:
            found = await version_of(self._doors, name, request.version)
        yield await self._head(request, name, found)
        spoken = {found.inherited}
        with_all = request.with_files and not request.HasField("files_max")
        if request.with_files:
            last, count = request.files_after, 0
            async for files in self._files(found, found.files if with_all else request.files_max, last):
                last, count = files[-1].path, count + len(files)
                yield pb.GetBundleResponse(files=map(wire.file_entry_to_proto, files))
            if count and await self._has_more(found, request.files_after, count, last):
                yield pb.GetBundleResponse(files_next=last)
        if request.with_descendants:
            pinned = await looking.pinned_by(self._doors, request.pinned_by)
            below = beneath(self._doors.store, self._doors.state.catalog, name, pinned)
            async for part in self._descendants(below, spoken, with_files=with_all):
                yield part
        for digest in sorted(spoken - {b""}):
            text = await self._doors.store.get_inheritance(digest)
            yield pb.GetBundleResponse(inheritances=[pb.Inheritance(digest=digest, inherited_json=text)])

    async def _files(self, found: BundleVersion, count_max: int, after: str) -> AsyncIterator[Sequence[FileEntry]]:
        left = min(found.files, count_max)
        while left > 0:  # a version never changes, so nobody need ask whether there are more
            files = await self._doors.store.files_after(found.path, found.version, after, min(left, FILES_A_PART))
            if not files:
                return
            yield files
            after, left = files[-1].path, left - len(files)

    async def _has_more(self, found: BundleVersion, after: str, count: int, last: str) -> bool:
        """Whether there are files behind `last`, the last of `count` that stand behind `after`."""
        if not after or count == found.files:
            return count < found.files
        return bool(await self._doors.store.files_after(found.path, found.version, last, 1))

    async def _descendants(
        self, below: AsyncIterator[Sequence[BundleVersion]], spoken: set[bytes], *, with_files: bool
    ) -> AsyncIterator[pb.GetBundleResponse]:
        """What lies below, many bundles a part; one with very many files goes over several."""
        part, count = pb.GetBundleResponse(), 0
        async for versions in below:
            places = [(one.path, one.version) for one in versions]
            found = await self._doors.store.files_of_many(places) if with_files else {}
            for version, portion in _portions(versions, found):
                spoken.add(version.inherited)
                part.descendants.append(_described(version, portion))
                count += len(portion) + 1
                if count >= FILES_A_PART:
                    yield part
                    part, count = pb.GetBundleResponse(), 0
        if count:
            yield part

    async def _head(self, request: pb.GetBundleRequest, name: str, found: BundleVersion) -> pb.GetBundleResponse:
        response = _described(found, ())
        if request.with_manifest:
            delivery = await self._doors.store.get_delivery_of(found.request_id)
            if delivery is not None and delivery.manifest_json:
                response.manifest_json = delivery.manifest_json
                response.depends.extend(await asyncio.to_thread(_depends, delivery.manifest_json))
        node = self._doors.state.catalog.get(name)
        if request.with_verdicts and node is not None:
            response.verdicts.extend(map(verdict_to_proto, self._doors.state.bonds.verdicts(node)))
        if request.with_ways:
            await self._add_ways(request, found, response)
        return response

    async def _add_ways(
        self, request: pb.GetBundleRequest, target: BundleVersion, response: pb.GetBundleResponse
    ) -> None:
        """What a task can call here, and the bundles that lend what it needs."""
        origin = target
        if request.task_bundle and request.task_bundle != target.path:
            origin = await version_of(self._doors, request.task_bundle, request.task_version)
        found = await looking.lent(self._doors, request.pinned_by, target, origin)
        response.is_settled = found.is_settled
        response.ways.extend(ways_to_proto(found.ways))
        for path, number in found.lenders.items() if request.with_files else ():
            lender = await version_of(self._doors, path, number)
            files = await self._doors.store.files_of(lender.path, lender.version)
            wanted = lending.needed([one.path for one in files], lender.package_json, found.heads_of(path))
            response.lenders.append(_described(lender, [one for one in files if one.path in wanted]))

    async def FetchBlob(  # noqa: N802 -- gRPC's name
        self, request: pb.FetchBlobRequest, context: Context
    ) -> AsyncIterator[pb.FetchBlobResponse]:
        """Content by digest, from an offset on."""
        del context
        _check_digest(request.digest)
        source = await asyncio.to_thread(self._doors.organizer.open_blob, request.digest)
        with source:
            await asyncio.to_thread(source.seek, request.offset)
            while data := await asyncio.to_thread(source.read, CHUNK_BYTES):
                yield pb.FetchBlobResponse(data=data)

    async def HaveBlobs(self, request: pb.HaveBlobsRequest, context: Context) -> pb.HaveBlobsResponse:  # noqa: N802 -- gRPC's name
        """Which contents are here."""
        del context
        if len(request.digests) > DIGESTS_MAX:
            raise UsageError(f"Ask for at most {DIGESTS_MAX:,} digests at a time.")
        for digest in request.digests:
            _check_digest(digest)
        have = await asyncio.to_thread(self._doors.organizer.have, list(request.digests))
        return pb.HaveBlobsResponse(have=have)

    async def PutBlob(  # noqa: N802 -- gRPC's name
        self, request_iterator: AsyncIterator[pb.PutBlobRequest], context: Context
    ) -> pb.PutBlobResponse:
        """Content from somebody who does not share our file system."""
        del context
        first = await anext(aiter(request_iterator), None)
        if first is None or first.WhichOneof("step") != "begin":
            raise UsageError("The first message must be 'begin'.")
        _check_digest(first.begin.digest)

        async def chunks() -> AsyncIterator[bytes]:
            async for message in request_iterator:
                yield message.data

        is_new = await self._doors.organizer.put_stream(first.begin.digest, first.begin.size_bytes, chunks())
        return pb.PutBlobResponse(is_new=is_new)


def _portions(
    versions: Sequence[BundleVersion], found: Mapping[tuple[str, int], Sequence[FileEntry]]
) -> Iterator[tuple[BundleVersion, Sequence[FileEntry]]]:
    """Each version with its files; one that has very many comes several times, with some of them each."""
    for version in versions:
        files = found.get((version.path, version.version), ())
        for start in range(0, len(files) or 1, FILES_A_PART):
            yield version, files[start : start + FILES_A_PART]


def _described(version: BundleVersion, files: Sequence[FileEntry]) -> pb.GetBundleResponse:
    return pb.GetBundleResponse(bundle=wire.bundle_to_proto(version), files=map(wire.file_entry_to_proto, files))


def _depends(manifest_json: str) -> list[str]:
    return [str(one) for one in depends(manifest.parse(manifest_json))]


def _check_digest(digest: bytes) -> None:
    if len(digest) != DIGEST_BYTES:
        raise UsageError(f"A digest has {DIGEST_BYTES} bytes, not {len(digest)}.")
