"""Finds a pattern in printed lines: a program of its own with the standard library only, started by `metrics`.

A pattern like `(a+)+$` takes longer than anybody lives on a line of fifty letters, and Python's `re` cannot be stopped
from outside while it searches; a process can. Prints the named groups of each line that has it, one JSON object a line.
"""

import json
import re
import sys


def main(pattern: str, path: str) -> None:
    """Search every line; what was found is out at once, because the next line may be the one that never ends."""
    compiled = re.compile(pattern)
    with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 -- pathlib takes as long to load as all this
        for line in file:
            found = compiled.search(line)
            if found:
                row = {key: value for key, value in found.groupdict().items() if value is not None}
                sys.stdout.write(json.dumps(row) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
