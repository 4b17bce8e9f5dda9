"""The command line, put together: a root, above client and server.

It refuses nothing by itself. What a command does is in `client.commands`, in a module of its name
that is loaded once it is typed. What listens is in `server`, and is handed to `serve` from here.
"""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.main import get_group

from client.exits import ExitCode
from client.group import Commands
from commonground.listening import listen, listen_http

_EXIT_CODES = "\n".join(f"  {code.value:>3}  {code.meaning}" for code in ExitCode)
_BEGINNING = """\
To try everything alone:
  commonground sandbox
To begin:
  commonground init advertiser/ --name advertiser \\
      --organisation "Example Foods" --jurisdiction NL \\
      --origin audit.example.com/advertiser
  commonground join LINE --party advertiser/
"""

_HANDED: Final[dict[str, tuple[Any, ...]]] = {"sandbox": (listen,), "serve": (listen, listen_http)}
"""What a command is given of the layer that it must not import."""
_IN_MODULE: Final = {"restore": "backup"}
"""Commands that share a module with another."""


class _Program(Commands):
    """All commands: a group of its own each, or one that its module adds."""

    def load(self, name: str) -> Any:  # noqa: ANN401 - a command of Click's private module
        module = import_module(f"client.commands.{_IN_MODULE.get(name, name)}")
        alone = typer.Typer()
        if hasattr(module, "add_to") and not hasattr(module, "app"):
            module.add_to(alone, *_HANDED.get(name, ()))
        else:
            alone.add_typer(module.app, name=name)
        return get_group(alone).commands[name]


app = typer.Typer(
    cls=_Program,
    name="commonground",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"{_BEGINNING}\nExit codes:\n{_EXIT_CODES}",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"commonground {version('commonground')}")
        raise typer.Exit


@app.callback()
def commonground(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an unexpected error.")
    ] = False,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Match audiences and measure campaigns between organisations that do not show their data.

    Each organisation is a folder made by `init`. Two or three of them sign a contract, register
    datasets, and ask each other for lists (`match`) and noisy tables (`report`). Every command
    explains itself with --help and takes --json.
    """
