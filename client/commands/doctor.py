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
            metavar="NAME", help="Also walk the way to this counterpart, which has to serve."
        ),
    ] = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Look at engine, store, certificate, TLS, contracts and datasets; dial a counterpart.

    With --peer the way to a counterpart is walked: DNS, TCP, TLS, pin, clock, profile, contract,
    and 1 MB there and back. An HTTP proxy named in https_proxy is gone through.

    The first thing that fails is named, and the exit code is then 6; warnings do not count.
    """
    from rich.table import Table

    from client.diagnosis import diagnose
    from client.peer_diagnosis import State

    output = begin(ctx, as_json)
    with opened(party) as here, output.busy("Looking …"):
        checks = list(diagnose(here, peer))
    table = Table("", "what", "found")
    for check in checks:
        table.add_row(check.state.value, check.name, check.detail)
    found = [
        {"name": check.name, "state": check.state.value, "detail": check.detail} for check in checks
    ]
    first = next((check for check in checks if check.state is State.FAILED), None)
    last = [] if first is None else [f"First to mend: {first.name}: {first.detail}"]
    output.result({"checks": found, "failed": first and first.name}, table, *last)
    if first is not None:
        raise typer.Exit(ExitCode.BAD_INPUT)
