"""`commonground join`: use an invitation, and begin a contract with whoever made it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from client.commands.options import AsJson, PartyFolder, Transfers, begin, example, opened


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=example("commonground join LINE --id summer --party advertiser/"))(join)


def join(
    ctx: typer.Context,
    line: Annotated[
        str,
        typer.Argument(
            metavar="LINE",
            help="What the counterpart's `invite` printed, or - to read it from stdin.",
        ),
    ],
    contract_id: Annotated[
        str, typer.Option("--id", metavar="ID", help="A short name for the contract.")
    ] = "contract",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Where to write the draft.", show_default="contract-ID.yaml"
        ),
    ] = None,
    third: Annotated[
        str | None,
        typer.Option(
            metavar="CARD|NAME",
            help="A third party, whose labels are to be added to tables: its card, or its name.",
        ),
    ] = None,
    transfers: Transfers = None,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Take new keys for the counterpart, in the place of those that are pinned here.",
        ),
    ] = False,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Pin the party that made an invitation, be pinned there, and write a draft contract with it.

    What answers must have the certificate in the line; otherwise nothing is said to it. The code
    serves once. The draft is that of `contract propose`: it is to be edited and signed by both.
    """
    from client.drafting import Draft, draft_path, find_card
    from client.joining import join_with_draft
    from party.transfers import Transfer

    output = begin(ctx, as_json)
    text = typer.get_text_stream("stdin").read() if line == "-" else line
    path = out or draft_path(contract_id)
    with opened(party) as here, output.busy("Joining …"):
        added = None if third is None else find_card(here, third)
        stated = tuple(map(Transfer.parse, transfers or ()))
        draft = Draft(contract_id, None, 365, they_measure=False, third=added, transfers=stated)
        theirs = join_with_draft(here, text, draft, path, replace=replace)
    card, name = theirs.card, theirs.name
    output.result(
        {
            "peer": name,
            "organisation": card.organisation,
            "address": card.address,
            "fingerprint": card.fingerprint,
            "contract": contract_id,
            "file": str(path),
            "their_datasets": list(theirs.datasets),
        },
        f"{name} of {card.organisation} is pinned here, and this party there.",
        f"Fingerprint  {card.fingerprint}",
        f"The draft is in {path}. Read it, edit it, and agree on it with your counterpart.",
        _stated(name, list(theirs.datasets)),
        f"Next: commonground contract sign {path}",
        "      send the file to your counterpart, who signs it too",
        f"      commonground doctor --peer {name}",
    )


def _stated(name: str, datasets: list[str]) -> str:
    if datasets:
        return f"It has {name}'s datasets as {name} states them: {', '.join(datasets)}."
    return (
        f"{name} has stated no dataset: an example stands in its place under 'datasets'. Ask "
        f"{name} what to write there."
    )
