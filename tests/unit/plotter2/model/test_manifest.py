from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.clock import Instant
from plotter2.errors import ManifestError
from plotter2.model import manifest
from tests.effort import CALLS_PER_S, counted

NOW = Instant(1.7e9)
GOOD = manifest.write("ada", NOW, {})
HASH = "ab" * 32


def paper(**changes: Any) -> str:
    return json.dumps({**json.loads(GOOD), **changes})


@pytest.mark.req("r067")
def test_what_we_write_we_read() -> None:
    found = manifest.parse(manifest.write("ada", NOW, {}, {"note": 1}))
    assert (found.user, found.time, found.meta, found.contains) == ("ada", 1_700_000_000, {"note": 1}, {})
    assert (found.files, found.warnings) == (None, ())


@pytest.mark.req("r067")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"date": "x"}, "'date' must be an ISO 8601 date"),
        ({"date": 5}, "'date' must be a string"),
        ({"time": -1}, "'time' must be Unix seconds"),
        ({"time": 10**300}, "'time' must be Unix seconds"),
        ({"time": True}, "'time' must be an integer"),
        ({"user": "a\0b"}, "'user' must be a name"),
        ({"user": "a" * 201}, "'user' must be a name"),
        ({"manifest_version": 99}, "'manifest_version' is 99; this plotter2 reads 1"),
        ({"meta": []}, "'meta' must be an object, not a list"),
        ({"contains": None}, "'contains' must be an object, not null"),
    ],
)
def test_a_key_of_the_wrong_kind_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ManifestError, match=said):
        manifest.parse(paper(**changes))


@pytest.mark.req("r060", "r065", "r067", "r068")
def test_contains_has_four_kinds_of_parts_all_optional() -> None:
    inner = {"files": [{"path": "b", "sha256": HASH.upper(), "size": 2}], "packages": [], "tasks": []}
    contains = {
        "packages": [{"parameters": {"lr": {"type": "float"}}}],
        "tasks": [{"name": "loss", "task_src": "tasks/loss.py", "linked": ["experiments/digits"]}],
        "submanifests": [{"name": "data", "meta": {}, "contains": inner}, {}],
        "files": [{"path": "a", "sha256": HASH, "size": 1}],
    }
    found = manifest.parse(paper(contains=contains))
    assert found.contains == contains
    assert found.files == {"a": manifest.Listed("a", HASH, 1), "b": manifest.Listed("b", HASH, 2)}
    assert found.warnings == ()


def nested(depth: int) -> dict[str, Any]:
    return {"submanifests": [{"contains": nested(depth - 1)}]} if depth else {}


@pytest.mark.req("r060", "r067")
@pytest.mark.parametrize(
    ("contains", "said"),
    [
        ({"files": {}}, "'contains.files' must be a list, not an object"),
        ({"files": ["a"]}, r"'contains.files\[0\]' must be an object with 'path'"),
        ({"files": [{"path": "a", "sha256": "00", "size": 1}]}, "64 hexadecimal digits"),
        ({"files": [{"path": "a", "sha256": HASH, "size": True}]}, r"contains.files\[0\]"),
        ({"files": [{"path": "a", "sha256": HASH, "size": -1}]}, r"contains.files\[0\]"),
        (
            {"files": [{"path": "a", "sha256": HASH, "size": 1}, {"path": "a", "sha256": HASH, "size": 2}]},
            "lists 'a' twice",
        ),
        ({"packages": [{"parametersX": {}}]}, r"'contains.packages\[0\]' cannot be understood: 'parametersX'"),
        ({"tasks": [{"task_src": "a.py"}]}, "'contains.tasks' cannot be understood"),
        ({"submanifests": ["x"]}, r"'contains.submanifests\[0\]' must be an object, not a string"),
        ({"submanifests": [{"contains": []}]}, r"submanifests\[0\].contains' must be an object, not a list"),
        ({"tasks": [{}] * 1001}, "'contains.tasks' has more than 1000 items"),
        (nested(9), "nested deeper than 8 levels"),
    ],
)
def test_a_part_that_is_none_is_named(contains: dict[str, Any], said: str) -> None:
    with pytest.raises(ManifestError, match=said):
        manifest.parse(paper(contains=contains))


