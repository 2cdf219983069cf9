"""Code read as text: functions by qualified name, options of a command line, and nothing is ever run."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2 import scan
from plotter2.errors import PackageError, ScriptError
from plotter2.model.bundle import CODE
from plotter2.scan import Function, Option, Param

MODEL = """
import torch_that_is_not_installed
raise SystemExit("this is never run")

def forward(x, scale: float = 1.0, *, bias=0) -> "vector":
    def inner(): ...
    return x

class Net:
    def forward(self, x, y): ...
    @staticmethod
    def load(path): ...
    class Layer:
        async def step(self, *args): ...

square = lambda x: x * x
if True:
    def chosen(): ...
else:
    def other(): ...
try:
    def tried(): ...
finally:
    def last(): ...
"""
OPTIONS = """
import argparse
EPOCHS = 30
NAMES = ["a", "b"]
parser = argparse.ArgumentParser()
parser.add_argument("-l", "--learning-rate", type=float, default=1e-3, help="step size")
parser.add_argument("--epochs", type=int, default=EPOCHS)
parser.add_argument("--name", choices=NAMES, required=True)
parser.add_argument("--fast", action="store_true")
parser.add_argument("--sizes", type=int, nargs="+", default=[1, 2])
parser.add_argument("data", help=f"not {EPOCHS} plain")
group = parser.add_argument_group("more")
group.add_argument("--seed", type=int, dest="random_seed", default=make_seed())
group.add_argument(f"--{NAMES[0]}")
if __name__ == "__main__":
    print(parser.parse_args())
"""


@pytest.mark.req("r041")
def test_functions_are_found_by_qualified_name_and_nothing_is_run() -> None:
    found = scan.scan(MODEL, "model.py").functions
    assert list(found) == [
        "forward", "Net.forward", "Net.load", "Net.Layer.step", "square", "chosen", "other", "tried", "last",
    ]  # fmt: skip
    scaled = (Param("x"), Param("scale", "float", has_default=True), Param("bias", "", has_default=True))
    assert found["forward"] == Function("forward", 5, scaled, returns="'vector'")
    assert found["Net.forward"].params == (Param("x"), Param("y"))
    assert found["Net.load"].params == (Param("path"),)
    assert found["Net.Layer.step"].takes_more


def test_options_of_a_parser_are_read_with_what_is_plain_in_them() -> None:
    module = scan.scan(OPTIONS, "train.py")
    assert module.has_main
    assert module.options == (
        Option("learning_rate", "--learning-rate", 6, "float", 1e-3, help="step size"),
        Option("epochs", "--epochs", 7, "int", 30),
        Option("name", "--name", 8, choices=("a", "b"), is_required=True),
        Option("fast", "--fast", 9, is_switch=True),
        Option("sizes", "--sizes", 10, "int", [1, 2], is_many=True),
        Option("data", "", 11, is_required=True),
        Option("random_seed", "--seed", 13, "int"),
    )


def test_the_demo_s_options_are_read() -> None:
    source = Path(__file__).resolve().parents[3] / "examples" / "digits" / CODE / "train.py"
    found = {one.name: one for one in scan.scan(source.read_text(), "train.py").options}
    assert {"lr", "epochs", "seed"} <= found.keys()
    assert found["lr"].type == "float"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def f(:\n  pass", "bad.py, line 1: invalid syntax."),
        ("a" + ".b" * 100_000, "bad.py is no Python that can be read: "),
        ("-" * 100_000 + "1", "bad.py is no Python that can be read: "),
        ("if a:\n  pass\n" + "elif a:\n  pass\n" * 1_500, "bad.py is no Python that can be read: "),
        ("(" * 5_000, "bad.py, line 1: too many nested parentheses."),
        ("x\0", "source code string cannot contain null bytes"),
        ("#" * 300_000, "bad.py has 300000 bytes; code is searched in files of at most 262144."),
    ],
)
def test_code_that_cannot_be_read_is_refused_with_its_place(source: str, says: str) -> None:
    with pytest.raises(ScriptError) as refused:
        scan.scan(source, "bad.py")
    assert says in refused.value.message


PIECES = [
    "def f(",
    "x",
    ")",
    ":",
    "\n",
    "\n  ",
    "class A",
    "=",
    "lambda",
    "p.add_argument(",
    "'--a'",
    ",",
    "1e999",
    "@",
    "f'{",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_whatever_the_code_is_it_is_read_or_refused_in_a_sentence(source: str) -> None:
    with suppress(ScriptError):
        scan.scan(source, "any.py")


FILES = {
    f"{CODE}/model.py": MODEL,
    f"{CODE}/deep/other.py": "class Net:\n    def forward(self): ...\ndef only(): ...",
    f"{CODE}/broken.py": "def outside(",
    f"{CODE}/notes.txt": "def noted(): ...",
    "outside.py": "def outside(): ...",
}


@pytest.mark.req("r041")
@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("only", f"{CODE}/deep/other.py"),
        ("Net.load", f"{CODE}/model.py"),
        (f"{CODE}/deep/other.py:Net.forward", f"{CODE}/deep/other.py"),
        ("outside.py:outside", "outside.py"),
    ],
)
def test_a_function_is_found_by_name_alone_or_where_it_is_said_to_be(reference: str, path: str) -> None:
    assert scan.find(reference, FILES, CODE, FILES.__getitem__)[0] == path


@pytest.mark.req("r041")
@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("Net.forward", f"'Net.forward' is defined more than once; write '{CODE}/deep/other.py:Net.forward' or "),
        ("onlu", f"no file below {CODE}/ defines a function 'onlu'; did you mean 'only'?"),
        ("noted", "defines a function 'noted'; "),
        ("outside", f"(these cannot be read: {CODE}/broken.py) defines a function 'outside'."),
        ("outsides.py:outside", "there is no file 'outsides.py' in the bundle; did you mean 'outside.py'?"),
        ("outside.py:zz", "outside.py defines no function 'zz'; it defines outside."),
    ],
)
def test_a_function_that_is_not_found_is_answered_with_those_that_are(reference: str, says: str) -> None:
    with pytest.raises(PackageError) as refused:
        scan.find(reference, FILES, CODE, FILES.__getitem__)
    assert says in refused.value.message


@pytest.mark.parametrize("text", ["", "def f(): ...\n" + "#" * 250_000, "x" * 250_000], ids=["many", "named", "long"])
def test_too_much_code_is_not_searched_without_a_file(text: str) -> None:
    many = {f"{CODE}/{i}.py": text for i in range(scan.FILES_MAX + 1)}
    with pytest.raises(PackageError, match="has too much code to look for 'f' in; write 'PATH:f'"):
        scan.find("f", many, CODE, many.__getitem__)


def test_files_without_the_name_are_not_parsed() -> None:
    files = {f"{CODE}/broken{i}.py": "def (" for i in range(100)} | {f"{CODE}/good.py": "def f(): ..."}
    assert scan.find("f", files, CODE, files.__getitem__)[0] == f"{CODE}/good.py"
