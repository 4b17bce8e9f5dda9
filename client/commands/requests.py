"""`commonground requests`: list, show, approve, refuse and resume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from client.actors import OPERATOR
from client.commands.options import (
    AsJson,
    PartyFolder,
    begin,
    example,
    opened,
)
from client.completion import offer_requests

if TYPE_CHECKING:
    from client.output import Output
    from party.filing import Filed
    from party.organisation import Organisation

app = typer.Typer(
    no_args_is_help=True,
    help="What was asked of you and by you: look, approve, refuse, go on.",
    epilog=example(
        "commonground requests list --from channel",
        "commonground requests approve 1f0c22ab",
        "commonground requests resume 1f0c22ab",
    ),
)

RequestId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="The request's id, or its first digits.",
        autocompletion=offer_requests,
    ),
]
Wait = Annotated[
    bool,
    typer.Option(
        "--wait/--no-wait",
        help="Stay until the counterpart has done its part, and go on by yourself when the "
        "session breaks off; or return at once.",
    ),
]


@app.command(
    "list",
    epilog=example("commonground requests list", "commonground requests list --from channel"),
)
def list_(
    ctx: typer.Context,
    peer: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="PEER",
            help="Dial this counterpart first, and fetch what it asks. For a party that only "
            "dials; to others requests come by themselves while `serve` runs.",
        ),
    ] = None,
    last: Annotated[
        int, typer.Option(metavar="N", min=1, help="The newest so many; what is open is all shown.")
    ] = 100,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """List requests, newest first, with what can be done next."""
    from client.render_request import request_document, requests_shown
    from party.filing import EVERY, Filing

    output = begin(ctx, as_json)
    with opened(party) as here:
        if peer is not None:
            from client.carrying import Carrier

            Carrier(here, output).fetch(peer)
        filing = Filing(here)
        page = filing.page(EVERY, most=last)
        newest = {one.id for one in page.requests}
        filed = [*page.requests, *(one for one in filing.open() if one.id not in newest)]
        left_out = filing.count(EVERY) - len(filed)
    document = {"requests": [request_document(one) for one in filed], "left_out": left_out}
    output.result(document, *requests_shown(filed, left_out))


@app.command(epilog=example("commonground requests show 1f0c22ab"))
def show(
    ctx: typer.Context, request: RequestId, party: PartyFolder = None, as_json: AsJson = False
) -> None:
    """Show all of a request: who, what, which labels, at what cost in privacy.

    Of a finished one also what each bound and rule left of this party's own rows, exact.
    """
    from client.render_request import request_document, request_shown, steps_shown
    from party.desk import Desk

    output = begin(ctx, as_json)
    with opened(party) as here:
        filed = Desk(here).find(request)
        steps = Desk(here).steps(filed.request.id)
    document = request_document(filed) | {"steps": [step.to_dict() for step in steps]}
    output.result(document, *request_shown(filed), *steps_shown(steps))


@app.command(epilog=example("commonground requests approve 1f0c22ab --party channel/"))
def approve(
    ctx: typer.Context,
    request: RequestId,
    wait: Wait = False,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Approve a counterpart's request.

    If this party only dials, it dials now and carries the request out. Otherwise the counterpart
    comes back by itself, and `serve` carries it out.
    """
    from client.carrying import Carrier
    from client.render_request import request_document
    from party.decision import FINISHED

    output = begin(ctx, as_json)
    with opened(party) as here:
        filed = Carrier(here, output, wait).approve(request, actor=OPERATOR)
        if filed.state == FINISHED:
            _print_outcome(here, output, filed)
            return
    output.result(
        request_document(filed),
        f"Approved. {filed.peer} comes back for it, and `commonground serve` carries it out here.",
    )


@app.command(epilog=example('commonground requests refuse 1f0c22ab --reason "not before Friday"'))
def refuse(
    ctx: typer.Context,
    request: RequestId,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; the counterpart reads it.")
    ] = "declined by hand",
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Refuse a counterpart's request. Nothing is spent, and both logs say so."""
    from client.carrying import Carrier
    from client.render_request import request_document

    output = begin(ctx, as_json)
    with opened(party) as here:
        filed = Carrier(here, output).refuse(request, reason, actor=OPERATOR)
    output.result(request_document(filed), f"Refused, with the reason: {reason}")


@app.command(epilog=example("commonground requests resume 1f0c22ab --wait"))
def resume(
    ctx: typer.Context,
    request: RequestId,
    wait: Wait = False,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Go on with a request where it was: ask how it stands, dial again, finish the session.

    What was sent is sent again byte for byte, and nothing is charged twice.
    """
    from client.carrying import Carrier
    from party.desk import Desk

    output = begin(ctx, as_json)
    with opened(party) as here:
        filed = Carrier(here, output, wait).go_on(Desk(here).find(request))
        _print_outcome(here, output, filed)


def _print_outcome(here: Organisation, output: Output, filed: Filed) -> None:
    from client.commands.results import print_result

    print_result(here, output, filed, private=False, out=None)
