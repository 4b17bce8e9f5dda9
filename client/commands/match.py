"""`commonground match`: which of one party's people the other has too."""

from __future__ import annotations

from typing import Annotated

import typer

from client.commands.asking import (
    Confirm,
    Dataset,
    Delta,
    Epsilon,
    Out,
    Receiver,
    SuppressionRuns,
    TheirDataset,
    TheirPeople,
    Use,
    Wait,
    choice,
    run_request,
)
from client.commands.options import AsJson, ContractName, PartyFolder, begin, example, opened


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=example(
            "commonground match --receiver channel --wait --party advertiser/",
            "commonground match --name summer --use exclude --party channel/",
        )
    )(match)


def match(
    ctx: typer.Context,
    receiver: Receiver = None,
    contract: ContractName = None,
    dataset: Dataset = None,
    their_dataset: TheirDataset = None,
    epsilon: Epsilon = None,
    delta: Delta = None,
    their_people: TheirPeople = None,
    suppression_runs: SuppressionRuns = None,
    ask: Confirm = False,
    wait: Wait = False,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="What to call your list, for `commonground lists`; letters and -_."
        ),
    ] = None,
    use: Use = None,
    out: Out = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Make a list: the receiver learns which of its own people the sender has too.

    A list is a disclosure and not a noisy number, so the contract grants it by name, it has a
    minimum size, and it expires. The quote comes first, on stderr. A match has no table: --epsilon
    is that of its dummies and sizes.
    """
    from client.asking import list_naming, match_request
    from client.guess import Guess
    from party.contract_terms import ListUse

    output = begin(ctx, as_json)
    with opened(party) as here:
        agreed = here.contract(contract)
        chosen = choice(dataset, their_dataset, None, epsilon, delta)
        wanted = None if use is None else ListUse(use)
        request = match_request(
            here, agreed, receiver, chosen, wanted, suppression_runs=suppression_runs
        )
        naming = list_naming(here, request, name)
        run_request(
            here,
            output,
            request,
            agreed,
            Guess.of(their_people),
            ask=ask,
            wait=wait,
            private=False,
            out=out,
            naming=naming,
        )
