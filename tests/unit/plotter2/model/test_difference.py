"""What differs between two versions."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.model import difference
from plotter2.model.bundle import BundleVersion, FileEntry
from plotter2.model.difference import ChangeKind, FileChange, ParameterChange
from plotter2.model.paths import BundlePath

entries = st.builds(
    FileEntry, st.sampled_from("abcdef"), st.just(1), st.sampled_from([b"x", b"y"]), st.sampled_from([0o644, 0o755])
)
lists = st.lists(entries, unique_by=lambda one: one.path).map(sorted)


def version(package_json: str = "", parameters_json: str = "") -> BundleVersion:
    return BundleVersion(BundlePath("a"), 1, b"", 0, 0, package_json=package_json, parameters_json=parameters_json)


def undo(after: list[FileEntry], changes: list[FileChange]) -> list[FileEntry]:
    found = {one.path: one for one in after}
    for change in changes:
        found.pop(change.path, None)
        if change.before is not None:
            found[change.path] = change.before
    return sorted(found.values())


@pytest.mark.req("r006")
@given(lists, lists)
def test_the_changes_lead_from_one_version_to_the_other(before: list[FileEntry], after: list[FileEntry]) -> None:
    changes = list(difference.files(before, after))
    assert undo(after, changes) == before
    assert [one.path for one in changes] == sorted({one.path for one in changes})
    back = list(difference.files(after, before))
    assert [(one.after, one.before) for one in back] == [(one.before, one.after) for one in changes]


@given(lists)
def test_a_version_does_not_differ_from_itself(files: list[FileEntry]) -> None:
    assert not list(difference.files(files, files))


def test_other_permissions_are_a_change() -> None:
    (change,) = difference.files([FileEntry("run.sh", 3, b"x", 0o644)], [FileEntry("run.sh", 3, b"x", 0o755)])
    assert (change.path, change.kind) == ("run.sh", ChangeKind.CHANGED)


def test_parameters_are_what_the_version_was_made_with_else_the_declared_default() -> None:
    declared = json.dumps({"parameters": {"lr": {"default": 0.1}, "seed": {"default": 0}}})
    assert difference.settings(version(declared, '{"lr": 0.20, "note": "é"}')) == {
        "lr": "0.20",
        "seed": "0",
        "note": '"é"',
    }


def test_parameters_are_compared_by_value_and_shown_in_their_own_spelling() -> None:
    before, after = (
        version(parameters_json='{"lr": 0.10, "a": 1, "b": 2}'),
        version(parameters_json='{"lr": 0.1, "b": 2.5, "c": null}'),
    )
    found = difference.parameters(before, after)
    assert found == (
        ParameterChange("a", "1", None),
        ParameterChange("b", "2", "2.5"),
        ParameterChange("c", None, "null"),
    )
    assert [one.kind for one in found] == [ChangeKind.GONE, ChangeKind.CHANGED, ChangeKind.ADDED]
