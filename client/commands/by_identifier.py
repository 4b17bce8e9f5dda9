"""The course of `report overlap --by-identifier`: quote the whole, ask, carry, print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from client.actors import OPERATOR
from client.page.files import PageFiles

if TYPE_CHECKING:
    from client.asking import Choice, TableChoice
    from client.guess import Guess
    from client.output import Output
    from party.contract import Contract
    from party.organisation import Organisation

ByIdentifier = Annotated[
    bool,
    typer.Option(
        "--by-identifier",
        help="One table for each identifier type, to see which finds people and which does not. "
        "Each is charged: ε is the sum.",
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="With --by-identifier: go on with what an earlier call began, or show it again. What "
        "was asked then is not asked or charged again.",
    ),
]


def require_fitting(
    segment: str | None, of_three: tuple[str | None, ...], *, by_identifier: bool, resume: bool
) -> None:
    """Refuse options that do not go together; `of_three` are those of tables of one type."""
    if by_identifier and segment is not None:
        raise typer.BadParameter("an overlap by identifier has no --segment: it compares types")
    if by_identifier and any(one is not None for one in of_three):
        raise typer.BadParameter(
            "an overlap by identifier is of two parties and of all their types: it has no --third, "
            "--attribute, --third-dataset or --identifier"
        )
    if resume and not by_identifier:
        raise typer.BadParameter(
            "--resume is for --by-identifier; a single request goes on by `requests resume ID`"
        )


def quote_by_identifier(
    party: Organisation,
    output: Output,
    contract: Contract,
    table: TableChoice,
    choice: Choice,
    guess: Guess,
) -> None:
    """Print what all requests would cost together."""
    from client.by_identifier import plan, quote_all
    from client.render_by_identifier import quotes_document, quotes_shown

    quotes = quote_all(party, plan(party, contract, table, choice), guess)
    output.result(quotes_document(quotes), *quotes_shown(quotes))


def run_by_identifier(
    party: Organisation,
    output: Output,
    contract: Contract,
    table: TableChoice,
    choice: Choice,
    guess: Guess,
    *,
    resume: bool,
    ask: bool,
    wait: bool,
    private: bool,
    out: Path | None,
    pages: PageFiles,
) -> None:
    """Quote and admit all requests together, carry them through, and print the report."""
    from client.by_identifier import carry_all, plan, quote_all, report_of, require_room
    from client.carrying import Carrier
    from client.commands.results import require_writable, write_pages
    from client.render_by_identifier import by_identifier_shown, quotes_shown
    from client.results import export, require_readable

    require_writable(table.kind, out, pages)
    asked = plan(party, contract, table, choice, resume=resume)
    require_readable(party, next(iter(asked.requests.values())), private=private)
    output.say(*quotes_shown(quote_all(party, asked, guess)))
    require_room(party, asked)
    if ask and asked.to_ask and not typer.confirm("Go on?", err=True):
        output.result({"state": "not asked"}, "Nothing was asked and nothing was spent.")
        return
    finished = carry_all(Carrier(party, output, wait), asked, actor=OPERATOR)
    report = report_of(party, finished, private=private)
    written = []
    if out is not None:
        export(report, out)
        written = [f"Written to {out}."]
    written += write_pages(party, output, report, list(finished.values()), pages)
    requests = {kind: filed.request.id for kind, filed in finished.items()}
    output.result(
        {"requests": requests, "result": report.to_dict()}, *by_identifier_shown(report), *written
    )
