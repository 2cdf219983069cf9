"""Nothing that plotter2 manages is ever deleted: no call, verb, page or statement does it (requirement 006)."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from manager.config import ManagerConfig
from plotter2.api.v1 import common_pb2, device_pb2, manager_pb2, servicer_pb2, stager_pb2, task_pb2
from plotter2.cli.main import app
from plotter2.client.asynchronous import AsyncClient
from plotter2.client.blocking import Client

pytestmark = pytest.mark.req("r006")

ROOT = Path(__file__).resolve().parents[2]
WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")
DELETING = {
    "clear", "delete", "destroy", "discard", "drop", "erase", "expire", "forget", "prune", "purge", "remove", "rm",
    "wipe",
}  # fmt: skip
STATEMENT = re.compile(r"(?i)\b(delete\s+from|truncate|drop\s+(table|column|schema|database|index))\b[^;]*")
ALLOWED_STATEMENTS = {"delete from turns where number < (select max(number) from turns) - $1::bigint"}
"""A turn is bookkeeping of the commit: once it is long over, nobody can ask for it any more."""
ALLOWED_HTTP = {("DELETE", "/tasks/{task_id}")}
"""Propeller's contract has it: the definition is hidden, its runs and requests stay."""
TOUCHING_FILES = re.compile(r"\b(unlink|rmtree|rmdir|remove|removedirs|truncate)\b")
ALLOWED_FILES = {
    "manager/organizer/blobs.py",  # what a put that failed had begun, and spools whose content is installed
    "manager/organizer/folders.py",  # links of the folders people browse; the content stays in the blob store
    "manager/organizer/versions.py",  # trees of links for programs that have ended; the content stays in the blob store
    "manager/rpc/links.py",  # touches none: `unlink` is the name of an ask, and what it says is a newer word
    "manager/organizer/unpacking.py",  # a run's own links; the content lies under output/ and in the blob store
    "manager/organizer/outputs.py",  # a run's own name for a file that lies under output/ now
}


def deletes(name: str) -> bool:
    return not DELETING.isdisjoint(word.lower() for word in WORD.findall(name))


def test_the_word_list_finds_what_it_should() -> None:
    assert all(map(deletes, ("DeleteBundle", "delete", "bundle_delete", "purge_all", "rm", "PurgeVersions")))
    assert not any(map(deletes, ("history", "unarchive", "PutBlob", "archive", "ListDevices", "form", "confirm")))


def test_no_service_has_a_call_that_deletes() -> None:
    files = (common_pb2, device_pb2, manager_pb2, servicer_pb2, stager_pb2, task_pb2)
    calls = [
        f"{service.full_name}/{method.name}"
        for file in files
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]
    assert len(calls) > 20
    assert not [call for call in calls if deletes(call.rpartition("/")[2])]


def test_no_ask_deletes() -> None:
    asks = manager_pb2.SubmitRequest.DESCRIPTOR.oneofs_by_name["ask"].fields
    assert not [field.name for field in asks if deletes(field.name)]


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_no_verb_of_the_client_deletes(client: type) -> None:
    verbs = [name for name, _ in inspect.getmembers(client, callable) if not name.startswith("_")]
    assert "archive" in verbs
    assert not [name for name in verbs if deletes(name)]


def test_no_command_deletes() -> None:
    commands = [command.name or "" for command in app.registered_commands]
    assert "archive" in commands
    assert not [name for name in commands if deletes(name)]
    options = [
        option
        for command in app.registered_commands
        if command.callback is not None
        for option in inspect.signature(command.callback).parameters
    ]
    assert not [name for name in options if deletes(name)]


def test_only_propellers_contract_has_a_page_that_deletes() -> None:
    found = set()
    for path in (ROOT / "manager" / "http").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "delete":
                found.add(("DELETE", str(ast.literal_eval(node.args[0]))))
    assert found <= ALLOWED_HTTP


def test_no_statement_deletes_but_the_one_for_turns_that_are_over() -> None:
    found = set()
    for path in (ROOT / "manager" / "store").rglob("*.sql"):
        text = re.sub(r"--[^\n]*", "", path.read_text())
        found |= {" ".join(match[0].split()) for match in STATEMENT.finditer(text)}
    assert found == ALLOWED_STATEMENTS


def test_the_manager_removes_files_only_where_their_content_stays_elsewhere() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "manager").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and TOUCHING_FILES.fullmatch(node.attr)
    }
    assert found <= ALLOWED_FILES


def test_no_setting_lets_anything_expire() -> None:
    assert not [name for name in ManagerConfig.model_fields if deletes(name) or "keep" in name]
