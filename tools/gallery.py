"""Draw the gallery, one page of every picture: `make gallery`, then open what it names and look."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from plotter2.datter.run import RunInput, Scope, execute

SCRIPT = Path(__file__).parents[1] / "examples/gallery.py"


def main() -> None:
    """Write the gallery into the folder that is named, `gallery/` without one."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "gallery").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    run = RunInput("req-gallery.0", "gallery", "script", SCRIPT.read_text(), SCRIPT.name, {}, 1, Scope(), folder)
    made = execute(run, print).made
    print(folder / next(one.path for one in made if one.kind == "report"))


if __name__ == "__main__":
    main()
