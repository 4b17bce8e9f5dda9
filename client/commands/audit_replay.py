"""`commonground audit replay`: a finished session repeated, and held against the log."""

from __future__ import annotations

from typing import Annotated

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, looked_at, read_for_audit
from client.completion import offer_requests


def add_to(app: typer.Typer) -> None:
    """Add the command to `commonground audit`."""
    app.command(
        epilog=example(
            "commonground audit replay 1f0c22ab --party channel/",
            "commonground audit replay 1f0c22ab --json > replay.json",
        )
    )(replay)


def replay(
    ctx: typer.Context,
    request: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="The request's id, or its first digits.",
            autocompletion=offer_requests,
        ),
    ],
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Repeat a finished session from its seed, and hold it against the log.

    For an auditor at this party's premises: it needs the party's keys, its dataset as it was, and
    what the session left, which a contract keeps with replay_days. Nothing is sent or spent. Exit
    code 0 says that everything agrees, 5 that something differs, 6 that something could not be
    checked.
    """
    from client.exits import ExitCode
    from client.render_replay import replay_document, replay_shown
    from party.desk import Desk
    from party.replay import Verdict
    from party.replay import replay as repeat

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        found = Desk(here).find(request).id
    reading = read_for_audit(party, output, "audit.replay", found)
    with reading as here, output.busy("Repeating the session"):
        done = repeat(here, found)
    output.result(replay_document(done), *replay_shown(done))
    if done.verdict is not Verdict.AGREES:
        differs = done.verdict is Verdict.DIFFERS
        raise typer.Exit(ExitCode.NOT_VERIFIED if differs else ExitCode.BAD_INPUT)
