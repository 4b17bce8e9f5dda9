"""`commonground status`: how the party stands, on one screen."""

from __future__ import annotations

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, looked_at


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=example(
            "commonground status --party channel/", "commonground status --json --party channel/"
        )
    )(status)


def status(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """Show on one screen what is in force, what waits for you, what runs, and what is left.

    Nothing is changed and nothing is sent. `commonground doctor` looks for what is wrong.
    """
    from client.render_status import status_document, status_shown
    from party.standing import standing_of

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        standing = standing_of(here)
        output.result(status_document(here, standing), status_shown(here, standing))
