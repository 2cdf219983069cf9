"""Files that add to plotter2, as a list with a digest."""

from __future__ import annotations

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from plotter2.errors import CorruptionError
from plotter2.model import additions

NAMES = st.sampled_from(["templates/a.toml", "templates/b c.html", "operations/x.py", "visuals/\u00e4.py"])


@given(st.dictionaries(NAMES, st.binary(max_size=8)))
def test_a_list_says_what_it_lists_and_its_digest_depends_on_nothing_else(contents: dict[str, bytes]) -> None:
    files = {name: blake3(one).digest() for name, one in contents.items()}
    assert additions.listed(additions.listing(files)) == files
    again = dict(reversed(files.items()))
    assert additions.digest_of(again) == additions.digest_of(files)
    assert bool(additions.digest_of(files)) == bool(files)


@pytest.mark.parametrize("line", ["", "x", "00 operations/x.py", f"{'0' * 64} ../x.py", f"{'0' * 64} manager.toml"])
def test_what_is_no_list_of_ours_is_refused(line: str) -> None:
    with pytest.raises(CorruptionError):
        additions.listed(f"{line}\n".encode())
