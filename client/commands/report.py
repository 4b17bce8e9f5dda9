"""`commonground report`: a table of one kind, and showing a report again."""

from __future__ import annotations

from typing import Annotated

import typer

from client.commands import templates
from client.commands.asking import (
    Attribute,
    By,
    Confirm,
    Cost,
    Dataset,
    Delta,
    Epsilon,
    EpsilonDummies,
    Html,
    Identifier,
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
    Third,
    ThirdDataset,
    Wait,
    choice,
    run_request,
)
from client.commands.by_identifier import (
    ByIdentifier,
    Resume,
    require_fitting,
    run_by_identifier,
)
from client.commands.conversions import add_to as add_conversions_to
from client.commands.options import AsJson, ContractName, PartyFolder, begin, example, opened
from client.commands.timing import Model
from client.completion import offer_requests
from client.page.files import PageFiles

app = typer.Typer(
    no_args_is_help=True,
    help="Make noisy tables with a counterpart, and show them again. Nobody learns who is in them.",
    epilog=example(
        "commonground report reach --segment region --by frequency --party brand/",
        "commonground report show 1f0c22ab --html reach.html",
    ),
)
templates.add_to(app)


@app.command(
    epilog=example(
        "commonground report overlap --segment region --party brand/",
        "commonground report overlap --by-identifier --epsilon 0.5 --ask",
    )
)
def overlap(
    ctx: typer.Context,
    segment: Segment = None,
    by_identifier: ByIdentifier = False,
    resume: Resume = False,
    recipient: Recipient = None,
    tabulator: Tabulator = None,
    third: Third = None,
    attribute: Attribute = None,
    third_dataset: ThirdDataset = None,
    identifier: Identifier = None,
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
    """Count how many people both parties have, by segment, with noise.

    The quote comes first, on stderr. The whole report is charged before it begins. By identifier,
    it is a table for each type, and says why a type finds few: the digests differ, the type is
    missing, or few people are shared.
    """
    from client.asking import TableChoice, table_request
    from client.guess import Guess
    from party.contract_terms import OutputKind

    output = begin(ctx, as_json)
    of_three = (third, attribute, third_dataset, identifier)
    require_fitting(segment, of_three, by_identifier=by_identifier, resume=resume)
    with opened(party) as here:
        agreed = here.contract(contract)
        table = TableChoice(
            OutputKind.OVERLAP,
            recipient,
            tabulator,
            segment,
            identifier=identifier,
            third=third,
            attribute=attribute,
            third_dataset=third_dataset,
        )
        chosen = choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        guess = Guess.of(their_people, match_rate)
        if by_identifier:
            run_by_identifier(
                here, output, agreed, table, chosen, guess,
                resume=resume, ask=ask, wait=wait, private=private, out=out,
                pages=PageFiles(html, png, language),
            )  # fmt: skip
            return
        request = table_request(here, agreed, table, chosen)
        run_request(
            here, output, request, agreed, guess, ask=ask, wait=wait, private=private, out=out,
            pages=PageFiles(html, png, language),
        )  # fmt: skip


_COURSE = "The quote comes first, on stderr. The whole report is charged before it begins."


def _add_table(kind: str, text: str, *examples: str) -> None:
    """Add the command of a report that is one table of both parties' labels; all are alike."""

    @app.command(
        kind,
        help=f"{text} {_COURSE}",
        epilog=example(*examples),
    )
    def table(
        ctx: typer.Context,
        segment: Segment = None,
        by: By = None,
        recipient: Recipient = None,
        tabulator: Tabulator = None,
        third: Third = None,
        attribute: Attribute = None,
        third_dataset: ThirdDataset = None,
        identifier: Identifier = None,
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
        from client.asking import TableChoice, table_request
        from client.costs import read_costs
        from client.guess import Guess
        from party.contract_terms import OutputKind

        output = begin(ctx, as_json)
        costs = None if cost is None else read_costs(cost)
        with opened(party) as here:
            agreed = here.contract(contract)
            wanted = TableChoice(
                OutputKind(kind),
                recipient,
                tabulator,
                segment,
                by,
                identifier,
                third=third,
                attribute=attribute,
                third_dataset=third_dataset,
            )
            chosen = choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
            request = table_request(here, agreed, wanted, chosen)
            guess = Guess.of(their_people, match_rate)
            run_request(
                here, output, request, agreed, guess, ask=ask, wait=wait, private=private, out=out,
                pages=PageFiles(html, png, language), costs=costs,
            )  # fmt: skip


_add_table(
    "reach",
    "Measure how many people a campaign met and how often, by segment, with noise.\n\n"
    "By a frequency label: reach, k+ reach, average frequency. By a label of campaign sets: reach "
    "by campaign.",
    "commonground report reach --segment region --by frequency --party brand/",
    "commonground report reach --by campaigns --epsilon 0.5 --out reach.csv",
)
_add_table(
    "insights",
    "Say what the people whom both parties have are like, by the tabulator's attributes.\n\n"
    "By a label of attributes, such as region × age: counts, shares, and an index against all that "
    "the tabulator has, where 100 is equal; with noise.",
    "commonground report insights --by region-age --party brand/",
    "commonground report insights --segment tier --by region-age --out who.csv",
)
_add_table(
    "funnel",
    "Follow people from one party's stages to the other's: flows and step conversion, with noise."
    "\n\nLabels are stages, the earliest first in the contract.",
    "commonground report funnel --segment stage --by seen --party brand/",
    "commonground report funnel --segment stage --by seen --out funnel.csv",
)
_add_table(
    "cross-channel",
    "Measure the reach of two channels together, and nobody twice, with noise.\n\n"
    "The tabulator and the third party are the channels: people met by one alone, by both, by "
    "either, and by how often.",
    "commonground report cross-channel --by frequency --attribute frequency",
    "commonground report cross-channel --third vendor --html reach.html",
)
_add_table(
    "table",
    "Count any granted label of one party against any of the other, with noise.\n\n"
    "The tabulator's label gives the rows, the recipient's the columns.",
    "commonground report table --segment tier --by region --party brand/",
    "commonground report table --segment tier --by region --out table.csv",
)


add_conversions_to(app)


@app.command(
    epilog=example(
        "commonground report lift --by arm-exposed --cost 5000 --party brand/",
        "commonground report lift --segment spend --identifier email --html lift.html",
    )
)
def lift(
    ctx: typer.Context,
    segment: Segment = None,
    by: By = None,
    identifier: Identifier = None,
    recipient: Recipient = None,
    tabulator: Tabulator = None,
    third: Third = None,
    attribute: Attribute = None,
    third_dataset: ThirdDataset = None,
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
    cost: Cost = None,
    private: Private = False,
    out: Out = None,
    html: Html = None,
    png: Png = None,
    language: InLanguage = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Measure what a treatment has changed, between two arms assigned at random, with noise.

    The tabulator's label has two arms, the treatment first in the contract, or two arms × exposed
    or not. The recipient's label has people who converted: kinds of conversion, or value buckets;
    without a label all of its people have. The quote comes first, on stderr. The whole report is
    charged before it begins.
    """
    from client.asking import TableChoice, table_request
    from client.costs import read_costs
    from client.guess import Guess
    from party.contract_terms import OutputKind

    output = begin(ctx, as_json)
    costs = None if cost is None else read_costs(cost)
    with opened(party) as here:
        agreed = here.contract(contract)
        wanted = TableChoice(
            OutputKind.LIFT,
            recipient,
            tabulator,
            segment,
            by,
            identifier,
            third=third,
            attribute=attribute,
            third_dataset=third_dataset,
        )
        chosen = choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        request = table_request(here, agreed, wanted, chosen)
        run_request(
            here, output, request, agreed, Guess.of(their_people, match_rate), ask=ask, wait=wait,
            private=private, out=out, pages=PageFiles(html, png, language), costs=costs,
        )  # fmt: skip


@app.command(
    epilog=example(
        "commonground report show 1f0c22ab --out reach.parquet",
        "commonground report show 1f0c22ab --html reach.html --language zh",
        "commonground report show 1f0c22ab --model shapley",
    )
)
def show(
    ctx: typer.Context,
    request: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="The request's id, or its first digits.",
            autocompletion=offer_requests,
        ),
    ],
    shareable: Annotated[
        bool,
        typer.Option(
            "--shareable/--private",
            help="The numbers that may be passed on, or the more exact ones for your own eyes. "
            "What is written to files is shareable unless --private insists.",
        ),
    ] = True,
    cost: Cost = None,
    model: Model = None,
    out: Out = None,
    html: Html = None,
    png: Png = None,
    language: InLanguage = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show what a finished request has brought: a report, or where its list is.

    It is computed again from the stored table, at no cost in privacy. A result that was changed
    after it was made is refused.
    """
    from client.commands.results import print_result, require_writable
    from client.costs import read_costs
    from party.desk import Desk

    output = begin(ctx, as_json)
    costs = None if cost is None else read_costs(cost)
    with opened(party) as here:
        filed = Desk(here).find(request)
        pages = PageFiles(html, png, language)
        require_writable(filed.request.kind, out, pages)
        print_result(
            here, output, filed, private=not shareable, out=out, pages=pages, costs=costs,
            model=model,
        )  # fmt: skip
