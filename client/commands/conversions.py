"""`commonground report attribution` and `delay`: what had reached people before they converted."""

from __future__ import annotations

import typer

from client.commands.asking import (
    By,
    Confirm,
    Cost,
    Dataset,
    Delta,
    Epsilon,
    EpsilonDummies,
    Html,
    InLanguage,
    MatchRate,
    Out,
    Png,
    Private,
    Recipient,
    Segment,
    Tabulator,
    TheirDataset,
    TheirPeople,
    Wait,
    choice,
    run_request,
)
from client.commands.options import AsJson, ContractName, PartyFolder, begin, example, opened
from client.commands.timing import (
    End,
    EpsilonPeople,
    LookbackDays,
    Model,
    MostConversions,
    MostKeys,
    Room,
    SlotMinutes,
    Start,
)
from client.page.files import PageFiles


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    window = "--start 2026-01-01 --end 2026-02-01 --room 20000"
    app.command(
        epilog=example(
            f"commonground report attribution --segment basket \\\n    {window}",
            f"commonground report attribution --epsilon-people 0.5 \\\n    {window}",
        )
    )(attribution)
    app.command(epilog=example(f"commonground report delay --by age \\\n    {window}"))(delay)


def attribution(
    ctx: typer.Context,
    start: Start,
    end: End,
    room: Room,
    segment: Segment = None,
    by: By = None,
    slot_minutes: SlotMinutes = 60,
    lookback_days: LookbackDays = 30,
    most_conversions: MostConversions = 1,
    most_keys: MostKeys = None,
    epsilon_people: EpsilonPeople = None,
    model: Model = None,
    recipient: Recipient = None,
    tabulator: Tabulator = None,
    contract: ContractName = None,
    dataset: Dataset = None,
    their_dataset: TheirDataset = None,
    epsilon: Epsilon = None,
    epsilon_dummies: EpsilonDummies = None,
    delta: Delta = None,
    their_people: TheirPeople = None,
    match_rate: MatchRate = 0.5,
    ask: Confirm = False,
    wait: Wait = False,
    private: Private = False,
    cost: Cost = None,
    out: Out = None,
    html: Html = None,
    png: Png = None,
    language: InLanguage = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Attribute the recipient's conversions to the tabulator's campaigns, with noise.

    Each conversion meets the journey that touches had produced by its slot; nobody sees a time. The
    recipient's label is value buckets, segments or both. Conversions and value by campaign follow
    under every model from one table. The quote comes first, on stderr. The whole report is charged
    before it begins.
    """
    from client.asking import TableChoice, table_request
    from client.costs import read_costs
    from client.guess import Guess
    from client.timing import TimingChoice
    from party.contract_terms import OutputKind

    output = begin(ctx, as_json)
    costs = None if cost is None else read_costs(cost)
    timing = TimingChoice(
        start, end, room, slot_minutes, lookback_days, most_conversions, most_keys, epsilon_people
    )
    with opened(party) as here:
        agreed = here.contract(contract)
        wanted = TableChoice(
            OutputKind.ATTRIBUTION, recipient, tabulator, segment, by, timing=timing
        )
        chosen = choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        request = table_request(here, agreed, wanted, chosen)
        run_request(
            here, output, request, agreed, Guess.of(their_people, match_rate), ask=ask, wait=wait,
            private=private, out=out, pages=PageFiles(html, png, language), costs=costs,
            model=model,
        )  # fmt: skip


def delay(
    ctx: typer.Context,
    start: Start,
    end: End,
    room: Room,
    segment: Segment = None,
    by: By = None,
    slot_minutes: SlotMinutes = 60,
    lookback_days: LookbackDays = 30,
    most_conversions: MostConversions = 1,
    most_keys: MostKeys = None,
    recipient: Recipient = None,
    tabulator: Tabulator = None,
    contract: ContractName = None,
    dataset: Dataset = None,
    their_dataset: TheirDataset = None,
    epsilon: Epsilon = None,
    epsilon_dummies: EpsilonDummies = None,
    delta: Delta = None,
    their_people: TheirPeople = None,
    match_rate: MatchRate = 0.5,
    ask: Confirm = False,
    wait: Wait = False,
    private: Private = False,
    out: Out = None,
    html: Html = None,
    png: Png = None,
    language: InLanguage = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Measure how long after the last touch people converted, by campaign, with noise.

    The tabulator's label has a class of age for each campaign. The quote comes first, on stderr.
    The whole report is charged before it begins.
    """
    from client.asking import TableChoice, table_request
    from client.guess import Guess
    from client.timing import TimingChoice
    from party.contract_terms import OutputKind

    output = begin(ctx, as_json)
    timing = TimingChoice(
        start, end, room, slot_minutes, lookback_days, most_conversions, most_keys
    )
    with opened(party) as here:
        agreed = here.contract(contract)
        wanted = TableChoice(OutputKind.DELAY, recipient, tabulator, segment, by, timing=timing)
        chosen = choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        request = table_request(here, agreed, wanted, chosen)
        run_request(
            here, output, request, agreed, Guess.of(their_people, match_rate), ask=ask, wait=wait,
            private=private, out=out, pages=PageFiles(html, png, language),
        )  # fmt: skip
