from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path

import pytest

from plotter2.child.modules import UserModules


@pytest.fixture
def bundle(tmp_path: Path) -> dict[str, str]:
    """Files of a bundle under names that say nothing, as blobs have."""
    files = {
        "code_sources/worker_of_mine.py": "import helper\nNAME = 'mine ' + helper.NAME\n",
        "code_sources/helper.py": "NAME = 'helped'\n",
        "code_sources/pack/__init__.py": "from pack.inner import VALUE\nfrom . import inner\n",
        "code_sources/pack/inner.py": "VALUE = 7\n",
        "code_sources/loose/part.py": "VALUE = 8\n",
        "code_sources/broken.py": "def f():\n    return 1 / 0\n",
        "data/not_code.py": "VALUE = 9\n",
    }
    places: dict[str, str] = {}
    for number, (name, text) in enumerate(files.items()):
        place = tmp_path / f"blob{number}"
        place.write_text(text)
        places[name] = str(place)
    return places


@pytest.mark.req("r200")
def test_a_module_beside_the_script_is_found_and_gone_afterwards(bundle: dict[str, str]) -> None:
    path = list(sys.path)
    with UserModules(["code_sources"], bundle):
        assert importlib.import_module("worker_of_mine").NAME == "mine helped"
    assert "worker_of_mine" not in sys.modules
    assert "helper" not in sys.modules
    assert sys.path == path
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("worker_of_mine")


def test_packages_and_namespace_packages_work(bundle: dict[str, str]) -> None:
    with UserModules(["code_sources"], bundle):
        assert importlib.import_module("pack").VALUE == 7
        assert importlib.import_module("pack").inner.VALUE == 7
        assert importlib.import_module("loose.part").VALUE == 8
    assert not {"pack", "pack.inner", "loose", "loose.part"} & set(sys.modules)


def test_only_the_given_folders_are_looked_into(bundle: dict[str, str]) -> None:
    with UserModules(["code_sources"], bundle), pytest.raises(ModuleNotFoundError):
        importlib.import_module("not_code")
    with UserModules(["code_sources", ""], bundle), pytest.raises(ModuleNotFoundError):
        importlib.import_module("not_code")


def test_a_module_is_executed_anew_in_each_run(bundle: dict[str, str]) -> None:
    modules = UserModules(["code_sources"], bundle)
    with modules:
        importlib.import_module("helper").NAME = "changed"
    with modules:
        assert importlib.import_module("helper").NAME == "helped"


def test_a_traceback_names_the_file_in_the_bundle_and_shows_its_line(bundle: dict[str, str]) -> None:
    with UserModules(["code_sources"], bundle):
        broken = importlib.import_module("broken")
        try:
            broken.f()
        except ZeroDivisionError as wrong:
            text = "".join(traceback.format_exception(wrong))
    assert 'File "code_sources/broken.py", line 2' in text
    assert "return 1 / 0" in text
