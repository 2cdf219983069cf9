import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.errors import LimitError, RefusedError
from plotter2.ids import WorkerId
from plotter2.mqtt.topics import (
    OURS,
    PAYLOAD_BYTES_MAX,
    Kind,
    Topic,
    Topics,
    check_filter,
    check_message,
    level,
    matches,
)

levels = st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True)
TOPICS = Topics("lab", "main")


@given(levels, levels, levels, st.sampled_from(Kind))
def test_a_topic_that_was_built_is_read_back(tenant: str, channel: str, worker: str, kind: Kind) -> None:
    topics = Topics(tenant, channel)
    topic = Topic(kind, WorkerId(worker) if kind in OURS else WorkerId(""))
    assert topics.parse(topics.build(topic)) == topic


@given(st.text(max_size=80))
def test_any_text_can_be_read_and_means_a_topic_or_nothing(text: str) -> None:
    for candidate in (text, f"{TOPICS.base}/control/{text}"):
        found = TOPICS.parse(candidate)
        assert found is None or TOPICS.build(found) == candidate


@pytest.mark.req("r082")
def test_the_names_are_propellers() -> None:
    assert TOPICS.create == "m/lab/c/main/control/proplet/create"
    assert TOPICS.alive == "m/lab/c/main/control/proplet/alive"
    assert TOPICS.results == "m/lab/c/main/control/proplet/results"
    assert TOPICS.start == "m/lab/c/main/control/manager/start"
    assert TOPICS.stop == "m/lab/c/main/control/manager/stop"
    assert TOPICS.assign("w1") == "m/lab/c/main/control/manager/w1/assign"
    assert TOPICS.report("w1") == "m/lab/c/main/control/proplet/w1/report"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "m/lab/c/main",
        "m/lab/c/main/control",
        "m/lab/c/main/control/proplet",
        "m/lab/c/main/control/proplet/unheard-of",
        "m/lab/c/main/control/manager/alive",
        "m/lab/c/main/control/proplet/w1/alive",
        "m/lab/c/main/control/manager/assign",
        "m/lab/c/main/control/manager//assign",
        "m/other/c/main/control/proplet/alive",
        "m/lab/c/main/registry/proplet",
    ],
)
def test_what_is_not_a_topic_of_this_channel_means_nothing(text: str) -> None:
    assert TOPICS.parse(text) is None


@pytest.mark.parametrize("text", ["", "a/b", "a+", "#", "a.b", "a b", "a\n", "x" * 129])
def test_a_name_that_a_broker_would_misread_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="cannot be a level of a topic"):
        level(text, "worker id")
    with pytest.raises(RefusedError):
        Topics(text, "main")


def test_a_worker_where_there_is_none_in_the_topic_is_refused() -> None:
    with pytest.raises(RefusedError, match="shared by all workers"):
        TOPICS.build(Topic(Kind.ALIVE, WorkerId("w1")))
    with pytest.raises(RefusedError, match="needs a worker"):
        TOPICS.build(Topic(Kind.ASSIGN))


def test_the_managers_filter_catches_what_workers_send_and_nothing_else() -> None:
    for kind in Kind:
        text = TOPICS.build(Topic(kind, WorkerId("w1" if kind in OURS else "")))
        assert matches(TOPICS.from_workers, text) == ("/control/proplet/" in text)


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/b/c", "a/b", False),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/+", "a/", True),
        ("+/+", "/a", True),
        ("+", "/a", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
    ],
)
def test_filters_match_as_the_standard_says(pattern: str, topic: str, expected: bool) -> None:
    assert matches(pattern, topic) is expected


@given(st.lists(levels, min_size=1, max_size=6), st.data())
def test_a_topic_with_levels_made_wild_still_matches(parts: list[str], data: st.DataObject) -> None:
    wild = [data.draw(st.sampled_from([part, "+"])) for part in parts]
    cut = data.draw(st.integers(0, len(wild)))
    assert matches("/".join(wild), "/".join(parts))
    assert matches("/".join([*wild[:cut], "#"]), "/".join(parts))


@pytest.mark.parametrize("text", ["", "a/#/b", "a#", "a+/b", "x" * 2000])
def test_a_filter_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="filter"):
        check_filter(text)


@pytest.mark.parametrize("text", ["a/b", "+/b/#", "#", "+"])
def test_a_filter_passes(text: str) -> None:
    assert check_filter(text) == text


@pytest.mark.parametrize("text", ["", "a/+", "a/#", "a\0", "x" * 2000])
def test_a_topic_with_wildcards_cannot_be_published_to(text: str) -> None:
    with pytest.raises(RefusedError, match="published to"):
        check_message(text, b"")


def test_a_message_that_brokers_do_not_take_is_refused_before_it_is_sent() -> None:
    with pytest.raises(LimitError, match="too long for the bus"):
        check_message("a", bytes(PAYLOAD_BYTES_MAX + 1))
