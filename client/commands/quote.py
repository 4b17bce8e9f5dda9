"""`commonground quote`: what a request would cost and how good its numbers would be."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from client.commands.asking import (
    Attribute,
    By,
    Dataset,
    Delta,
    Epsilon,
    EpsilonDummies,
    Identifier,
    MatchRate,
    Receiver,
    Recipient,
    Segment,
    SuppressionRuns,
    Tabulator,
    TheirDataset,
    TheirPeople,
    Third,
    ThirdDataset,
    Use,
    choice,
)
from client.commands.by_identifier import ByIdentifier, quote_by_identifier, require_fitting
from client.commands.options import AsJson, ContractName, PartyFolder, begin, example, opened
from client.commands.timing import (
    EpsilonPeople,
    LookbackDays,
    MostConversions,
    MostKeys,
    QuotedEnd,
    QuotedRoom,
    QuotedStart,
    SlotMinutes,
    timing_for,
)

if TYPE_CHECKING:
    from client.asking import Choice
    from party.contract import Contract
    from party.organisation import Organisation
    from party.request import Request


class Kind(StrEnum):
    """What may be quoted."""

    MATCH = "match"
    REACH = "reach"
    OVERLAP = "overlap"
    INSIGHTS = "insights"
    FUNNEL = "funnel"
    LIFT = "lift"
    CROSS_CHANNEL = "cross-channel"
    ATTRIBUTION = "attribution"
    DELAY = "delay"
    TABLE = "table"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=example(
            "commonground quote reach --segment segment --by frequency --epsilon 0.5",
            "commonground quote match --receiver channel --their-people 200000",
            "commonground quote overlap --by-identifier",
            "commonground quote insights --third vendor --attribute age \\\n"
            "    --their-people channel=100000 --their-people vendor=20000",
        )
    )(quote)


def quote(
    ctx: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="What would be asked for.")],
    receiver: Receiver = None,
    recipient: Recipient = None,
    tabulator: Tabulator = None,
    third: Third = None,
    attribute: Attribute = None,
    third_dataset: ThirdDataset = None,
    segment: Segment = None,
    by: By = None,
    by_identifier: ByIdentifier = False,
    identifier: Identifier = None,
    contract: ContractName = None,
    dataset: Dataset = None,
    their_dataset: TheirDataset = None,
    epsilon: Epsilon = None,
    epsilon_dummies: EpsilonDummies = None,
    delta: Delta = None,
    their_people: TheirPeople = None,
    match_rate: MatchRate = 0.5,
    suppression_runs: SuppressionRuns = None,
    use: Use = None,
    start: QuotedStart = None,
    end: QuotedEnd = None,
    room: QuotedRoom = None,
    slot_minutes: SlotMinutes = 60,
    lookback_days: LookbackDays = 30,
    most_conversions: MostConversions = 1,
    most_keys: MostKeys = None,
    epsilon_people: EpsilonPeople = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Say what a request would cost, in bytes, time and privacy, and how exact it would be.

    Nothing is sent and nothing is spent. The options are those of `match` and `report`.
    """
    from client.asking import TableChoice, match_request, table_request
    from client.guess import Guess
    from client.quoting import quote_for
    from client.render_quote import quote_shown
    from client.timing import TimeOptions
    from party.contract_terms import ListUse, OutputKind

    output = begin(ctx, as_json)
    of_third = (third, attribute, third_dataset)
    of_tables = (recipient, tabulator, segment, by, identifier, epsilon_dummies, *of_third)
    _require_fitting(kind, of_tables, (receiver, suppression_runs, use))
    if by_identifier and kind is not Kind.OVERLAP:
        raise typer.BadParameter("only an overlap is made --by-identifier")
    require_fitting(segment, (*of_third, identifier), by_identifier=by_identifier, resume=False)
    of_time = TimeOptions(
        start, end, room, slot_minutes, lookback_days, most_conversions, most_keys, epsilon_people
    )
    timing = timing_for(OutputKind(kind.value), of_time)

    def request_of(here: Organisation, agreed: Contract) -> Request:
        if kind is Kind.MATCH:
            chosen: Choice = choice(dataset, their_dataset, None, epsilon, delta)
            wanted = None if use is None else ListUse(use)
            return match_request(
                here, agreed, receiver, chosen, wanted, suppression_runs=suppression_runs
            )
        chosen = choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        table = TableChoice(
            OutputKind(kind.value),
            recipient,
            tabulator,
            segment,
            by,
            identifier,
            timing,
            third=third,
            attribute=attribute,
            third_dataset=third_dataset,
        )
        return table_request(here, agreed, table, chosen)

    guess = Guess.of(their_people, match_rate)
    with opened(party) as here:
        agreed = here.contract(contract)
        agreed.require_in_force(here.now)
        if by_identifier:
            chosen = choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
            table = TableChoice(OutputKind.OVERLAP, recipient, tabulator)
            quote_by_identifier(here, output, agreed, table, chosen, guess)
            return
        quoted = quote_for(here, agreed, request_of(here, agreed), guess)
    output.result(quoted.to_json(), *quote_shown(quoted))


def _require_fitting(
    kind: Kind, of_tables: tuple[str | None, ...], of_matches: tuple[str | int | None, ...]
) -> None:
    if kind is Kind.MATCH and any(value is not None for value in of_tables):
        raise typer.BadParameter(
            "a match has a --receiver, and no recipient, tabulator, labels or --epsilon-dummies"
        )
    if kind is not Kind.MATCH and any(value is not None for value in of_matches):
        raise typer.BadParameter(
            f"{kind} has a --recipient and a --tabulator, and no receiver, use or suppression runs"
        )
