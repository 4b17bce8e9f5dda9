"""`commonground lists`: list, show, name, refresh and export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from client.actors import OPERATOR
from client.commands.asking import Confirm, TheirPeople, Wait, run_request
from client.commands.options import (
    AsJson,
    ContractName,
    PartyFolder,
    begin,
    example,
    opened,
)
from client.completion import offer_lists, offer_requests

app = typer.Typer(
    no_args_is_help=True,
    help="The lists that matches have brought you: look, refresh, take them to a platform.",
    epilog=example(
        "commonground lists list --party channel/",
        "commonground lists refresh summer --party channel/",
        "commonground lists export summer --to meta --out summer.csv",
    ),
)


Target = Literal["google-customer-match", "meta", "tiktok", "uid2", "csv", "parquet"]
"""Where a list can be taken: `party.activation.export.TARGETS`, without loading it."""
PartName = Literal["whole", "added", "removed"]

ListName = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="The list's name, or its request's id or the id's first digits.",
        autocompletion=offer_lists,
    ),
]


@app.command("list", epilog=example("commonground lists list --party channel/"))
def list_(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """List your lists, newest first: what each is for, how large, until when."""
    from client.render_lists import list_document, lists_shown
    from party.lists import Lists

    output = begin(ctx, as_json)
    with opened(party) as here:
        lists, now = Lists(here), here.now
        held, under_way = lists.held(), lists.under_way()
    document = {
        "lists": [{**list_document(one), "state": one.state(now)} for one in held],
        "under_way": [{"name": name, "request": filed.request.id} for name, filed in under_way],
    }
    output.result(document, lists_shown(held, under_way, now))


@app.command(epilog=example("commonground lists show summer --party channel/"))
def show(
    ctx: typer.Context, name: ListName, party: PartyFolder = None, as_json: AsJson = False
) -> None:
    """Show a list: where it is, how large, who came and went at its last refresh.

    A list that has expired is deleted, and one that was changed after it was made is refused.
    """
    from client.render_lists import list_document, list_shown
    from party.lists import Lists

    output = begin(ctx, as_json)
    with opened(party) as here:
        lists = Lists(here)
        with lists.kept_still(lists.find(name).request.id) as found:
            found.require_whole(here.now)
    output.result(list_document(found), *list_shown(found))


@app.command("name", epilog=example("commonground lists name 1f0c22ab summer --party channel/"))
def name_(
    ctx: typer.Context,
    request: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="The request's id, or its first digits.",
            autocompletion=offer_requests,
        ),
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the list is to be called.")],
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Name a list that has no name, such as one that the counterpart asked for."""
    from client.render_lists import list_document, list_shown
    from party.lists import Lists

    output = begin(ctx, as_json)
    with opened(party) as here:
        found = Lists(here).give_name(request, name)
    output.result(list_document(found), *list_shown(found))


@app.command(epilog=example("commonground lists refresh summer --wait --party channel/"))
def refresh(
    ctx: typer.Context,
    name: ListName,
    contract: ContractName = None,
    their_people: TheirPeople = None,
    ask: Confirm = False,
    wait: Wait = False,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Make a list anew under the same contract and terms, and tell who came and who went.

    It is a match of everybody, disclosed and charged in full like the first one. The new list
    takes the place of the old one at once, or not at all; the old one is deleted then.
    """
    from client.asking import refresh_request
    from client.guess import Guess
    from party.list_names import Naming, require_free
    from party.lists import Lists
    from party.retention import prune

    output = begin(ctx, as_json)
    with opened(party) as here:
        found = Lists(here).find(name)
        agreed = here.contract(contract or found.request.contract)
        request = refresh_request(here, found, agreed)
        naming = Naming(found.title, replaces=found.request.id)
        require_free(here.store, naming)
        output.say(
            f"A refresh of {found.title} is a full disclosure again: {found.peer} charges it like "
            "a first match."
        )
        run_request(
            here,
            output,
            request,
            agreed,
            Guess.of(their_people),
            ask=ask,
            wait=wait,
            private=False,
            out=None,
            naming=naming,
        )
        prune(here)


@app.command(
    epilog=example(
        "commonground lists export summer --to google-customer-match --out g.csv",
        "commonground lists export summer --to tiktok --identifier phone --out t.csv",
        "commonground lists export summer --to meta --part removed --out gone.csv",
    )
)
def export(
    ctx: typer.Context,
    name: ListName,
    to: Annotated[
        Target,
        typer.Option(help="A platform, in the form that it publishes; or your own references."),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="A new file, for your eyes only.")],
    part: Annotated[
        PartName,
        typer.Option(
            help="All people, or those who came or went at the last refresh. Who went is to be "
            "taken off the audience, and is named only where the list before was taken.",
        ),
    ] = "whole",
    identifier: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TYPE",
            help="Only identifiers of this type, such as email; may be repeated. Without it: all "
            "that the platform takes in one file.",
        ),
    ] = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Write a list to a file for a platform, or as your own references, until its expiry.

    Consent is read again: people without it now are left out. A platform needs the contract's
    grant (export_to). The log says that the list was exported and where to. A manifest beside the
    file says when both are to be deleted.
    """
    from client.render_lists import exported_shown
    from party.activation import Order, export_list
    from party.list_files import Part
    from party.lists import Lists

    output = begin(ctx, as_json)
    with opened(party) as here:
        found = Lists(here).find(name)
        contract = here.contract(found.request.contract)
        order = Order(to, out, Part(part), tuple(identifier or ()))
        done = export_list(here, contract, found, order, actor=OPERATOR)
    output.result(done.to_dict(), *exported_shown(done))
