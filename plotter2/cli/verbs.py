"""What every command has in common: `--home`, `--address`, `--json`, a session, and an exit code.

A command is a function that takes a Session first and returns its exit code (None is 0); `verb` gives it the common
options, so none of them is written twice. The client is loaded when it is needed: gRPC takes 0.2 s.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plotter2.errors import UsageError

if TYPE_CHECKING:
    from plotter2.client.blocking import Client

Command = Callable[..., int | None]
Key = Annotated[
    str, typer.Option("--key", help="A repeat with the same key is answered with the first request, and does nothing.")
]

COMMON: dict[str, tuple[Any, Any]] = {
    "home": (
        Annotated[
            Path | None,
            typer.Option("--home", help="Home of the installation [default: $PLOTTER2_HOME, else ~/.plotter2]."),
        ],
        None,
    ),
    "address": (
        Annotated[
            str | None, typer.Option("--address", help="The manager's host:port, instead of what the home says.")
        ],
        None,
    ),
    "as_json": (Annotated[bool, typer.Option("--json", help="Print one JSON document for programs.")], False),
}


@dataclass(frozen=True, slots=True)
class Session:
    """Where a command works, and for whom it prints."""

    given_home: Path | None
    address: str | None
    as_json: bool

    def check_home_only(self, command: str) -> None:
        """For commands that look at what lies in a home, and ask no manager.

        Raises:
            UsageError: an address was given, which they could only pass over.
        """
        if self.address is not None:
            raise UsageError(f"{command} looks at a home on this machine; --address says nothing to it, --home does.")

    @property
    def home(self) -> Path:
        """The home, absolute; from the settings where none is given."""
        home: Path = import_module("plotter2.client.asks").home_of(self.given_home)
        return home

    def connect(self) -> Client:
        """A client, to be entered."""
        client: Client = import_module("plotter2.client.blocking").connect(self.address, self.given_home)
        return client


def verb(app: typer.Typer, name: str, *, examples: str = "", **options: Any) -> Callable[[Command], Command]:
    """Register a command under `name`; `examples` stands under its help."""

    def register(command: Command) -> Command:
        hints = typing.get_type_hints(command, include_extras=True)
        own = [
            parameter.replace(annotation=hints[parameter.name])
            for parameter in list(inspect.signature(command).parameters.values())[1:]
        ]
        common = [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
            for key, (kind, default) in COMMON.items()
        ]

        def call(**given: Any) -> None:
            session = Session(given.pop("home"), given.pop("address"), given.pop("as_json"))
            raise typer.Exit(command(session, **given) or 0)

        keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        call.__name__ = command.__name__
        call.__doc__ = inspect.getdoc(command)
        call.__signature__ = inspect.Signature([*keyword, *common])  # type: ignore[attr-defined]  # functions take one
        call.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *common]}
        epilog = f"Examples:\n\n{examples}" if examples else None
        short = (call.__doc__ or "").partition("\n")[0]
        app.command(name, epilog=epilog, short_help=short, **options)(call)
        return command

    return register
