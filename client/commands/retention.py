"""`commonground retention`: what is kept and until when, and deleting what has come to its end."""

from __future__ import annotations

from typing import Annotated

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, looked_at

app = typer.Typer(
    no_args_is_help=True,
    help="What this party keeps and until when: datasets, lists, artefacts and results.",
    epilog=example("commonground retention show", "commonground retention run --dry-run"),
)


@app.command(epilog=example("commonground retention show --json"))
def show(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """Show everything that is kept, with its end and the term that states it; delete nothing.

    Ends stand in the contract (list_expiry_days, retention_days, result_days) and in a dataset's
    description (retention:). The log and the contracts have none: they stay.
    """
    from client.render_retention import kept_document, kept_shown
    from party.kept import kept

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        found, now = kept(here), here.now
    output.result(kept_document(found, now), kept_shown(found, now))


@app.command(epilog=example("commonground retention run --dry-run"))
def run(
    ctx: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be deleted now, and delete nothing.")
    ] = False,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Delete what has come to its end, and log each.

    `serve` does this once a day, and every command before its own work. Deleted are what the
    party's folder and store hold; files that a dataset was read from are yours, and are named.
    """
    from client.render_retention import deleted_document, deleted_shown
    from party.retention import due
    from party.retention import run as delete

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        ended = due(here) if dry_run else delete(here)
    output.result(deleted_document(ended, dry_run=dry_run), *deleted_shown(ended, dry_run=dry_run))
