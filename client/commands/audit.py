"""`commonground audit`: verify the log, and show it."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, looked_at, read_for_audit

app = typer.Typer(
    no_args_is_help=True,
    help="The log of everything that happened here: verify it, hold it against another, read it.",
    epilog=example("commonground audit verify --with ../channel", "commonground audit show"),
)


@app.command(
    epilog=example(
        "commonground audit verify",
        "commonground audit verify --with channel/ --party advertiser/",
        "commonground audit verify --with ../channel --with ../vendor",
    )
)
def verify(
    ctx: typer.Context,
    others: Annotated[
        list[Path] | None,
        typer.Option(
            "--with",
            metavar="DIR",
            help="A counterpart's folder: the logs must tell the same about each other. Of three "
            "parties, repeat it: every two are compared.",
        ),
    ] = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Verify the log: signatures, every entry, the tree, what counterparts have cosigned.

    The first thing that fails is named, and the exit code is 5.
    """
    from client import verifying
    from client.render_audit import (
        comparisons_document,
        comparisons_shown,
        verification_document,
        verification_shown,
    )

    output = begin(ctx, as_json)
    with read_for_audit(party, output, "audit.verify") as here:
        if not others:
            verification = verifying.verify(here)
        else:
            with ExitStack() as opened:
                there = [opened.enter_context(looked_at(other)) for other in others]
                comparisons = verifying.compare(here, *there)
    if not others:
        output.result(verification_document(verification), *verification_shown(verification))
        return
    output.result(comparisons_document(comparisons), *comparisons_shown(comparisons))


@app.command(
    epilog=example(
        "commonground audit show --last 20", "commonground audit show --lines > log.jsonl"
    )
)
def show(
    ctx: typer.Context,
    last: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only the last N entries.")
    ] = None,
    lines: Annotated[
        bool, typer.Option("--lines", help="Print JSON lines: an entry a line, as it was logged.")
    ] = False,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show the log's entries. They hold no identifier and no exact count of people."""
    from audit.entry import Entry
    from client.render_audit import entries_shown
    from client.verifying import stored_log

    output = begin(ctx, as_json)
    with read_for_audit(party, output, "audit.show") as here:
        stored = list(stored_log(here).entries())
    chosen = stored[-last:] if last else stored
    if lines and not as_json:
        sys.stdout.write("".join(data.decode() + "\n" for data in chosen))
        return
    entries = [Entry.parse(data) for data in chosen]
    output.result(
        {"size": len(stored), "entries": [json.loads(data) for data in chosen]},
        entries_shown(entries),
    )
