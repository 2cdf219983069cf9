"""The table of requirements: what each says, and the tests that carry its mark.

Use: `python tools/requirements.py` prints the table; `--write` renews docs/requirements.md; `--check` fails when it
is stale.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXTS = ROOT / "docs" / "requirements.txt"
PAGE = ROOT / "docs" / "requirements.md"
TESTS_SHOWN_MAX = 3


def marks(file: Path) -> Iterator[tuple[str, str]]:
    """(requirement, test name) of every mark in a test file; a mark on a class or module counts for each test in it."""
    tree = ast.parse(file.read_text())
    name = str(file.relative_to(ROOT))
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for decorator in node.decorator_list:
                for number in _numbers(decorator):
                    yield number, f"{name}::{node.name}"
        elif isinstance(node, ast.Assign) and _is_pytestmark(node):
            for call in ast.walk(node.value):
                for number in _numbers(call):
                    yield number, name


def _is_pytestmark(node: ast.Assign) -> bool:
    return any(isinstance(one, ast.Name) and one.id == "pytestmark" for one in node.targets)


def _numbers(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "req":
        return [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    return []


def texts() -> list[tuple[str, str]]:
    """(id, text) in order; a heading has an empty id."""
    found = []
    for line in TEXTS.read_text().splitlines():
        if line.startswith("## "):
            found.append(("", line[3:]))
        elif "|" in line and not line.startswith("#"):
            number, _, text = line.partition("|")
            found.append((number.strip(), text.strip()))
    return found


def proofs() -> dict[str, list[str]]:
    """The tests that prove each requirement."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for number, test in marks(file):
            found[number].append(test)
    return found


def page() -> str:
    """docs/requirements.md."""
    proven = proofs()
    lines = [
        "# Requirements",
        "",
        "The numbered requirements in our own words, each with the tests that carry its mark: it is proven as far as",
        "these tests go, or it is not yet. Made by `python tools/requirements.py --write`.",
    ]
    for number, text in texts():
        if not number:
            lines += ["", f"## {text}", "", "| | requirement | proven by |", "|---|---|---|"]
            continue
        tests = proven.get(number, [])
        shown = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in tests[:TESTS_SHOWN_MAX])
        more = f"<br>and {len(tests) - TESTS_SHOWN_MAX} more" if len(tests) > TESTS_SHOWN_MAX else ""
        lines.append(f"| {number} | {text} | {shown + more if tests else 'not yet'} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="renew docs/requirements.md")
    parser.add_argument("--check", action="store_true", help="fail when docs/requirements.md is stale")
    options = parser.parse_args()
    known = {number for number, _ in texts()}
    unknown = sorted(set(proofs()) - known)
    if unknown:
        print(f"requirements: marks name unknown numbers: {', '.join(unknown)}", file=sys.stderr)
        return 1
    if options.write:
        PAGE.write_text(page())
    elif options.check:
        if not PAGE.exists() or PAGE.read_text() != page():
            print(
                "requirements: docs/requirements.md is stale; run `python tools/requirements.py --write`",
                file=sys.stderr,
            )
            return 1
    else:
        print(page(), end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
