"""`commonground consent`: record, withdraw, import, show; receipts and checking them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from client.actors import OPERATOR
from client.commands.options import AsJson, PartyFolder, begin, example, opened, read_for_audit

app = typer.Typer(
    no_args_is_help=True,
    help="Write down what people have said to your notices, and what they take back.",
    epilog=example(
        "commonground consent record C1001 --notice loyalty.yaml",
        "commonground consent withdraw C1001 --receipt receipt.json",
        "commonground consent import said.csv --notice loyalty --id customer \\\n    --time at",
    ),
)

Person = Annotated[
    str, typer.Argument(metavar="ID", help="What your datasets call the person; it is not stored.")
]
NoticeName = Annotated[
    str,
    typer.Option(
        "--notice",
        metavar="FILE.yaml|NAME",
        help="What the person was shown: a file, or the name of a notice that is known here.",
    ),
]
Purpose = Annotated[
    str | None, typer.Option(metavar="dpv:…", help="Only this purpose; without it, all of them.")
]
Recipient = Annotated[
    str | None,
    typer.Option(metavar="PARTY", help="Only this recipient; without it, all of them."),
]
By = Annotated[str, typer.Option(help="Who says so: subject, guardian or controller.")]
ReceiptFile = Annotated[
    Path | None,
    typer.Option("--receipt", metavar="FILE", help="A new file with the receipt for the person."),
]


@app.command(
    epilog=example(
        "commonground consent record C1001 --notice loyalty.yaml --how web-form",
        "commonground consent record C1001 --notice member --recipient channel \\\n"
        "    --by guardian --receipt receipt.json",
    )
)
def record(
    ctx: typer.Context,
    person: Person,
    notice: NoticeName,
    state: Annotated[str, typer.Option(help="given, refused or expired.")] = "given",
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When it was said, such as 2026-01-31T09:30:00Z."),
    ] = None,
    purpose: Purpose = None,
    recipient: Recipient = None,
    by: By = "subject",
    how: Annotated[
        str, typer.Option(help="How it was said, in small letters and hyphens.")
    ] = "record",
    receipt: ReceiptFile = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Record what a person says to a notice; the log has a commitment, and no id.

    Where the notice asks for consent by itself (separate_consent_for; PIPL, Article 23), a consent
    counts only with --recipient: a yes to everything is not separate consent.
    """
    from client import consenting
    from client.render_consent import said_shown

    output = begin(ctx, as_json)
    consenting.require_room(receipt)
    with opened(party) as here:
        said = consenting.record(
            here, person, notice, state=state, at=at, purpose=purpose, recipient=recipient, by=by,
            how=how, actor=OPERATOR,
        )  # fmt: skip
    if receipt is not None:
        consenting.write_receipt(said.receipt, receipt)
    output.result(said.to_dict(), *said_shown(said, receipt))


