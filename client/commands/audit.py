"""`commonground audit`: verify the log; reading it and taking it out is `audit_reading`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from client.commands import audit_reading, audit_replay
from client.commands.options import AsJson, PartyFolder, begin, example, looked_at, read_for_audit

app = typer.Typer(
    no_args_is_help=True,
    help="The log of everything that happened here: verify it, hold it against another, read it.",
    epilog=example(
        "commonground audit verify --with ../channel",
        "commonground audit filter --kind consent --since 2026-01-01",
        "commonground audit evidence 1f0c22ab",
    ),
)


Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="VKEY",
        help="The log's key, from somewhere else than the log: it must be the one.",
    ),
]


@app.command(
    epilog=example(
        "commonground audit verify",
        "commonground audit verify --with channel/ --party advertiser/",
        "commonground audit verify --with ../channel --with ../vendor",
        "commonground audit verify exported-log/ --with other-log/",
        "commonground audit verify https://audit.example.com:7480 \\",
        "    --token-file officer.token",
    )
)
def verify(
    ctx: typer.Context,
    log: Annotated[
        str | None,
        typer.Argument(
            help="A folder that `audit export --tiles` wrote, a URL of `serve --http`, or a "
            "party's folder. Without it: the party's own log.",
            show_default=False,
        ),
    ] = None,
    others: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="LOG",
            help="A counterpart's log, a folder or a URL as well: the logs must tell the same "
            "about each other. Of three parties, repeat it: every two are compared.",
        ),
    ] = None,
    key: Key = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The token for logs behind a URL: the party's keys/http.token."
        ),
    ] = None,
    fingerprint: Annotated[
        str | None,
        typer.Option(
            metavar="SHA256",
            help="The fingerprint of the certificate behind an https URL, as a card has it. "
            "Without it this machine's authorities decide.",
        ),
    ] = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Verify the log: signatures, every entry, the tree, what counterparts have cosigned.

    The first thing that fails is named, and the exit code is 5.
    """
    from client.log_places import LogAccess
    from client.render_audit import (
        comparisons_document,
        comparisons_shown,
        verification_document,
        verification_shown,
    )
    from client.verifying import stored_log, verify_at

    output = begin(ctx, as_json)
    access = LogAccess(token_file, fingerprint)
    if log is None:
        with read_for_audit(party, output, "audit.verify") as here:
            own = stored_log(here)
            verification, comparisons = verify_at(own, others or [], access, key)
    else:
        verification, comparisons = verify_at(log, others or [], access, key)
    if comparisons:
        output.result(comparisons_document(comparisons), *comparisons_shown(comparisons))
    else:
        output.result(verification_document(verification), *verification_shown(verification))


@app.command(
    epilog=example(
        "commonground audit receipt 41 --out spend.tlog-proof",
        "commonground audit receipt 41 --out spend.tlog-proof --party advertiser/",
    )
)
def receipt(
    ctx: typer.Context,
    entry: Annotated[int, typer.Argument(min=0, help="The entry's number in the log.")],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The file to write; it must not exist.")
    ],
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Write the receipt of one entry: a file that proves offline that the log has it.

    It holds the entry, its proof and a signed checkpoint (c2sp.org/tlog-proof).
    """
    from client.receipts import write_receipt
    from client.render_audit import receipt_document, receipt_shown
    from client.verifying import stored_log

    output = begin(ctx, as_json)
    with read_for_audit(party, output, "audit.receipt", str(entry)) as here:
        written = write_receipt(here, entry, out)
        vkey, others = here.identity.vkey, stored_log(here).counterparts()
    output.result(receipt_document(written, out, vkey), *receipt_shown(written, out, vkey, others))


@app.command(
    epilog=example(
        "commonground audit check-receipt spend.tlog-proof \\",
        "    --key audit.example.com/a+1d2c3b4a+AaBb",
    )
)
def check_receipt(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The receipt.")],
    key: Annotated[
        str,
        typer.Option(
            metavar="VKEY", help="The log's key, from its party's card or from a contract."
        ),
    ],
    witnesses: Annotated[
        list[str] | None,
        typer.Option(
            "--witness",
            metavar="VKEY",
            help="The key of somebody who must have cosigned the log; may be repeated.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a receipt by the log's key alone: no folder and no network is needed."""
    from client.receipts import check_receipt as check
    from client.render_audit import proven_document, proven_shown

    output = begin(ctx, as_json)
    proven = check(file, key, witnesses or ())
    output.result(proven_document(proven), *proven_shown(proven))


@app.command(epilog=example("commonground audit witness", "commonground audit witness --json"))
def witness(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """Ask the outside witnesses in party.toml to cosign the log as it is now.

    While `serve` runs it asks them by itself. A witness that does not answer stops nothing.
    """
    from client.render_audit import asked_document, asked_shown
    from client.witnessing import ask_witnesses

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        asked = ask_witnesses(here)
    output.result(asked_document(asked), *asked_shown(asked))


audit_reading.add_to(app)
audit_replay.add_to(app)
