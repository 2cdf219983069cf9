"""Files and bundle versions."""

from __future__ import annotations

from collections.abc import Iterable

from plotter2.api.v1 import common_pb2, manager_pb2
from plotter2.clock import Instant
from plotter2.ids import RequestId
from plotter2.model.bundle import MODE, BundleVersion, FileEntry
from plotter2.model.difference import FileChange, ParameterChange
from plotter2.model.paths import BundlePath


def file_entry_to_proto(entry: FileEntry) -> common_pb2.FileEntry:
    """A file of a version."""
    return common_pb2.FileEntry(path=entry.path, size_bytes=entry.size_bytes, digest=entry.digest, mode=entry.mode)


def file_entry_from_proto(message: common_pb2.FileEntry) -> FileEntry:
    """A file of a version, as its sender spelled it: the path is not checked here."""
    mode = message.mode if message.HasField("mode") else MODE
    return FileEntry(message.path, message.size_bytes, message.digest, mode)


def put_together(parts: Iterable[manager_pb2.GetBundleResponse]) -> manager_pb2.GetBundleResponse:
    """A version from its parts, as ReadBundle gives them."""
    whole = manager_pb2.GetBundleResponse()
    for part in parts:
        below = [*part.descendants]
        rest = manager_pb2.GetBundleResponse()
        rest.CopyFrom(part)
        rest.ClearField("descendants")
        whole.MergeFrom(rest)
        for one in below:
            if whole.descendants and whole.descendants[-1].bundle.path == one.bundle.path:
                whole.descendants[-1].files.extend(one.files)
            else:
                whole.descendants.append(one)
    return whole


def bundle_to_proto(bundle: BundleVersion) -> common_pb2.Bundle:
    """A version of a bundle."""
    return common_pb2.Bundle(
        path=bundle.path,
        version=bundle.version,
        digest=bundle.digest,
        files=bundle.files,
        size_bytes=bundle.size_bytes,
        created_at=bundle.created_at,
        request_id=bundle.request_id,
        archived=bundle.archived,
        package_json=bundle.package_json,
        parameters_json=bundle.parameters_json,
        run_key=bundle.run_key,
        is_ok=bundle.ok,
        metrics_json=bundle.metrics_json,
        inherited=bundle.inherited,
        tags_json=bundle.tags_json,
    )


def bundle_from_proto(message: common_pb2.Bundle) -> BundleVersion:
    """A version of a bundle."""
    return BundleVersion(
        path=BundlePath(message.path),
        version=message.version,
        digest=message.digest,
        files=message.files,
        size_bytes=message.size_bytes,
        created_at=Instant(message.created_at),
        request_id=RequestId(message.request_id),
        archived=message.archived,
        package_json=message.package_json,
        parameters_json=message.parameters_json,
        run_key=message.run_key,
        ok=message.is_ok,
        metrics_json=message.metrics_json,
        inherited=message.inherited,
        tags_json=message.tags_json,
    )


def file_change_to_proto(change: FileChange) -> manager_pb2.FileChange:
    """A file that differs between two versions."""
    return manager_pb2.FileChange(
        before=None if change.before is None else file_entry_to_proto(change.before),
        after=None if change.after is None else file_entry_to_proto(change.after),
    )


def file_change_from_proto(message: manager_pb2.FileChange) -> FileChange:
    """A file that differs between two versions."""
    return FileChange(
        file_entry_from_proto(message.before) if message.HasField("before") else None,
        file_entry_from_proto(message.after) if message.HasField("after") else None,
    )


def parameter_change_to_proto(change: ParameterChange) -> manager_pb2.ParameterChange:
    """A parameter that differs between two versions."""
    return manager_pb2.ParameterChange(name=change.name, before_json=change.before_json, after_json=change.after_json)


def parameter_change_from_proto(message: manager_pb2.ParameterChange) -> ParameterChange:
    """A parameter that differs between two versions."""
    return ParameterChange(
        message.name,
        message.before_json if message.HasField("before_json") else None,
        message.after_json if message.HasField("after_json") else None,
    )