@pytest.mark.req("r067")
def test_what_is_not_known_is_a_warning() -> None:
    found = manifest.parse(paper(more=1, contains={"file": [], "submanifests": [{"x": 1}]}))
    assert found.warnings == (
        "manifest.json: unknown key 'more' is ignored",
        "manifest.json: unknown key 'contains.file' is ignored",
        "manifest.json: unknown key 'contains.submanifests[0].x' is ignored",
    )


@pytest.mark.req("r067")
def test_a_date_and_a_time_that_disagree_are_a_warning() -> None:
    assert not manifest.parse(paper(date="2023-11-15")).warnings
    (warning,) = manifest.parse(paper(date="2023-11-20")).warnings
    assert "more than a day apart" in warning


@pytest.mark.req("r067")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace('"meta": {}', '"meta": {"a": 1, "a": 2}'), "line 6: 'meta.a' stands twice"),
        (GOOD.replace('"meta": {}', '"meta": {"a": NaN}'), "line 6: 'meta.a' is NaN"),
        (GOOD.replace('"meta": {}', '"meta": {"a": -Infinity}'), "'meta.a' is -Infinity"),
        (GOOD.replace('"meta": {}', '"meta": {"a": 1e400}'), "'meta.a' is 1e400, which is no finite number"),
        (GOOD.replace('"meta": {}', '"meta": {"a": ' + "9" * 400 + "}"), "no finite number"),
        (GOOD.replace('"meta": {}', '"meta": {"a": ' + "9" * 5000 + "}"), "no finite number"),
        (GOOD.replace('"meta": {}', '"meta": {"a": "\\ud800"}'), "half of a surrogate pair"),
        (GOOD.replace('"meta": {}', '"meta": {"a": "\udcff"}'), "half of a surrogate pair"),
        (GOOD.replace('"meta": {}', '"meta": ' + '{"a":' * 100 + "1" + "}" * 100), "nested deeper than 64"),
        ("[" * 100_000, "nested deeper than 64"),
        ("\ufeff" + GOOD, "not JSON"),
        (GOOD + "x", "not JSON: Extra data at line 8"),
        ("", "not JSON"),
        ("[]", "must be a JSON object, not a list"),
        ("x" * (13 << 20), "more than 12582912 bytes"),
    ],
)
def test_json_is_read_strictly(text: str, said: str) -> None:
    with pytest.raises(ManifestError, match=said):
        manifest.parse(text)


def test_whole_surrogate_pairs_are_text() -> None:
    assert manifest.parse(paper(user="\U0001f600")).user == "\U0001f600"


MANY = manifest.BYTES_MAX


@pytest.mark.parametrize(
    "text",
    [
        "[" + "0," * (MANY // 2 - 2) + "0]",
        "[]" * (MANY // 2),
        '"' * MANY,
        "{" + ",".join(f'"{number}":0' for number in range(1_000_000)) + "}",
        "[" + ("9" * 309 + ",") * (MANY // 310 - 1) + "0]",
        "-" * MANY,
    ],
    ids=["numbers", "lists", "quotes", "keys", "digits", "signs"],
)
def test_the_worst_that_fits_is_refused_fast(text: str) -> None:
    with counted() as effort, pytest.raises(ManifestError):
        manifest.parse(text)
    assert effort.calls < CALLS_PER_S, "a second's work"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner)
    | st.dictionaries(st.text(), inner), max_leaves=20,
)  # fmt: skip


@given(st.text() | json_values.map(json.dumps))
def test_whatever_comes_is_a_manifest_or_refused_in_one_sentence(text: str) -> None:
    try:
        found = manifest.parse(text)
    except ManifestError as wrong:
        assert wrong.message.endswith(".")  # noqa: PT017 -- either is right
    else:
        assert found.manifest_version == 1


keys = st.sampled_from(["date", "time", "user", "manifest_version", "meta", "contains"])


@given(keys, json_values)
def test_any_value_under_any_key_is_taken_or_refused(key: str, value: Any) -> None:
    try:
        found = manifest.parse(paper(**{key: value}))
    except ManifestError:
        return
    assert getattr(found, key) == value
