"""Rows of versions, their files, what search sees of them, links and reports (pure)."""

from __future__ import annotations

from manager.store.rows.shapes import Row, Values, file_list, to_files
from plotter2.clock import Instant
from plotter2.ids import RequestId, RunId
from plotter2.model.bundle import BundleVersion, FileEntry
from plotter2.model.difference import FileChange
from plotter2.model.entry import Entry, facts
from plotter2.model.link import SaidLink
from plotter2.model.paths import BundlePath
from plotter2.model.report import Report
from plotter2.model.service import ServiceState
from plotter2.model.types import Mode

FILE_COLUMNS = ("version_id", "path", "size_bytes", "digest", "mode")


def version_values(one: BundleVersion) -> Values:
    """For put_versions; whether it is hidden belongs to the bundle."""
    return (
        one.path, one.version, one.digest, one.files, one.size_bytes, one.created_at, one.request_id, one.package_json,
        one.parameters_json, one.run_key, one.ok, one.metrics_json,
        one.inherited,
    )  # fmt: skip


def entry_values(one: Entry) -> Values:
    """For put_entries."""
    return (
        one.path, one.version, one.state, one.at, one.archived, one.parameters_json, one.metrics_json, one.tags_json,
    )  # fmt: skip


def tag_values(entry: int, tags_json: str) -> list[Values]:
    """For put_facts: tags alone."""
    return fact_values(entry, Entry("", 0, ServiceState.DONE, tags_json=tags_json))


def fact_values(entry: int, one: Entry) -> list[Values]:
    """For put_facts; `entry` is the number of its row."""
    return [(entry, fact.space, fact.name, fact.number, fact.word) for fact in facts(one)]


def link_values(one: SaidLink) -> Values:
    """For put_links."""
    return (
        one.request_id, one.src, one.dst, one.operation, one.out_head, one.mode, one.forward, one.backward,
        one.is_forced, one.is_unlinked, one.user, one.created_at,
    )  # fmt: skip


def report_values(one: Report) -> Values:
    """For put_reports."""
    return (one.bundle, one.number, one.run_id, one.made_at, one.about_json, file_list(one.files)[1])


def to_version(row: Row) -> BundleVersion:
    """A version."""
    return BundleVersion(
        BundlePath(row["path"]), row["version"], row["digest"], row["files"], row["size_bytes"],
        Instant(row["created_at"]), RequestId(row["request_id"]), row["archived"], row["package"], row["parameters"],
        row["run_key"], row["ok"], row["metrics"], row["inherited"], row["tags"],
    )  # fmt: skip


def to_entry(row: Row) -> Entry:
    """What search sees."""
    return Entry(
        row["path"], row["version"], ServiceState(row["state"]), Instant(row["at"]), row["archived"], row["parameters"],
        row["metrics"], row["tags"],
    )  # fmt: skip


def to_file(row: Row) -> FileEntry:
    """A file of a version."""
    return FileEntry(row["path"], row["size_bytes"], row["digest"], row["mode"])


def to_file_change(row: Row) -> FileChange:
    """A file that differs between two versions."""
    before, after = (
        FileEntry(row["path"], row[f"{side}_size"], row[f"{side}_digest"], row[f"{side}_mode"])
        if row[f"{side}_digest"] is not None
        else None
        for side in ("before", "after")
    )
    return FileChange(before, after)


def to_link(row: Row) -> SaidLink:
    """What was asked about a link."""
    return SaidLink(
        RequestId(row["request_id"]), row["src"], row["dst"], row["operation"], row["out_head"], Mode(row["mode"]),
        row["forward"], row["backward"], row["is_forced"], row["is_unlinked"], row["user_name"],
        Instant(row["created_at"]),
    )  # fmt: skip


def to_report(row: Row) -> Report:
    """A report with its number."""
    return Report(
        row["bundle"], row["number"], RunId(row["run_id"]), Instant(row["made_at"]), row["about"],
        to_files(row["files"]),
    )  # fmt: skip
