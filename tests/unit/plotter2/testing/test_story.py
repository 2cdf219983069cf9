from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import pytest

from plotter2.clock import Instant
from plotter2.errors import UsageError
from plotter2.testing import check, replay
from plotter2.testing.story import describe


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Painted:
    thing: str
    colour: Colour = Colour.RED
    layers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Dry:
    thing: str
    until: float
    after: tuple[Painted, ...] = ()
    notes: dict[str, int] = field(default_factory=dict)


VOCABULARY = {"Painted": Painted, "Colour": Colour}
STORY = """# paint dries
> Painted("wall")

> +2.5
> Painted(thing="door", colour=Colour.RED, layers=[1, 2])
> Painted("air")
"""
TOLD = """# paint dries
> Painted("wall")
Dry(thing='wall', until=1700000001.0)

> +2.5
> Painted(thing="door", colour=Colour.RED, layers=[1, 2])
Dry(thing='door', until=1700000003.5, after=[Painted(thing='door', layers=[1, 2])])
> Painted("air")
nothing
"""


def paint(event: Painted, now: Instant) -> list[object]:
    if event.thing == "air":
        return []
    return [Dry(event.thing, now + 1, (event,) if event.layers else ())]


def test_a_story_is_told_with_what_the_machine_wanted() -> None:
    assert replay(STORY, paint, VOCABULARY) == TOLD


def test_a_story_that_was_told_tells_itself_again() -> None:
    assert replay(TOLD, paint, VOCABULARY) == TOLD


def test_a_story_file_is_recorded_and_then_holds(tmp_path: Path) -> None:
    path = tmp_path / "paint.story"
    path.write_text(STORY)
    check(path, paint, VOCABULARY, record=True)
    assert path.read_text() == TOLD
    check(path, paint, VOCABULARY)


def test_a_story_that_went_otherwise_says_where(tmp_path: Path) -> None:
    path = tmp_path / "paint.story"
    path.write_text(TOLD.replace("until=1700000001.0", "until=7.0"))
    with pytest.raises(
        AssertionError, match=r"(?s)paint.story went otherwise:\nline 3\n  told: .*7\.0.*\n  went: .*001"
    ):
        check(path, paint, VOCABULARY)
    path.write_text(TOLD + "nothing\n")
    with pytest.raises(AssertionError, match="one of the two is longer"):
        check(path, paint, VOCABULARY)


@pytest.mark.parametrize(
    "line", ["Unheard()", "Painted(", "Painted()", "__import__('os')", "Painted(open('x'))", "Colour.BLUE", "+soon"]
)
def test_a_line_that_is_no_event_is_named_by_its_number(line: str) -> None:
    with pytest.raises(UsageError, match="Line 2: "):
        replay(f"# first\n> {line}\n", paint, VOCABULARY)


def test_values_are_shown_in_one_spelling() -> None:
    assert describe({"a": {3, 1}, "b": [Colour.RED, None]}) == "{'a': {1, 3}, 'b': [Colour.RED, None]}"
    assert describe(Dry("x", 1.0, notes={"n": 1})) == "Dry(thing='x', until=1.0, notes={'n': 1})"
