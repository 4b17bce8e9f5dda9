"""`commonground console`: pages for this party's own staff, and who may sign in to them."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from client.commands.console_accounts import tokens, users
from client.commands.options import AsJson, PartyFolder, begin, example, opened, until_told

app = typer.Typer(
    invoke_without_command=True,
    epilog=example(
        "commonground console users add olga --role operator",
        "commonground console --party channel/",
        "commonground console --http 10.0.0.5:7490 --name console.example.com",
    ),
)

app.add_typer(users, name="users")
app.add_typer(tokens, name="tokens")


@app.callback()
def console(
    ctx: typer.Context,
    http: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT",
            help="Where to answer browsers: on this machine alone, unless another address is "
            "given. Port 0 takes a free one.",
        ),
    ] = "127.0.0.1:7490",
    name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A name by which browsers reach it, beside the host of the address. Once for "
            "each; any other is refused.",
        ),
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Without TLS; on loopback only.")] = False,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Answer this party's staff in their browsers, until Ctrl-C or SIGTERM.

    It runs beside `serve`, or without it, on the same folder; over TLS, with the party's own
    certificate. Who may sign in: `console users`. Programs call its API with a token: `console
    tokens`.
    """
    if ctx.invoked_subcommand is not None:
        _refuse_options(ctx)
        return
    from client.console.hosting import hosting

    output = begin(ctx, as_json)
    with opened(party) as here, hosting(here, http, names=name or (), plain=plain) as url:
        wait = until_told()
        output.result(
            {"url": url, "fingerprint": here.identity.fingerprint},
            f"The console of {here.identity.name} is at {url}",
            *([] if plain else [f"Fingerprint of its certificate: {here.identity.fingerprint}"]),
        )
        sys.stdout.flush()
        wait()


def _refuse_options(ctx: typer.Context) -> None:
    """Refuse what stands before the name of another command, where nobody would read it."""
    for name in ctx.params:
        source = ctx.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(
                f"--{name.replace('as_', '')} stands after the command: "
                f"commonground console {ctx.invoked_subcommand} …"
            )
