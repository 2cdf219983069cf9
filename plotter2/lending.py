"""Which files of another bundle a run needs that only follows links to it (pure)."""

from __future__ import annotations

from collections.abc import Collection

from plotter2.datter.values.keys import find, is_pattern
from plotter2.model import package
from plotter2.model.link import Form, Head
from plotter2.scan import CODE_SUFFIX


def needed(names: Collection[str], package_json: str, heads: Collection[Head]) -> set[str]:
    """The paths, out of all that the bundle has: its code where a function is called, and the data behind heads.

    Args:
        names: every path of the bundle.
        package_json: what it declares.
        heads: those of its heads that can be called or read.
    """
    data = package.read(package_json).data if package_json else {}
    found: set[str] = set()
    for head in heads:
        if head.form is Form.FUNCTION:
            found.update(name for name in names if name.endswith(CODE_SUFFIX))
        elif head.form is Form.DATA:
            path = data[head.place].path if head.place in data else head.place
            found.update(find(names, path) if is_pattern(path) else {path} & set(names))
    return found
