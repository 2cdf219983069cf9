"""What a render template says: looks of figures, plots and reports, as values (r009, pure).

`plotter2.datter.pages.templates` reads and checks them.
"""

from __future__ import annotations

import msgspec

DEFAULT = "default"
"""The template that holds where none is named."""


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all tables of a template have in common."""


class Shades(_Section, frozen=True):
    """Colours of words and grounds; "" for ours."""

    ink: str = ""
    muted: str = ""
    grid: str = ""
    paper: str = ""
    ground: str = ""
    accent: str = ""


class Coloured(Shades, frozen=True):
    """Colours of words and grounds, and those of data.

    Attributes:
        palette: for things side by side, in this order.
        gradient: for numbers, from the least to the greatest.
    """

    palette: tuple[str, ...] = ()
    gradient: tuple[str, ...] = ()


class Lettering(_Section, frozen=True):
    """How words look; `size` in pixels, 0 for ours."""

    family: str = ""
    size: int = 0


class Extent(_Section, frozen=True):
    """How large each drawing is, in pixels; 0 for what the page has room for."""

    width: int = 0
    height: int = 0


class Axes(_Section, frozen=True):
    """How axes are drawn: with a grid or not, and how many (0, 1: only x, 2)."""

    grid: bool = True
    count: int | None = None


class Legend(_Section, frozen=True):
    """Whether legends are shown; not said: where there is something to tell apart."""

    show: bool | None = None


class Layout(_Section, frozen=True):
    """How many drawings lie side by side; 0: as many as suits their number."""

    columns: int = 0


class Template(_Section, frozen=True):
    """One template, read and checked.

    Attributes:
        description: for people.
        extends: the template whose values hold where this one says nothing.
        page: the name of an HTML file beside it, the page around the figures; once resolved: its text.
        dark: colours where the reader's browser is dark.
        name: what it is called, "" for none.
        digest: of all that it says, its page and what it extends included; hexadecimal.
    """

    description: str = ""
    extends: str = ""
    page: str = ""
    colours: Coloured = Coloured()
    dark: Shades = Shades()
    font: Lettering = Lettering()
    size: Extent = Extent()
    axes: Axes = Axes()
    legend: Legend = Legend()
    layout: Layout = Layout()
    name: str = ""
    digest: str = ""


NONE = Template()
