"""`commonground peers`: list and forget."""

from __future__ import annotations

from typing import Annotated

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, opened
from client.completion import offer_peers

app = typer.Typer(
    no_args_is_help=True,
    help="The counterparts whose keys are pinned here: look, forget one.",
    epilog=example(
        "commonground peers list --party channel/",
        "commonground peers forget advertiser --party channel/",
    ),
)


@app.command("list", epilog=example("commonground peers list --party channel/"))
def list_(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """List whom you let in, by an invitation or by a contract, with fingerprints to compare."""
    from client.render_peers import peer_document, peers_shown
    from party.known_peers import KnownPeers

    output = begin(ctx, as_json)
    with opened(party) as here:
        found = KnownPeers(here).peers()
    output.result({"peers": [peer_document(one) for one in found]}, *peers_shown(found))


@app.command(epilog=example("commonground peers forget advertiser --party channel/"))
def forget(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="The peer's name in `peers list`.", autocompletion=offer_peers
        ),
    ],
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Take the pin away that an invitation made: its keys are let in no longer.

    It holds at once, also for a `serve` that runs, and its open invitations are withdrawn. Lists,
    results, requests and the log stay as they are. Refused while a contract with it has not ended,
    since the contract pins its keys too.
    """
    from party.known_peers import KnownPeers

    output = begin(ctx, as_json)
    with opened(party) as here:
        withdrawn = KnownPeers(here).forget(name)
    also = f" {withdrawn} open invitation(s) for it are withdrawn." if withdrawn else ""
    output.result(
        {"peer": name, "withdrawn_invitations": withdrawn},
        f"{name} is forgotten: its keys are let in no longer.{also}",
        "What was done with it stays, with the log. To meet it again: commonground invite "
        f"--for {name}",
    )