@app.command(
    epilog=example(
        "commonground consent withdraw C1001 --receipt receipt.json",
        "commonground consent withdraw C1001 --purpose dpv:MarketResearch \\\n"
        "    --recipient channel",
    )
)
def withdraw(
    ctx: typer.Context,
    person: Person,
    purpose: Purpose = None,
    recipient: Recipient = None,
    by: By = "subject",
    how: Annotated[
        str, typer.Option(help="How it was said, in small letters and hyphens.")
    ] = "request",
    receipt: ReceiptFile = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Take back what a person has consented to; it counts from the next session on.

    Lists that are out and may hold the person are named: `suppress` takes them off, and `serve`
    does so by itself. The receipt proves to the person that the withdrawal stands in the log.
    """
    from client import consenting
    from client.render_consent import said_shown

    output = begin(ctx, as_json)
    consenting.require_room(receipt)
    with opened(party) as here:
        said = consenting.withdraw(
            here, person, purpose=purpose, recipient=recipient, by=by, how=how, actor=OPERATOR
        )
    if receipt is not None:
        consenting.write_receipt(said.receipt, receipt)
    output.result(said.to_dict(), *said_shown(said, receipt))


@app.command(
    "import",
    epilog=example(
        "commonground consent import said.csv --notice loyalty.yaml --id customer \\\n"
        "    --state answer --time at",
        "commonground consent import strings.parquet --notice loyalty --id customer \\\n"
        "    --tcf tc_string --vendor channel=755",
    ),
)
def import_(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="A file (CSV, Parquet, Arrow), one statement a row.")
    ],
    notice: NoticeName,
    id_: Annotated[
        str, typer.Option("--id", metavar="COLUMN", help="The column that names the person.")
    ],
    time: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="When it was said, ISO 8601.")
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="given, refused, withdrawn or expired; without it, everybody has given.",
        ),
    ] = None,
    purpose: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Which purpose; empty is all.")
    ] = None,
    recipient: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Which recipient; empty is all.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="subject, guardian or controller."),
    ] = None,
    tcf: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="TC strings, version 2.3, instead of the above."),
    ] = None,
    vendors: Annotated[
        list[str] | None,
        typer.Option(
            "--vendor",
            metavar="PARTY=NUMBER",
            help="A recipient's number in the Global Vendor List, for TC strings; repeatable.",
        ),
    ] = None,
    how: Annotated[
        str, typer.Option(help="How it was said, in small letters and hyphens.")
    ] = "import",
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Record what a table of people has said to a notice, all of it or nothing.

    What is recorded already is left alone, so a table may be imported again when it has grown.
    """
    from client import consenting
    from party.consent.table import Columns, read_vendors

    output = begin(ctx, as_json)
    columns = Columns(id_, time, state, purpose, recipient, by, tcf, read_vendors(vendors or ()))
    with opened(party) as here, output.busy("reading"):
        read, new = consenting.import_table(here, file, notice, columns, how=how, actor=OPERATOR)
    output.result(
        {"statements": read, "new": new},
        f"Statements read: {read:,}. Recorded: {new:,}"
        + ("; the others stood here already." if new < read else "."),
    )


@app.command(
    epilog=example("commonground consent show C1001", "commonground consent show C1001 --json")
)
def show(
    ctx: typer.Context, person: Person, party: PartyFolder = None, as_json: AsJson = False
) -> None:
    """Show a person's records and what stands of them now; that it was read is logged."""
    from client import consenting
    from client.render_consent import history_shown

    output = begin(ctx, as_json)
    with read_for_audit(party, output, "consent.show") as here:
        found = consenting.history(here, person)
    output.result(found, *history_shown(found))


@app.command(epilog=example("commonground consent receipt C1001 --out receipt.json"))
def receipt(
    ctx: typer.Context,
    person: Person,
    out: Annotated[Path, typer.Option(metavar="FILE", help="A new file, for the person.")],
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Write the receipt of what was recorded of a person last.

    It proves that this stands in the log. Some time later counterparts have cosigned the log, and
    a receipt that is made then carries their word too.
    """
    from client import consenting

    output = begin(ctx, as_json)
    consenting.require_room(out)
    with read_for_audit(party, output, "consent.receipt") as here:
        made = consenting.receipt_of(here, person)
    consenting.write_receipt(made, out)
    output.result({"receipt": str(out)}, f"Receipt for the person: {out}")


@app.command(
    epilog=example("commonground consent verify receipt.json --id C1001 --key advertiser.vkey")
)
def verify(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The receipt.")],
    id_: Annotated[
        str, typer.Option("--id", metavar="ID", help="The person whom it is to be about.")
    ],
    key: Annotated[
        str | None,
        typer.Option(
            metavar="VKEY|FILE",
            help="The log's key, from where the party cannot change it alone. Without it the key "
            "in the receipt is taken, and shown.",
        ),
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VKEY",
            help="The key of somebody who must have cosigned the log, such as a counterpart's "
            "identity in the contract; may be repeated.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify a receipt offline: whose it is, what it says, and that the log has it.

    It needs no party's folder. What does not verify ends with exit code 5.
    """
    from client import consenting
    from client.render_consent import checked_document, checked_shown

    output = begin(ctx, as_json)
    checked = consenting.verify_receipt(file, id_, key=key, witness=tuple(witness or ()))
    output.result(checked_document(checked), *checked_shown(checked, trusted=key is not None))
