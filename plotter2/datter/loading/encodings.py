"""How a text is encoded, found by trying: UTF-8, UTF-16 by its mark or its zeros, else Windows-1252, else Latin-1.

A text becomes UTF-8, as a whole or block by block as it is read. One that has shown real characters of UTF-8 before a
broken one is UTF-8 all the same: the broken ones become the sign for that. Opens no file.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from typing import IO

BLOCK_BYTES = 8 << 20
HEAD_BYTES = 64 << 10
UTF8, BROKEN, WINDOWS, LATIN = "UTF-8", "UTF-8 with broken characters", "Windows-1252", "Latin-1"
_CODECS = {BROKEN: "utf-8"}
_LENIENT = frozenset({BROKEN, "UTF-16", "UTF-16-LE", "UTF-16-BE"})
SHOWN_MIN = 8
"""So many bytes beyond ASCII that fit together are no accident."""
_ZEROS_MIN = 0.8
"""Of every second byte of plain characters in UTF-16; where the others are zero as well, it is a gap in a file."""


class UnfitEncodingError(Exception):
    """A text is written in another encoding than the one that was tried.

    Attributes:
        instead: what is to be tried.
    """

    def __init__(self, instead: str) -> None:
        super().__init__(instead)
        self.instead = instead


def likely(head: bytes) -> str:
    """The encoding to try first, judged by how a text begins: UTF-16 is known, all else may be UTF-8."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    head = head[:HEAD_BYTES]
    for encoding, start in (("UTF-16-LE", 1), ("UTF-16-BE", 0)):
        others = head[1 - start :: 2]
        if len(head) > 1 and head[start::2].count(0) > len(others) * _ZEROS_MIN > others.count(0):
            return encoding
    return UTF8


def whole(text: bytes) -> tuple[bytes, str]:
    """A text as UTF-8, without a copy where it is that, and what it was."""
    encoding = likely(text)
    while True:
        decoder = Decoder(encoding)
        try:
            if encoding != UTF8:
                return decoder.utf8(text, is_last=True), encoding
            for start in range(0, len(text), BLOCK_BYTES):
                decoder.utf8(text[start : start + BLOCK_BYTES], is_last=start + BLOCK_BYTES >= len(text))
        except UnfitEncodingError as wrong:
            encoding = wrong.instead
        else:
            return text, UTF8


def remarks(name: str, encoding: str) -> list[str]:
    """What is to be said of a text that was not plain UTF-8."""
    if encoding == BROKEN:
        return [f"{name}: some of its bytes are no UTF-8 and became \ufffd."]
    return [f"{name}: it is not UTF-8 and was read as {encoding}."] if encoding != UTF8 else []


class Decoder:
    """One encoding into UTF-8, piece by piece."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self._made = getincrementaldecoder(_CODECS.get(encoding, encoding))(
            "replace" if encoding in _LENIENT else "strict"
        )
        self._shown = 0

    def utf8(self, data: bytes, *, is_last: bool) -> bytes:
        """The next piece as UTF-8; of what is that already the same bytes.

        Raises:
            UnfitEncodingError: it is something else.
        """
        try:
            text = self._made.decode(data, is_last)
        except UnicodeDecodeError as wrong:
            raise UnfitEncodingError(self._instead(data, wrong.start)) from None
        if self.encoding == UTF8:
            self._shown += max(0, len(data) - len(text))
            return data
        return text.encode("utf-8", "replace")

    def _instead(self, data: bytes, good: int) -> str:
        if self.encoding != UTF8:
            return LATIN
        shown = self._shown + good - len(data[:good].decode("utf-8", "ignore"))
        return BROKEN if shown >= SHOWN_MIN else WINDOWS


class Utf8File:
    """A file that is read as UTF-8, whatever it is, at most so many bytes at a time as are asked for.

    Attributes:
        tail: the last bytes that were read.
    """

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._file = file
        self._decoder = Decoder(encoding)
        self._left = b""
        self.closed = False
        self.tail = b""

    def read(self, size: int) -> bytes:
        """The next bytes; none at the end.

        Raises:
            UnfitEncodingError: the file is written in another encoding.
        """
        is_ended = False
        while not self._left and not is_ended:
            data = self._file.read(size)
            is_ended = not data
            self._left = self._decoder.utf8(data, is_last=is_ended)
        found, self._left = self._left[:size], self._left[size:]
        self.tail = (self.tail + found[-HEAD_BYTES:])[-HEAD_BYTES:]
        return found

    def exactly(self, size: int) -> bytes:
        """So many bytes, or all that are left."""
        found = bytearray()
        while len(found) < size and (more := self.read(size - len(found))):
            found += more
        return bytes(found)

    def close(self) -> None:
        """Whoever opened the file closes it."""
        self.closed = True
