"""A printed report is made a book: its contents say on which page things stand, its links lead where the file lies.

A browser prints contents as links without page numbers, and links to files beside a page as the place where it was
printed. Both are known only when all pages are there, so they are put right in the PDF.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.errors import PyPdfError
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    TextStringObject,
)

from plotter2.errors import FailedError

MARGIN = 42.5
"""Points: 15 mm, as the pages' style sheet says."""
SIZE = 8.0
GAP = 6.0
DIGIT = 0.556
"""The width of a digit in Helvetica, of its size."""
INK = "0.357 0.408 0.459"


def finished(printed: bytes) -> bytes:
    """A PDF as the browser made it, with page numbers in its contents, and no word of where it was printed.

    Raises:
        FailedError: it is none that can be read.
    """
    try:
        return _finished(PdfWriter(clone_from=PdfReader(BytesIO(printed))))
    except (PyPdfError, KeyError, ValueError, TypeError, AttributeError) as wrong:  # of a document that is none
        raise FailedError(f"what the browser printed cannot be read: {wrong}") from wrong


def _finished(writer: PdfWriter) -> bytes:
    numbers = {page.indirect_reference: place for place, page in enumerate(writer.pages, 1)}
    found: Any = writer.named_destinations
    places = {str(name): numbers[_reference(one["/Page"])] for name, one in found.items()}
    for page in list(writer.pages):
        links = list(_links(page))
        for link in links:
            _here(link)
        _number(page, links, places)
    told: Any = writer.metadata or {}
    title = str(told.get("/Title", ""))
    writer.metadata = {"/Title": title, "/Creator": "plotter2"}
    stream = BytesIO()
    writer.write(stream)
    return stream.getvalue()


def _reference(page: Any) -> Any:
    return page.indirect_reference if isinstance(page, PageObject) else page


def _links(page: Any) -> Iterator[Any]:
    for one in page.get("/Annots", ()):
        found = one.get_object()
        if isinstance(found, DictionaryObject) and found.get("/Subtype") == "/Link":
            yield found


def _here(link: Any) -> None:
    """A link to a file beside the page, as its name."""
    action: Any = link.get("/A")
    place = urlsplit(str(action.get_object().get("/URI", ""))) if action is not None else None
    if place is not None and place.scheme == "file":
        action.get_object()[NameObject("/URI")] = TextStringObject(Path(place.path).name)


def _number(page: PageObject, links: list[Any], places: Mapping[str, int]) -> None:
    """Behind each entry of the contents on this page a line of dots and the number of the page that it leads to."""
    entries = {
        str(link["/Dest"]): link for link in links if str(link.get("/Dest", "")) in places
    }  # of two lines: the last
    if not entries:
        return
    width = float(page.mediabox.width)
    has_columns = any(float(link["/Rect"][0]) > width / 2 for link in entries.values())
    drawn = [
        _entry(
            link,
            width / 2 - GAP if has_columns and float(link["/Rect"][0]) < width / 2 else width - MARGIN,
            places[name],
        )
        for name, link in entries.items()
    ]
    layer = PageObject.create_blank_page(width=width, height=float(page.mediabox.height))
    content = DecodedStreamObject()
    content.set_data(f"{INK} rg {INK} RG 0.6 w 1 J [0 3] 0 d\n{''.join(drawn)}".encode())
    layer[NameObject("/Contents")] = content
    font = DictionaryObject({NameObject(f"/{key}"): NameObject(f"/{value}") for key, value in _FONT.items()})
    fonts = DictionaryObject({NameObject("/Contents8"): font})
    layer[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    page.merge_page(layer)
    page.compress_content_streams()


_FONT = {"Type": "Font", "Subtype": "Type1", "BaseFont": "Helvetica", "Encoding": "WinAnsiEncoding"}


def _entry(link: Any, right: float, number: int) -> str:
    left, low, end, high = (float(one) for one in link["/Rect"])
    base = low + (high - low - SIZE) / 2 + SIZE * 0.3
    begin = right - len(str(number)) * DIGIT * SIZE
    link[NameObject("/Rect")] = ArrayObject(FloatObject(one) for one in (left, low, right, high))
    dots = f"{end + GAP:.2f} {base:.2f} m {begin - GAP:.2f} {base:.2f} l S\n" if begin - GAP > end + GAP else ""
    return f"{dots}BT /Contents8 {SIZE} Tf {begin:.2f} {base:.2f} Td ({number}) Tj ET\n"
