"""The options of reports about conversions: their window, and what bounds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from client.timing import TimeOptions, TimingChoice
    from party.contract_terms import OutputKind

_START: Final = typer.Option(
    metavar="TIME",
    help="When the window of conversions begins: 2026-01-01, or 2026-01-01T06:00, in UTC.",
)
_END: Final = typer.Option(
    metavar="TIME", help="When the window ends; conversions of this time are not in it."
)
_ROOM: Final = typer.Option(
    metavar="N",
    help="How many conversions each of the recipient's labels has room for, from public knowledge. "
    "Sets are padded to it, so their sizes say nothing; nothing begins if there are more.",
)
Start = Annotated[str, _START]
End = Annotated[str, _END]
Room = Annotated[int, _ROOM]
QuotedStart = Annotated[str | None, _START]
QuotedEnd = Annotated[str | None, _END]
QuotedRoom = Annotated[int | None, _ROOM]
SlotMinutes = Annotated[
    int,
    typer.Option(
        metavar="N", help="Times are told apart by slots of so many minutes, and no finer."
    ),
]
LookbackDays = Annotated[
    int, typer.Option(metavar="N", help="For how long after it a touch counts.")
]
MostConversions = Annotated[
    int,
    typer.Option(
        metavar="M",
        help="The most conversions of one person that count, the first by time. Noise grows with "
        "it.",
    ),
]
MostKeys = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="The most keys that the tabulator sends for one person. Without it: all that the "
        "contract grants, as a rule 64 for each conversion that may count and each identifier.",
    ),
]
EpsilonPeople = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER",
        help="ε of the tabulator's touched people by coalition, which shapley and markov need; "
        "charged beside the table. Without it they are not released, and those two are left out.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Of attribution: last, first, linear, position, decay, shapley, markov, or all, "
        "without it. Another model costs nothing: it is computed from the same table.",
    ),
]


def timing_for(kind: OutputKind | None, options: TimeOptions) -> TimingChoice | None:
    """Return what was chosen about time for the kinds that have it; BadParameter otherwise."""
    from party.errors import PartyError

    try:
        return options.chosen(kind)
    except PartyError as error:
        raise typer.BadParameter(str(error)) from None
