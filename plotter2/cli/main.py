"""The entry of the command line, and its one boundary: whatever goes wrong becomes one sentence and an exit code.

0 done, 1 failed, 2 wrong usage, 3 refused (the reason is the sentence), 4 unreachable; 130 after Ctrl-C. The sentence
goes to stderr, with or without `--json`; stdout carries results only.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path

import typer

from plotter2.cli import (
    config,
    data,
    lineage,
    links,
    orders,
    planner,
    project,
    quarantine,
    system,
    tags,
    versions,
    work,
)
from plotter2.cli.output import note
from plotter2.errors import Plotter2Error

INTERRUPTED = 128 + signal.SIGINT
USAGE = 2

app = typer.Typer(
    name="plotter2",
    help="The always-on server between data and experiments. Start with `plotter2 up`, then `plotter2 push`.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused, 4 unreachable. Every command takes --json.",
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
system.register(app)
data.register(app)
versions.register(app)
tags.register(app)
links.register(app)
lineage.register(app)
orders.register(app)
planner.register(app)
config.register(app)
project.register(app)
quarantine.register(app)
work.register(app)


def run(arguments: list[str]) -> int:
    """One command line; the exit code. Never raises for what a user can cause."""
    try:
        code = typer.main.get_command(app)(arguments or ["--help"], prog_name="plotter2", standalone_mode=False)
    except typer.Exit as ended:
        return ended.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as wrong:  # noqa: BLE001 -- the boundary: every error becomes one sentence and a code
        sentence, code = explain(wrong, arguments)
        note(sentence)
    return code if isinstance(code, int) else 0


def explain(wrong: Exception, arguments: list[str]) -> tuple[str, int]:
    """The sentence and the exit code of what went wrong; a fault of ours says where it is."""
    if isinstance(wrong, typer.TyperException):
        return one_sentence(wrong.format_message(), arguments), USAGE
    if isinstance(wrong, Plotter2Error):
        return wrong.message, wrong.exit_code
    place = traceback.extract_tb(wrong.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    return f"plotter2 has a fault: {type(wrong).__name__}: {' '.join(str(wrong).split())} ({where}).", 1


def one_sentence(message: str, arguments: list[str]) -> str:
    """A usage error on one line, with the way to the right words."""
    verb = next((word for word in arguments if not word.startswith("-")), "")
    known = {command.name for command in app.registered_commands}
    way = f"plotter2 {verb} --help" if verb in known else "plotter2 --help"
    text = " ".join(message.split()).rstrip(".")
    return f"{text}; see `{way}`."


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))
