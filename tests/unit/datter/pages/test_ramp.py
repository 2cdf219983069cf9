"""Panels that share their colours have one bar below all of them."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from plotter2.datter.context import Context
from plotter2.datter.figures import automatic, visuals
from plotter2.datter.figures.drawing import plot
from plotter2.datter.figures.figure import Colours, Figure
from plotter2.datter.figures.frame import Frame
from plotter2.datter.pages import compose, picture, ramp
from plotter2.datter.pages.canvas import Svg
from plotter2.datter.values.group import DataGroup

CELLS = DataGroup.of([np.eye(3) * scale for scale in (1, 2, 5)], name="cells")


@pytest.mark.req("r134", "r137")
def test_small_multiples_have_one_bar_under_the_last_of_them(context: Context) -> None:
    frame = Frame()
    plot(frame, CELLS)
    sent = compose.send(context, frame)
    written = (context.run.output_dir / sent.path).read_text()
    assert written.count('class="ramp"') == 1
    assert written.rindex('class="panel matrix"') < written.index('class="ramp"')
    assert '"name":"ColorBar"' not in written


def test_a_matrix_alone_keeps_its_own(context: Context) -> None:
    frame = Frame()
    plot(frame, CELLS[0])
    written = (context.run.output_dir / compose.send(context, frame).path).read_text()
    assert 'class="ramp"' not in written
    assert '"name":"ColorBar"' in written


def test_panels_of_two_groups_have_a_bar_each() -> None:
    first, second = (automatic.panels_of(DataGroup.of([np.eye(3) * by, np.eye(3)])) for by in (2, 10))
    assert ramp.shared([*first, *second]) == [first[0].colours, second[0].colours]
    assert ramp.shared([visuals.matrix(np.eye(2))]) == []


def test_its_marks_lie_where_their_values_are() -> None:
    plain = {word: share for share, word in ramp.marks(Colours("sequential", 0, 10))}
    assert plain["2"] == pytest.approx(0.2)
    log = {word: share for share, word in ramp.marks(Colours("sequential", 1, 1e4, is_log=True))}
    assert log["100"] == pytest.approx(0.5)
    assert "&lt;mass&gt;" in ramp.bar(Colours("sequential", 0, 1, "<mass>"))


def test_the_small_picture_has_the_bar_too() -> None:
    panels = tuple(automatic.panels_of(CELLS))
    figure = Figure("cells", panels, columns=3)
    alone = replace(figure, panels=(visuals.matrix(np.eye(3)),))
    assert picture.size_of(figure)[1] - picture.size_of(alone)[1] == picture.RAMP_HEIGHT
    canvas = Svg(*picture.size_of(figure))
    picture.draw(figure, canvas)
    assert len(re.findall("<image", canvas.encode().decode())) == len(panels) + 1
