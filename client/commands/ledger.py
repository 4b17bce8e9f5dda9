"""`commonground ledger`: what was spent on this party's own people."""

from __future__ import annotations

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, opened

app = typer.Typer(
    no_args_is_help=True,
    help="The privacy budgets of your own people: what was spent, on what, and what is left.",
    epilog=example("commonground ledger show"),
)


@app.command(epilog=example("commonground ledger show --json"))
def show(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """Show every charge, and what is left for each population and counterpart."""
    from client.render_ledger import ledger_document, ledger_shown
    from party import ledger
    from party.balances import balances

    output = begin(ctx, as_json)
    with opened(party) as here:
        rows = here.store.read(ledger.rows)
        standing = balances(here)
    output.result(ledger_document(standing, rows), *ledger_shown(standing, rows))
