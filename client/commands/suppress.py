"""`commonground suppress`: take people who have withdrawn off a list that is out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, opened
from client.completion import offer_requests

if TYPE_CHECKING:
    from client.suppressing import Suppressed


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=example(
            "commonground suppress 1f0c22ab --party advertiser/",
            "commonground suppress 1f0c22ab --cover",
            "commonground suppress summer --party channel/",
        )
    )(suppress)


def suppress(
    ctx: typer.Context,
    request: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="The match's request id or its first digits, or the name of your list.",
            autocompletion=offer_requests,
        ),
    ],
    cover: Annotated[
        bool,
        typer.Option(
            "--cover",
            help="Make a run also when nobody has withdrawn, so that a run says nothing by itself.",
        ),
    ] = False,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Take people who have withdrawn their consent off a list that is out.

    The sender of the list reads its dataset's consent anew and sends a run of 1,024 points, of
    which nobody can tell how many are people's. The receiver takes the hits off its list and
    acknowledges. A receiver that only dials types the same command, and fetches what waits.
    """
    from client.suppressing import Suppressor

    output = begin(ctx, as_json)
    with opened(party) as here:
        suppressor = Suppressor(here)
        filed = suppressor.find(request)
        done = suppressor.suppress(filed, cover=cover)
    output.result({"request": filed.request.id, **done.to_dict()}, _sentence(done))


def _sentence(done: Suppressed) -> str:
    from client.suppressing import AWAITED, SENT

    if done.did == AWAITED:
        return (
            "Nothing is to be done here: the sender dials, and `commonground serve` applies runs."
        )
    if not done.runs:
        return (
            "No run waits at the sender."
            if done.runs_left is None
            else f"Nobody has withdrawn since; no run was made. Runs left: {done.runs_left}."
        )
    left = "" if done.runs_left is None else f" Runs left: {done.runs_left}."
    did = "sent, and acknowledged by the receiver" if done.did == SENT else done.did
    return f"Runs {did}: {done.runs}.{left}"
