"""`commonground lineage`: what a result rests on and where it went, and the events that tell it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, opened, read_for_audit

app = typer.Typer(
    no_args_is_help=True,
    help="What a result rests on and where it went; the OpenLineage events that tell it.",
    epilog=example(
        "commonground lineage show 4f3a2b1c --svg lineage.svg",
        "commonground lineage show customers",
    ),
)


@app.command(
    epilog=example(
        "commonground lineage show 4f3a2b1c",
        "commonground lineage show summer-list --svg lineage.svg",
        "commonground lineage show customers --party advertiser/",
    )
)
def show(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="RESULT|DATASET",
            help="A request by its first digits, a list by its name, or a dataset by its name.",
        ),
    ],
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw it into this file too.")
    ] = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show from which sources, consent and charges something was made, and who has it.

    Each step names the entry of the log that says so. It is read from this party's own log; what
    lies at counterparts stands in theirs.
    """
    from client.render_lineage import lineage_shown, lineage_svg
    from party.activation.private_file import require_new
    from party.lineage.graph import lineage_of

    output = begin(ctx, as_json)
    if svg is not None:
        require_new(svg)
    with read_for_audit(party, output, "lineage.show", name) as here:
        lineage = lineage_of(here, name)
    if svg is not None:
        svg.write_text(lineage_svg(lineage), encoding="utf-8")
        output.say(f"Drawn: {svg}")
    output.result(lineage.to_dict(), *lineage_shown(lineage))


@app.command(epilog=example("commonground lineage send --party advertiser/"))
def send(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """Send the events that wait to the server that party.toml names as lineage_url.

    `serve` does it every minute. Each event is a file in the party's folder lineage/ in any case,
    and its digest is in the log.
    """
    from audit.roles import Role
    from party.lineage.delivery import send_events, waiting

    output = begin(ctx, as_json)
    with opened(party) as here:
        here.access.require(Role.ANALYST, "lineage.send")
        sent, url = send_events(here), here.settings.lineage_url
        left = len(waiting(here))
    said = f"Sent: {sent}." if url else "party.toml names no lineage_url, so nothing was sent."
    output.result({"sent": sent, "waiting": left}, said)
