"""What can stand in a package.json, from the structs that read it: a JSON Schema for editors, and tables for people.

Use: `python tools/package_schema.py` prints the schema; `--write` renews docs/reference/package.schema.json and the
tables in docs/reference/package.md; `--check` fails when one of them is stale.
"""

from __future__ import annotations

import argparse
import inspect as python
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from plotter2.model.package.declare import Package, Section

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
SCHEMA = REFERENCE / "package.schema.json"
PAGE = REFERENCE / "package.md"
BEGIN, END = "<!-- tables: written by tools/package_schema.py -->\n", "<!-- end of tables -->\n"
_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n {8,}.*)*)", re.MULTILINE)
_PLAIN = {
    inspect.StrType: "text", inspect.IntType: "whole number", inspect.FloatType: "number",
    inspect.BoolType: "true or false", inspect.AnyType: "any value", inspect.NoneType: "null",
}  # fmt: skip


def structs() -> Iterator[type[msgspec.Struct]]:
    """The structs of a package.json, the whole first, then in the order in which they are named in it."""
    found: list[type[msgspec.Struct]] = [Package]
    for one in found:
        for kind in _inside(inspect.type_info(one)):
            if kind not in found:
                found.append(kind)
    return iter(found)


def _inside(kind: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(kind, inspect.StructType):
        for field in kind.fields:
            for one in _parts(field.type):
                if isinstance(one, inspect.StructType) and issubclass(one.cls, Section):
                    yield one.cls


def _parts(kind: Any) -> Iterator[Any]:
    yield kind
    for inner in (getattr(kind, "value_type", None), getattr(kind, "item_type", None), *getattr(kind, "types", ())):
        if inner is not None:
            yield from _parts(inner)


def meanings(kind: type[msgspec.Struct]) -> dict[str, str]:
    """What each key means, by the key's spelling in JSON, from the docstrings."""
    told = {}
    for one in (Section, kind):
        text = python.getdoc(one) or ""
        told |= {name: " ".join(said.split()) for name, said in _ATTRIBUTE.findall(text.partition("Attributes:")[2])}
    spelled = dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))
    missing = spelled.keys() - told.keys()
    if missing:
        raise SystemExit(f"{kind.__name__}: the docstring says nothing of {sorted(missing)}.")
    return {key: told[name] for name, key in spelled.items()}


def schema() -> str:
    """The JSON Schema."""
    found = msgspec.json.schema(Package)
    by_name = {one.__name__: one for one in structs()}
    for name, document in found["$defs"].items():
        document["description"] = str(document.get("description", "")).partition("\n")[0]
        told = meanings(by_name[name]) if name in by_name else {}
        for key, meaning in told.items():
            document["properties"][key] = {"description": meaning} | document["properties"][key]
    found = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "plotter2 package.json"} | found
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def tables() -> str:
    """One table a struct."""
    return "\n".join(_table(one) for one in structs())


def _table(kind: type[msgspec.Struct]) -> str:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)  # noqa: S101 -- for the type checker: a struct has a struct's type
    told = meanings(kind)
    said = (python.getdoc(kind) or "").partition("\n")[0]
    lines = [f"### {kind.__name__}\n", f"{said}\n", "| key | value | meaning |", "|---|---|---|"]
    for field in info.fields:
        if field.encode_name == "//":
            continue
        needed = "; needed" if field.required else ""
        lines.append(f"| `{field.encode_name}` | {_spelled(field.type)}{needed} | {told[field.encode_name]} |")
    return "\n".join(lines) + "\n"


def _spelled(kind: Any) -> str:
    if isinstance(kind, inspect.StructType):
        return kind.cls.__name__
    if isinstance(kind, inspect.DictType):
        return f"map of {_spelled(kind.value_type)}"
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        return f"list of {_spelled(kind.item_type)}"
    if isinstance(kind, inspect.UnionType):
        return " or ".join(_spelled(one) for one in kind.types if not isinstance(one, inspect.NoneType))
    if isinstance(kind, inspect.LiteralType | inspect.EnumType):
        choices = kind.values if isinstance(kind, inspect.LiteralType) else [one.value for one in kind.cls]
        return ", ".join(f"`{one}`" for one in choices)
    return _PLAIN[type(kind)]


def page(text: str) -> str:
    """The page with its tables renewed."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + "\n" + tables() + "\n" + END + rest.partition(END)[2]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    fresh = {SCHEMA: schema(), PAGE: page(PAGE.read_text())}
    if given.write:
        for path, text in fresh.items():
            path.write_text(text)
    elif given.check:
        stale = [path.name for path, text in fresh.items() if not path.exists() or path.read_text() != text]
        if stale:
            print(f"{', '.join(stale)} stale; run `python tools/package_schema.py --write`", file=sys.stderr)
            return 1
    else:
        print(fresh[SCHEMA], end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
