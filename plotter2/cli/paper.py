"""What lies beside a page on this machine: its PDF, and what could not be made and why, as its sidecar says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

PDF, SIDECAR, SIDECAR_BYTES_MAX = ".pdf", ".json", 16 << 20


class _Story(msgspec.Struct):
    lacking: list[str] = []


def beside(page: Path) -> dict[str, Any]:
    """`pdf`, a path or None, and `lacking`, sentences; nothing of either where the files are not here."""
    pdf, story = page.with_name(page.name + PDF), page.with_name(page.name + SIDECAR)
    try:
        is_ours = story.stat().st_size <= SIDECAR_BYTES_MAX
        lacking = msgspec.json.decode(story.read_bytes(), type=_Story).lacking if is_ours else []
    except (OSError, msgspec.DecodeError):
        lacking = []
    return {"pdf": str(pdf) if pdf.is_file() else None, "lacking": lacking}
