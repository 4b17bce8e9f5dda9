"""`commonground invite`: one line by which a counterpart joins."""

from __future__ import annotations

from typing import Annotated

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, opened
from client.completion import offer_datasets


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=example(
            "commonground invite --party channel/",
            "commonground invite --for advertiser --offer subscribers --party channel/",
        )
    )(invite)


def invite(
    ctx: typer.Context,
    for_name: Annotated[
        str | None,
        typer.Option("--for", metavar="NAME", help="Only for the party of this name."),
    ] = None,
    hours: Annotated[
        int, typer.Option(min=1, max=720, help="After how many hours it ends, unless it is used.")
    ] = 24,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Let NAME come with new keys, in the place of those that are pinned here.",
        ),
    ] = False,
    offer: Annotated[
        list[str] | None,
        typer.Option(
            "--offer",
            metavar="DATASET",
            help="Tell whoever joins what this dataset holds: its name, types of identifiers and "
            "labels with their values, so that their draft contract has it. May be repeated.",
            autocompletion=offer_datasets,
        ),
    ] = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Print one line with which one counterpart joins, once, so that both sides are pinned.

    The line has this party's address, the fingerprint of its certificate and a one-time code. Pass
    it on by a way that others do not read. `serve` must run when the counterpart joins; it says who
    came. Only the code's certificate is kept here, so the line cannot be printed again;
    `invitations withdraw ID` takes it back.
    """
    from client.units import shown_time
    from party.reception import HOUR_SECONDS, Reception

    output = begin(ctx, as_json)
    with opened(party) as here:
        reception = Reception(here)
        invitation = reception.invite(
            hours=hours, for_name=for_name, replace=replace, datasets=offer or ()
        )
        made = reception.find(invitation.id)
        ends, in_full = made.ends_at, made.ends_at - made.made_at == hours * HOUR_SECONDS
    who = "one party" if for_name is None else f"the party {for_name}"
    output.say(
        f"For {who}, once, until {shown_time(ends)}, while `commonground serve` runs here. "
        "They type: commonground join LINE",
        f"They will be told what your {', '.join(offer)} holds."
        if offer
        else "They will not be told what your datasets hold; --offer DATASET tells it.",
        *([] if in_full else ["It ends sooner, when your new certificate comes into use."]),
        f"To take it back: commonground invitations withdraw {invitation.id}",
    )
    output.result(
        {
            "id": invitation.id,
            "line": invitation.line,
            "address": invitation.address,
            "fingerprint": invitation.fingerprint,
            "for": for_name,
            "ends": ends,
            "offers": list(offer or ()),
        },
        invitation.line,
    )
