"""`commonground doctor`: what may keep this party from working."""

from __future__ import annotations

from typing import Annotated

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, opened
from client.exits import ExitCode


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=example("commonground doctor", "commonground doctor --peer channel"))(doctor)


def doctor(
    ctx: typer.Context,
    peer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Also dial this counterpart, and check that it serves there."
        ),
    ] = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Look at engine, store, certificate, TLS, contracts and datasets; dial a counterpart.

    The exit code is 6 when something has failed; warnings do not count.
    """
    from rich.table import Table

    from client.diagnosis import State, diagnose

    output = begin(ctx, as_json)
    with opened(party) as here:
        checks = list(diagnose(here, peer))
    table = Table("", "what", "found")
    for check in checks:
        table.add_row(check.state.value, check.name, check.detail)
    found = [
        {"name": check.name, "state": check.state.value, "detail": check.detail} for check in checks
    ]
    output.result({"checks": found}, table)
    if any(check.state is State.FAILED for check in checks):
        raise typer.Exit(ExitCode.BAD_INPUT)
