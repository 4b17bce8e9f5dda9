"""`commonground invitations`: list and withdraw."""

from __future__ import annotations

from typing import Annotated

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, opened
from client.completion import offer_invitations

app = typer.Typer(
    no_args_is_help=True,
    help="The invitations that you have made: look, take one back.",
    epilog=example(
        "commonground invitations list --party channel/",
        "commonground invitations withdraw 1f0c22ab --party channel/",
    ),
)


@app.command("list", epilog=example("commonground invitations list --party channel/"))
def list_(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """List your invitations, newest first: for whom, until when, open or who used it.

    The lines themselves are not kept. An invitation is remembered for 30 days after its end.
    """
    from client.render_peers import invitation_document, invitations_shown
    from party.reception import Reception

    output = begin(ctx, as_json)
    with opened(party) as here:
        found, now = Reception(here).issued(), here.now
    output.result(
        {"invitations": [invitation_document(one, now) for one in found]},
        invitations_shown(found, now),
    )


@app.command(epilog=example("commonground invitations withdraw 1f0c22ab --party channel/"))
def withdraw(
    ctx: typer.Context,
    invitation: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="The invitation's id or the id's first digits, or its whole line.",
            autocompletion=offer_invitations,
        ),
    ],
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Take an open invitation back, so that nobody can join with it.

    It holds at once, also for a `serve` that runs. Whoever tries it is told that it was withdrawn.
    One that was used has pinned somebody: `commonground peers forget` undoes that.
    """
    from client.render_peers import invitation_document
    from party.reception import Reception

    output = begin(ctx, as_json)
    with opened(party) as here:
        done, now = Reception(here).withdraw(invitation), here.now
    output.result(
        invitation_document(done, now),
        f"The invitation {done.id} is withdrawn: nobody can join with it.",
    )
