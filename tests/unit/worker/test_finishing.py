"""Printed reports as books."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader

from plotter2.errors import FailedError
from tests.unit.worker.kit import paper
from worker.finishing import finished


@pytest.mark.req("r158")
def test_each_entry_of_the_contents_gets_the_number_of_its_page() -> None:
    whole = PdfReader(BytesIO(finished(paper(entries={"s1": 0, "s2": 1, "s3": 2}))))
    assert whole.pages[0].extract_text().split() == ["1", "2", "3"]
    assert [one.extract_text() for one in whole.pages[1:]] == ["", ""]
    rects = [one.get_object()["/Rect"] for one in whole.pages[0]["/Annots"]]
    assert {float(one[2]) for one in rects} == {595 - 42.5}, "numbers can be clicked too"


def test_contents_in_two_columns_have_their_numbers_in_both() -> None:
    whole = PdfReader(BytesIO(finished(paper(entries={"s1": 0, "s2": 1}, lefts=(40, 320)))))
    rects = [one.get_object()["/Rect"] for one in whole.pages[0]["/Annots"]]
    assert [float(one[2]) for one in rects] == [595 / 2 - 6, 595 - 42.5]


@pytest.mark.req("r158")
def test_links_to_files_lead_where_the_pdf_lies_and_others_stay() -> None:
    given = ("file:///home/x/temp/runs/.desk/a%20table.csv", "https://example.org/a")
    printed = finished(paper(files=given))
    links = [one.get_object()["/A"]["/URI"] for one in PdfReader(BytesIO(printed)).pages[0]["/Annots"]]
    assert links == ["a%20table.csv", given[1]]
    assert b"/home/x" not in printed


def test_it_says_what_it_is_called_and_not_which_browser_made_it() -> None:
    told = PdfReader(BytesIO(finished(paper(title="Waves")))).metadata
    assert told is not None
    assert (told.title, told.creator, told.producer) == ("Waves", "plotter2", None)


@pytest.mark.parametrize("printed", [b"", b"%PDF-1.4 and nothing else", b"<html>"])
def test_what_is_no_pdf_is_a_sentence(printed: bytes) -> None:
    with pytest.raises(FailedError, match="what the browser printed cannot be read"):
        finished(printed)
