"""The command line, put together: a root, above client and server.

It refuses nothing by itself. What a command does is in `client.commands`; what listens is in
`server`, and is handed to `serve` from here.
"""

from __future__ import annotations

from typing import Annotated

import typer

from client.commands import (
    access,
    audit,
    consent,
    contract,
    dataset,
    doctor,
    init,
    invitations,
    invite,
    join,
    ledger,
    lineage,
    lists,
    lookalike,
    match,
    peers,
    quote,
    report,
    requests,
    retention,
    sandbox,
    serve,
    status,
    subject,
    suppress,
)
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

app = typer.Typer(
    cls=Commands,
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


sandbox.add_to(app, listen)
init.add_to(app)
invite.add_to(app)
join.add_to(app)
app.add_typer(invitations.app, name="invitations")
app.add_typer(peers.app, name="peers")
serve.add_to(app, listen, listen_http)
status.add_to(app)
app.add_typer(dataset.app, name="dataset")
app.add_typer(consent.app, name="consent")
app.add_typer(contract.app, name="contract")
quote.add_to(app)
match.add_to(app)
app.add_typer(lists.app, name="lists")
suppress.add_to(app)
app.add_typer(subject.app, name="subject")
app.add_typer(report.app, name="report")
lookalike.add_to(app)
app.add_typer(requests.app, name="requests")
app.add_typer(ledger.app, name="ledger")
app.add_typer(retention.app, name="retention")
app.add_typer(audit.app, name="audit")
app.add_typer(lineage.app, name="lineage")
app.add_typer(access.app, name="access")
doctor.add_to(app)
