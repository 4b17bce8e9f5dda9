"""`commonground contract`: propose, sign, import and show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from client.commands.options import (
    AsJson,
    PartyFolder,
    Transfers,
    begin,
    example,
    looked_at,
    opened,
)

app = typer.Typer(
    no_args_is_help=True,
    help="Agree with a counterpart what is granted, to whom, and at what cost in privacy.",
    epilog=example(
        "commonground contract propose channel-public.yaml --id summer",
        "commonground contract sign contract-summer.yaml",
        "commonground contract import contract-summer.yaml",
    ),
)


@app.command(
    epilog=example(
        "commonground contract propose channel --id summer --days 180",
        "commonground contract propose channel-public.yaml --id summer",
        "commonground contract propose channel --third vendor --id attributes",
        "commonground contract propose channel --id export \\",
        "    --transfer 'brand:channel:CN:standard-contract:CAC filing 2026-17' \\",
        "    --transfer 'channel:brand:EEA:standard-clauses:SCC of 2026-03-01'",
    )
)
def propose(
    ctx: typer.Context,
    card: Annotated[
        str,
        typer.Argument(
            metavar="CARD|NAME",
            help="The counterpart's public.yaml, as they sent it, or the name of a pinned peer.",
        ),
    ],
    contract_id: Annotated[
        str, typer.Option("--id", metavar="ID", help="A short name for the contract.")
    ] = "contract",
    title: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What the contract is for, in a line.")
    ] = None,
    days: Annotated[
        int, typer.Option(min=1, max=3660, help="How many days it holds, from today on.")
    ] = 365,
    they_measure: Annotated[
        bool,
        typer.Option(
            "--they-measure",
            help="Draft tables for the counterpart and lists for you; without it, the other way.",
        ),
    ] = False,
    third: Annotated[
        str | None,
        typer.Option(
            metavar="CARD|NAME",
            help="A third party, whose labels are to be added to tables: its card, or its name.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Where to write the draft.", show_default="contract-ID.yaml"
        ),
    ] = None,
    transfers: Transfers = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Write a draft contract with a counterpart, each line explained, to be edited and signed.

    Datasets that are registered here stand in it as they are; for the counterpart's there is an
    example to replace. Where data would cross a border, the draft needs --transfer, and says
    what is missing. Nothing is sent and nothing is signed.
    """
    from client.drafting import Draft, draft_path, find_card, write_draft
    from client.render_contract import undeclared
    from party.transfers import Transfer

    output = begin(ctx, as_json)
    path = out or draft_path(contract_id)
    with opened(party) as here:
        added = None if third is None else find_card(here, third)
        stated = tuple(map(Transfer.parse, transfers or ()))
        draft = Draft(contract_id, title, days, they_measure, added, stated)
        contract = write_draft(here, find_card(here, card), draft, path)
    output.result(
        {"contract": contract.id, "file": str(path), "parties": list(contract.parties)},
        f"The draft is in {path}. Read it, edit it, and agree on it with your counterpart.",
        f"Next: commonground contract sign {path}",
        "      send the file to your counterpart, who signs it too"
        if third is None
        else "      send the file to both others, who sign it too",
        *undeclared(contract),
    )


@app.command(epilog=example("commonground contract sign contract-summer.yaml --party advertiser/"))
def sign(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The contract; the signature is written into it.")],
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Sign a contract in its file, in the name of this party.

    What is signed is everything but comments and layout. A file that was altered after somebody
    signed it is refused, and one that says otherwise than public.yaml where this party's data lies.
    """
    from client.agreeing import sign_contract
    from client.render_contract import contract_document, contract_in_words

    output = begin(ctx, as_json)
    with opened(party) as here:
        contract = sign_contract(here, file)
        me, now = contract.me(here.identity), here.now
    missing = [name for name in contract.parties if name not in contract.signatures]
    output.result(
        {**contract_document(contract, now), "file": str(file), "signed_as": me},
        *contract_in_words(contract, now),
        "",
        f"Signed as {me}, in {file}.",
        f"Next: {' and '.join(missing)} {'signs' if len(missing) == 1 else 'sign'} the same file:"
        f" commonground contract sign {file}"
        if missing
        else f"Next: every party imports it: commonground contract import {file}",
    )


@app.command(
    "import",
    epilog=example(
        "commonground contract import contract-summer.yaml",
        "commonground contract import signed-by-us.yaml signed-by-them.yaml",
    ),
)
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The contract, signed by all parties.")],
    others: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[OTHER]...", help="Other copies with the signatures that the first one lacks."
        ),
    ] = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Check a signed contract and store it, so that requests can be made under it.

    It is refused when a signature is missing or does not fit the text, when it has ended, and
    when it is not for this party with its present keys, or says otherwise than public.yaml where
    its data lies.
    """
    from client.agreeing import import_contract
    from client.render_contract import contract_document, contract_in_words
    from client.shortfalls import shortfalls

    output = begin(ctx, as_json)
    with opened(party) as here:
        contract = import_contract(here, file, others or ())
        missing = shortfalls(here, contract)
        now = here.now
    output.result(
        {**contract_document(contract, now), "shortfalls": missing},
        *contract_in_words(contract, now),
        "",
        f"Stored as {contract.id}.",
        *(f"Note: {shortfall}" for shortfall in missing),
    )


@app.command(
    epilog=example(
        "commonground contract show summer", "commonground contract show contract-summer.yaml"
    )
)
def show(
    ctx: typer.Context,
    which: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID|FILE]",
            help="A stored contract's id or the first digits of its hash, or a file. Needed when "
            "several are stored.",
        ),
    ] = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Say in plain words what a contract grants, to whom, and what it may cost."""
    from client.agreeing import look_up
    from client.render_contract import contract_document, contract_in_words

    output = begin(ctx, as_json)
    with opened(party) as here:
        contract, now = look_up(here, which), here.now
    output.result(contract_document(contract, now), *contract_in_words(contract, now))


@app.command(
    epilog=example(
        "commonground contract documents summer --out papers/",
        "commonground contract documents draft.yaml --out papers/ --language zh",
    )
)
def documents(
    ctx: typer.Context,
    out: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="The folder to write to; made if it is not there.",
        ),
    ],
    which: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID|FILE]",
            help="A stored contract's id or the first digits of its hash, or a file, which may be "
            "a draft. Needed when several are stored.",
        ),
    ] = None,
    language: Annotated[
        Literal["en", "zh"],
        typer.Option(help="The language of the files and of what is printed: zh is 简体中文."),
    ] = "en",
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Write the record of processing (GDPR 30) and the skeleton of an impact assessment (PIPL 55).

    Each as Markdown and as a page of HTML, filled with what the contract and this party's store
    say; what only people know is marked to be filled in. No file is written over. The log keeps
    the digests, so that it can be shown what was written when; those of a draft are not logged.
    """
    from client.actors import OPERATOR
    from client.agreeing import look_up
    from client.documents.writing import write_documents

    output = begin(ctx, as_json, language)
    _ = output.language
    with looked_at(party) as here:
        contract = look_up(here, which)
        written = write_documents(here, contract, out, code=language, actor=OPERATOR)
    output.result(
        {"contract": contract.id, "language": language, "files": [str(path) for path in written]},
        *(_("Wrote {path}", path=str(path)) for path in written),
        _("What is marked to be filled in is for people. Keep both for at least three years."),
    )
