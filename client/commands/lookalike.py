"""`commonground lookalike`: score this party's own people by insights that it has released."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from client.actors import OPERATOR
from client.commands.options import AsJson, PartyFolder, begin, example, opened
from client.completion import offer_datasets, offer_requests


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=example(
            "commonground lookalike 1f0c22ab --purpose dpv:Marketing --out best.csv",
            "commonground lookalike 1f0c22ab --purpose dpv:Marketing \\\n"
            "    --dataset everybody --top 0.2 --out scored.parquet --party channel/",
        )
    )(lookalike)


def lookalike(
    ctx: typer.Context,
    request: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="The insights' request id, or its first digits. You were the tabulator.",
            autocompletion=offer_requests,
        ),
    ],
    purpose: Annotated[
        str,
        typer.Option(
            metavar="dpv:…",
            help="What the list is for. The contract grants it, and only people are scored who "
            "consent to it for the counterpart.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(metavar="FILE", help="A new file (.parquet, .csv), for your eyes only."),
    ],
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="BASE",
            help="Whose people are scored: a dataset with the request's label. Without it: that "
            "of the request.",
            autocompletion=offer_datasets,
        ),
    ] = None,
    top: Annotated[
        float, typer.Option(help="The share of them to write, the best first; 1 for all.")
    ] = 0.1,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Find those of your people who are most like the matched, by insights you have tabulated.

    Each attribute weighs as much as it is more frequent among the matched than in your base, and
    what noise may explain weighs nothing. Your people are scored where they lie: nothing is sent,
    nothing is spent, and the log says that it was done. The lift of the best tenths is estimated
    on the noisy table, with its error.
    """
    from client.lookalike import make_lookalike
    from client.render_lookalike import lookalike_shown

    output = begin(ctx, as_json)
    with opened(party) as here:
        scored = make_lookalike(
            here, request, dataset=dataset, purpose=purpose, top=top, out=out, actor=OPERATOR
        )
    output.result(scored.to_dict(), *lookalike_shown(scored))
