"""`commonground access`: who may act for the party, in which role."""

from __future__ import annotations

from typing import Annotated

import typer

from audit.roles import Role
from client.commands.options import AsJson, PartyFolder, begin, example, looked_at

app = typer.Typer(
    no_args_is_help=True,
    help="Who may act for this party: accounts of this machine, each in one role.",
    epilog=example(
        "commonground access add alice --role operator",
        "commonground access add bob --role analyst",
        "commonground access add carol --role compliance",
        "commonground access list",
    ),
)


@app.command(epilog=example("commonground access add carol --role compliance --party advertiser/"))
def add(
    ctx: typer.Context,
    account: Annotated[str, typer.Argument(help="An account of this machine, or uid-NUMBER.")],
    role: Annotated[
        Role,
        typer.Option(
            help="operator: everything. analyst: asks for lists and reports, and reads. "
            "compliance: reads, and runs and changes nothing."
        ),
    ],
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Let an account act for this party in a role, or change its role.

    The first member is whoever adds it, as operator. From then on nobody else opens the party, and
    each entry of the log says which account wrote it, in which role. It does not replace the
    permissions of the folder: whoever reads its keys can act without this program.
    """
    from client.render_access import member_document

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        member = here.access.add(account, role)
    output.result(
        member_document(member), f"{member.account} acts for this party as {member.role.value}."
    )


@app.command(epilog=example("commonground access remove bob --party advertiser/"))
def remove(
    ctx: typer.Context,
    account: Annotated[str, typer.Argument(help="The account, as `access list` has it.")],
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Let an account act for this party no longer; a command that it runs stops at its next step.

    The last operator stays while there are other members. Without any member the party is as open
    as its folder again.
    """
    from client.render_access import member_document

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        member = here.access.remove(account)
        left = here.access.members()
    words = [f"{member.account} acts for this party no longer."]
    if not left:
        words.append("No members are left: whoever can open this folder may do everything.")
    output.result(member_document(member), *words)


@app.command("list", epilog=example("commonground access list --party advertiser/"))
def list_(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """List who may act for this party, in which role and since when, and say who you are."""
    from client.render_access import access_document, access_shown

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        members, own = here.access.members(), here.access.standing()
    output.result(access_document(members, own), *access_shown(members, own))
