"""What of a run becomes the child bundle."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from plotter2.errors import FailedError, LimitError, PackageError
from plotter2.model.package import Metrics, ServiceLimits
from servicer import harvest
from tests.unit.servicer.kit import Run, put, tree

OURS = {"run.json", "parameters.json"}
ORDER = {"argv": ["python", "train.py"], "environment": {"python": "3.11.9"}}


def made(run: Run) -> dict[str, bytes]:
    return tree(harvest.stage(run.folder, run.spec, run.status, run.service, ORDER))


def theirs(run: Run) -> dict[str, bytes]:
    return {name: data for name, data in made(run).items() if name not in OURS and not name.startswith("log/")}


@pytest.mark.req("r018")
def test_declared_outputs_and_nothing_else(tmp_path: Path) -> None:
    run = Run(tmp_path, {"code_sources/train.py": b"code"}, outputs=["out/**/*", "*.csv", "out/a.npy"])
    for name in ("out/a.npy", "out/deep/b.npy", "m.csv", "other.txt"):
        run.write(name)
    assert theirs(run) == dict.fromkeys(["out/a.npy", "out/deep/b.npy", "m.csv"], b"made")


def test_a_pattern_that_ends_in_two_stars_means_the_files_below(tmp_path: Path) -> None:
    run = Run(tmp_path, {}, outputs=["out/**"])
    run.write("out/a.npy")
    run.write("out/deep/b.npy")
    assert set(theirs(run)) == {"out/a.npy", "out/deep/b.npy"}


@pytest.mark.req("r018")
def test_none_declared_means_what_is_new_or_changed(tmp_path: Path) -> None:
    run = Run(tmp_path, {"code_sources/train.py": b"code", "code_sources/conf": b"a", "code_sources/same": b"s"})
    run.write("conf", b"b")
    run.write("same", b"s")
    run.write("out/loss.csv")
    run.write("__pycache__/train.pyc")
    assert theirs(run) == {"conf": b"b", "out/loss.csv": b"made"}


def test_the_output_folder_is_taken_whole_beside_declared_outputs(tmp_path: Path) -> None:
    run = Run(tmp_path, {}, outputs=["*.csv"])
    run.write("m.csv")
    put(run.folder.output / "plots" / "a.png")
    assert theirs(run) == {"m.csv": b"made", "plots/a.png": b"made"}


def test_the_same_name_in_both_places_is_taken_from_the_output_folder(tmp_path: Path) -> None:
    run = Run(tmp_path, {})
    run.write("m.csv", b"work")
    put(run.folder.output / "m.csv", b"output")
    assert theirs(run) == {"m.csv": b"output"}
    assert (run.cwd / "m.csv").read_bytes() == b"work"


@pytest.mark.parametrize("outputs", [[], ["**/*"]])
def test_links_and_special_files_are_left_out(tmp_path: Path, outputs: list[str]) -> None:
    run = Run(tmp_path / "home", {}, outputs=outputs)
    secret = put(tmp_path / "secret" / "key")
    run.write("real")
    (run.cwd / "link").symlink_to(secret)
    (run.cwd / "folder").symlink_to(secret.parent)
    (run.cwd / "gone").symlink_to("nowhere")
    (run.folder.output / "link").symlink_to(secret)
    os.mkfifo(run.cwd / "pipe")
    os.mkfifo(run.folder.output / "pipe")
    assert set(theirs(run)) == {"real"}


def test_a_linked_folder_in_a_pattern_does_not_lead_out(tmp_path: Path) -> None:
    run = Run(tmp_path / "home", {}, outputs=["folder/*"])
    put(tmp_path / "secret" / "key")
    run.cwd.mkdir(parents=True, exist_ok=True)
    (run.cwd / "folder").symlink_to(tmp_path / "secret")
    assert theirs(run) == {}


@pytest.mark.parametrize("pattern", ["../*", "/etc/*", "out/../../*", ""])
def test_a_pattern_that_leads_out_is_refused_in_a_sentence(tmp_path: Path, pattern: str) -> None:
    run = Run(tmp_path, {"package.json": b"{}"}, outputs=[pattern])
    run.cwd.mkdir(parents=True, exist_ok=True)
    (run.cwd / "out").mkdir()
    with pytest.raises(PackageError, match="output"):
        made(run)


def test_a_metrics_path_that_leads_out_is_refused_in_a_sentence(tmp_path: Path) -> None:
    run = Run(tmp_path, {}, metrics=[Metrics("csv", "/etc/*.csv")])
    with pytest.raises(PackageError, match="metrics"):
        made(run)


def test_a_start_folder_that_leads_out_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match="leads out"):
        made(Run(tmp_path, {}, cwd="../.."))


@pytest.mark.req("r018", "r074")
def test_log_parameters_and_a_record_of_the_run_are_there(tmp_path: Path) -> None:
    run = Run(tmp_path, {})
    put(run.folder.log / "stdout.txt", b"hello\n")
    put(run.folder.log / "shim.txt", b"ours, of no use to anybody\n")
    child = made(run)
    assert set(child) == OURS | {"log/stdout.txt"}
    assert child["log/stdout.txt"] == b"hello\n"
    assert child["parameters.json"] == b'{"lr": 0.10}\n'
    record = json.loads(child["run.json"])
    assert (record["bundle"], record["version"], record["duration_s"]) == ("digits", 3, 60.5)
    assert record["command"] == ["python", "train.py"]
    assert record["started_at"] == "1970-01-01T00:01:40.000000Z"
    assert record["code_digest"] == record["data_digest"] == "00" * 32
    assert record["environment"] == {"python": "3.11.9"}
    assert record["exit_status"] == 0
    assert record["parameters"] == {"lr": 0.1}


def test_the_programs_own_files_win_over_ours(tmp_path: Path) -> None:
    own = {"run.json": b"1", "parameters.json": b"2", "metrics.csv": b"of its own", "log/stdout.txt": b"mine"}
    run = Run(tmp_path, {}, metrics=[Metrics("pattern", pattern=r"(?P<a>o)urs")])
    for name, data in own.items():
        run.write(name, data)
    put(run.folder.log / "stdout.txt", b"ours")
    assert made(run) == own


@pytest.mark.req("r018")
def test_the_record_says_which_files_are_not_the_programs_own(tmp_path: Path) -> None:
    run = Run(tmp_path, {}, outputs=["*"], metrics=[Metrics("pattern", pattern=r"loss=(?P<loss>\S+)")])
    put(run.folder.log / "stdout.txt", b"loss=0.10\n")
    run.write("weights.bin")
    run.write("parameters.json", b"its own")
    assert json.loads(made(run)["run.json"])["ours"] == ["log/stdout.txt", "package.json", "run.json"]


def test_metrics_lie_at_the_top_and_are_declared_as_data(tmp_path: Path) -> None:
    run = Run(tmp_path, {}, outputs=["nothing"], metrics=[Metrics("pattern", pattern=r"loss=(?P<loss>\S+)")])
    put(run.folder.log / "stdout.txt", b"loss=0.10\n")
    child = made(run)
    assert child["metrics.csv"].split() == [b"loss", b"0.10"]
    assert json.loads(child["package.json"])["data"]["metrics"]["path"] == "metrics.csv"


@pytest.mark.req("r018")
@pytest.mark.parametrize("path", ["{output}/deep/loss.csv", "{output}/**/*.csv", "deep/loss.csv"])
def test_metrics_may_lie_in_the_output_folder(tmp_path: Path, path: str) -> None:
    run = Run(tmp_path, {}, outputs=["nothing"], metrics=[Metrics("csv", path)])
    put(run.folder.output / "deep" / "loss.csv", b"loss\n0.10\n")
    child = made(run)
    assert child["deep/loss.csv"] == b"loss\n0.10\n"
    assert child["metrics.csv"].split() == [b"loss", b"0.10"]
    assert json.loads(child["package.json"])["data"]["metrics"] == {"path": "metrics.csv", "type": "table"}


@pytest.mark.req("r018")
@pytest.mark.parametrize("is_in_output", [False, True])
def test_a_metrics_file_that_is_called_as_ours_is_the_runs_metrics_as_it_is(tmp_path: Path, is_in_output: bool) -> None:
    prefix = "{output}/" if is_in_output else ""
    run = Run(tmp_path, {}, metrics=[Metrics("csv", prefix + "metrics.csv")])
    put((run.folder.output if is_in_output else run.cwd) / "metrics.csv", b"loss\n0.10\n")
    child = made(run)
    assert child["metrics.csv"] == b"loss\n0.10\n"
    assert json.loads(child["package.json"])["data"]["metrics"]["path"] == "metrics.csv"


def test_what_lies_where_the_program_started_wins_over_the_output_folder_as_metrics(tmp_path: Path) -> None:
    run = Run(tmp_path, {}, metrics=[Metrics("csv", "loss.csv")], outputs=["nothing"])
    run.write("loss.csv", b"loss\n1\n")
    put(run.folder.output / "loss.csv", b"loss\n2\n")
    assert made(run)["metrics.csv"].split() == [b"loss", b"1"]


def test_the_output_folder_may_be_named_among_the_outputs(tmp_path: Path) -> None:
    run = Run(tmp_path, {}, outputs=["{output}/**", "*.csv"], limits=_limits(8))
    put(run.folder.output / "deep" / "a", b"made")
    run.write("b.csv")
    assert theirs(run) == dict.fromkeys(["deep/a", "b.csv"], b"made")


def test_more_files_than_a_delivery_may_have_are_refused_before_they_are_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harvest, "FILES_MAX", harvest.OWN_FILES_MAX + 2)
    run = Run(tmp_path, {})
    for name in "ab":
        run.write(name)
    made(run)
    run.write("c")
    with pytest.raises(LimitError, match="left 3 files"):
        made(run)


def test_more_output_than_allowed_is_refused(tmp_path: Path) -> None:
    run = Run(tmp_path, {}, limits=_limits(10))
    run.write("a", b"x" * 6)
    made(run)
    run.write("b", b"x" * 6)
    with pytest.raises(LimitError, match="more than its output limit of 10 bytes"):
        made(run)


def test_a_second_harvest_starts_anew(tmp_path: Path) -> None:
    run = Run(tmp_path, {})
    run.write("a")
    first = made(run)
    put(run.folder.child / "half")
    assert made(run) == first


def test_names_that_collide_with_a_folder_are_refused_in_a_sentence(tmp_path: Path) -> None:
    run = Run(tmp_path, {})
    run.write("a/b")
    put(run.folder.output / "a")
    with pytest.raises((FailedError, OSError)):
        made(run)


def _limits(output_bytes_max: int) -> object:
    return ServiceLimits(output_bytes_max=output_bytes_max)
