"""The options of what is asked for, and the common course of `match` and `report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from client.actors import OPERATOR
from client.completion import offer_datasets
from client.page.files import NO_PAGES, PageFiles

if TYPE_CHECKING:
    from client.asking import Choice
    from client.guess import Guess
    from client.output import Output
    from party.contract import Contract
    from party.list_names import Naming
    from party.organisation import Organisation
    from party.request import Request
    from reports.costs import Costs

Dataset = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        metavar="NAME",
        help="Your dataset, if the contract has several of yours.",
        autocompletion=offer_datasets,
    ),
]
TheirDataset = Annotated[
    str | None,
    typer.Option(
        "--their-dataset",
        metavar="NAME",
        help="The counterpart's dataset, if the contract has several.",
    ),
]
Receiver = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Who gets the list of its own people. You, without it.",
    ),
]
Recipient = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Who gets the table. You, without it."),
]
Tabulator = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Who counts it. The counterpart, without it."),
]
Segment = Annotated[
    str | None,
    typer.Option(
        metavar="LABEL",
        help="The recipient's label that splits the table into segments; value buckets add what "
        "the people are worth. None, without it; a table has one, and it may be left out where "
        "there is only one.",
    ),
]
By = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="LABEL",
        help="The tabulator's label to count by. Of reach: a frequency (1, 2, … 5+) or sets of "
        "campaigns (A, B, A+B). Of insights: attributes. Of attribution: journeys. Of delay: ages. "
        "Of lift: arms. Of cross-channel: a frequency, or everybody without it. Needed elsewhere "
        "when it has several.",
    ),
]
Identifier = Annotated[
    str | None,
    typer.Option(
        metavar="TYPE",
        help="Of a lift or of three parties: the one identifier type that people are counted by, "
        "such as email. Without it: of a lift the first of the contract that both sides hold, of "
        "three parties the one that they share.",
    ),
]
Third = Annotated[
    str | None,
    typer.Option(
        "--third",
        metavar="NAME",
        help="A third party of the contract, whose label splits the report: of everybody, of each "
        "value, and of those whom it does not know. Of insights: whose attributes people are "
        "described by. Of cross-channel: the second channel.",
    ),
]
Attribute = Annotated[
    str | None,
    typer.Option(
        metavar="LABEL",
        help="The third party's label. Needed when it has several; of cross-channel its "
        "frequencies, and without it all whom it met.",
    ),
]
ThirdDataset = Annotated[
    str | None,
    typer.Option(
        "--third-dataset",
        metavar="NAME",
        help="The third party's dataset, if the contract has several.",
    ),
]
Epsilon = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER",
        help="ε of the table: the privacy that the tabulator's people pay. 1, without it.",
    ),
]
EpsilonDummies = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER",
        help="ε of dummies and sizes: what everybody else's people pay. 1, without it.",
    ),
]
Delta = Annotated[
    str | None,
    typer.Option(metavar="NUMBER", help="δ of dummies and sizes. 1e-9, without it."),
]
TheirPeople = Annotated[
    list[str] | None,
    typer.Option(
        metavar="N|PARTY=N",
        help="How many people you expect each other party to have, or one of them by its name; "
        "may be repeated. As many as you, without it.",
    ),
]
SuppressionRuns = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="How many runs may take people who withdraw off the list while it is out, 1,024 "
        "identifiers each. One for each day of the list, without it; 0 for none.",
    ),
]
Use = Annotated[
    Literal["include", "exclude"] | None,
    typer.Option(
        help="What the list is for: people to reach, or people to leave alone because the other "
        "side has them already. Both sides sign it. Without it: the one use that the contract "
        "grants, or include where it grants both.",
    ),
]
MatchRate = Annotated[
    float,
    typer.Option(metavar="SHARE", help="The share of people you expect to be found."),
]
Wait = Annotated[
    bool,
    typer.Option(
        "--wait/--no-wait",
        help="Stay until the counterpart has approved or dialled, and go on by yourself when the "
        "session breaks off; or return at once and go on later with `requests resume`.",
    ),
]
Confirm = Annotated[
    bool, typer.Option("--ask", help="Show the quote, and go on only if you say yes.")
]
Private = Annotated[
    bool,
    typer.Option(
        "--private",
        help="The more exact numbers for your own eyes. Passed on, they would reveal exact counts.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write the result to FILE as well: .csv, .parquet or, for a report, .json.",
    ),
]

Html = Annotated[
    Path | None,
    typer.Option(
        "--html",
        metavar="FILE",
        help="Write the report to FILE as one page with charts, tables, method and audit "
        "reference, which needs no network. May be passed on, unless --private insists.",
    ),
]
Png = Annotated[
    Path | None,
    typer.Option("--png", metavar="FILE", help="Write the report's charts to FILE as a picture."),
]
InLanguage = Annotated[
    Literal["en", "zh"] | None,
    typer.Option(
        "--language",
        help="The language of the page and the charts: English, or zh for 简体中文. Labels and "
        "names stay as they are.",
    ),
]

Cost = Annotated[
    str | None,
    typer.Option(
        "--cost",
        metavar="FILE|NUMBER",
        help="What it has cost: a number for everything, or a CSV file with the columns campaign "
        "and cost, which names the tabulator's labels as the report does. Adds cost a person, and "
        "where the recipient's label is value buckets cost per acquisition and ROAS. Of an "
        "attribution: adds these two by campaign and model. Of a lift a number: adds cost per "
        "incremental conversion.",
    ),
]


def run_request(
    party: Organisation,
    output: Output,
    request: Request,
    contract: Contract,
    guess: Guess,
    *,
    ask: bool,
    wait: bool,
    private: bool,
    out: Path | None,
    naming: Naming | None = None,
    pages: PageFiles = NO_PAGES,
    costs: Costs | None = None,
    model: str | None = None,
) -> None:
    """Quote a request, carry it through, and print what it has brought.

    Raises:
        UnsuitableCosts: the costs name what the report will not have; nothing is asked then.
    """
    from client.carrying import Carrier
    from client.commands.results import print_result, require_writable
    from client.quoting import quote_for
    from client.render_quote import quote_shown
    from client.results import models_of, require_readable
    from psi.legs import TABULATOR, THIRD
    from reports.kinds import require_priced

    require_writable(request.kind, out, pages)
    require_readable(party, request, private=private)
    models_of(request.kind, model)
    if costs is not None:
        labels = request.labels[request.roles[TABULATOR]].values
        require_priced(str(request.kind), labels, costs, with_third=THIRD in request.roles)
    output.say(*quote_shown(quote_for(party, contract, request, guess)))
    if ask and not typer.confirm("Go on?", err=True):
        output.result({"state": "not asked"}, "Nothing was asked and nothing was spent.")
        return
    filed = Carrier(party, output, wait).ask(request, contract, actor=OPERATOR, naming=naming)
    print_result(
        party, output, filed, private=private, out=out, pages=pages, costs=costs, model=model
    )


def choice(
    dataset: str | None,
    their_dataset: str | None,
    epsilon: str | None,
    epsilon_dummies: str | None,
    delta: str | None,
) -> Choice:
    """Return what was chosen."""
    from client.asking import Choice

    return Choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
