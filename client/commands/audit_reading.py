"""`commonground audit show`, `filter`, `export`, `evidence`: the log for people and for others."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, read_for_audit
from client.completion import offer_contracts, offer_requests

if TYPE_CHECKING:
    from audit.entry import Entry
    from client.output import Output

Number = Annotated[
    int | None, typer.Argument(min=0, metavar="[ENTRY]", help="One entry, by its number.")
]
Last = Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the last N entries.")]
Lines = Annotated[
    bool, typer.Option("--lines", help="Print JSON lines: an entry a line, as it was logged.")
]
Kind = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KIND",
        help="Only entries of this kind, such as budget.spent, or family, such as consent. "
        "Repeat it for several.",
    ),
]
OfSession = Annotated[
    str | None,
    typer.Option(
        "--session",
        metavar="ID",
        help="Only entries about this request: the first digits of its id, or of its session's.",
        autocompletion=offer_requests,
    ),
]
OfContract = Annotated[
    str | None,
    typer.Option(
        "--contract",
        metavar="ID",
        help="Only entries under this contract: its id, or the first digits of its hash.",
        autocompletion=offer_contracts,
    ),
]
Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Only entries from then on, such as 2026-01-31 (UTC)."),
]
Until = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only entries from before then (UTC).")
]
Actor = Annotated[
    str | None, typer.Option(metavar="WHO", help="Only what this one did, as `by` has it.")
]

Peer = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Only entries about this counterpart: under a contract with it, or naming it.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands to `commonground audit`."""
    app.command(
        epilog=example(
            "commonground audit show --last 20",
            "commonground audit show 17",
            "commonground audit show --lines > log.jsonl",
        )
    )(show)
    app.command(
        "filter",
        epilog=example(
            "commonground audit filter --kind consent --since 2026-01-01",
            "commonground audit filter --session 1f0c22ab",
        ),
    )(filter_)
    app.command(
        epilog=example(
            "commonground audit export log.jsonl",
            "commonground audit export --tiles handed-over/",
            "commonground audit export consent.html --kind consent --language zh",
        )
    )(export)
    app.command(
        epilog=example(
            "commonground audit evidence 1f0c22ab",
            "commonground audit evidence summer --out summer.zip",
        )
    )(evidence)


def show(
    ctx: typer.Context,
    number: Number = None,
    last: Last = None,
    lines: Lines = False,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show the log's entries, or one of them in full.

    They hold no identifier and no exact count of people.
    """
    from client.audit_files import find_entry, newest
    from client.render_audit import entry_shown
    from client.verifying import stored_log

    output = begin(ctx, as_json)
    if number is not None and (last is not None or lines):
        raise typer.BadParameter("one entry is shown in full: leave out --last and --lines")
    with read_for_audit(party, output, "audit.show") as here:
        one = None if number is None else find_entry(here, number)
        some = [] if one else newest(here, last) if last else list(stored_log(here).parsed())
        size = here.journal.size
    if one is not None:
        output.result(json.loads(one.encode()), *entry_shown(one))
        return
    _print(output, some, size, lines=lines)


def filter_(
    ctx: typer.Context,
    kind: Kind = None,
    session: OfSession = None,
    contract: OfContract = None,
    since: Since = None,
    until: Until = None,
    actor: Actor = None,
    peer: Peer = None,
    lines: Lines = False,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show the entries of a kind, a session, a contract, a time or an actor.

    Options that are given together all hold.
    """
    from client.audit_files import Wanted, selected

    output = begin(ctx, as_json)
    wanted = Wanted(tuple(kind or ()), session, contract, since, until, actor, peer)
    with read_for_audit(party, output, "audit.filter") as here:
        chosen, size = selected(here, wanted), here.journal.size
    _print(output, chosen, size, lines=lines)


def export(
    ctx: typer.Context,
    out: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help="A new file that ends in .jsonl, .csv or .html: entries to read."
        ),
    ] = None,
    tiles: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A new folder: the whole log to verify. Checkpoint and tiles are those of "
            "c2sp.org/tlog-tiles.",
        ),
    ] = None,
    kind: Kind = None,
    session: OfSession = None,
    contract: OfContract = None,
    since: Since = None,
    until: Until = None,
    actor: Actor = None,
    peer: Peer = None,
    language: Annotated[
        Literal["en", "zh"],
        typer.Option(help="The language of an .html page and of what is printed."),
    ] = "en",
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Write the log as a file to be read, or whole as files that anybody can verify.

    FILE is JSON lines, byte for byte as logged, CSV, or one HTML page that needs no other file.
    A folder of tiles has the contracts as signed, the cosignatures and the keys of both sides
    beside the entries; `commonground audit verify DIR` checks it.
    """
    from client.audit_files import EVERYTHING, Wanted, export_entries
    from client.verifying import stored_log
    from party.log_files import LogFiles, write_files

    output = begin(ctx, as_json, language)
    _ = output.language
    wanted = Wanted(tuple(kind or ()), session, contract, since, until, actor, peer)
    if (out is None) == (tiles is None):
        raise typer.BadParameter("name a FILE to read, or a folder with --tiles to verify")
    if tiles is not None and wanted != EVERYTHING:
        raise typer.BadParameter("a log verifies as a whole: --tiles goes without a filter")
    with read_for_audit(party, output, "audit.export") as here:
        if tiles is not None:
            files = write_files(LogFiles(stored_log(here).at_one_moment()), tiles)
        elif out is not None:
            written = export_entries(here, wanted, out, language=language)
    if tiles is not None:
        output.result(
            {"folder": str(tiles), "files": files},
            _(
                "Wrote the log to {folder} ({number} files). Whoever has it checks it with",
                folder=str(tiles),
                number=_.number(files),
            ),
            f"  commonground audit verify {tiles}",
        )
        return
    output.result(
        {"file": str(out), "entries": len(written)},
        _("Written to {file}: {number} entries.", file=str(out), number=_.number(len(written))),
    )


def evidence(
    ctx: typer.Context,
    wanted: Annotated[
        str,
        typer.Argument(
            metavar="REQUEST",
            help="The request whose result it is: the first digits of its id, or its list's name.",
            autocompletion=offer_requests,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A new zip file. Without it: evidence-ID.zip, here."),
    ] = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Write the evidence for one request: a zip that can be checked without this program.

    It holds contract and request as signed, the entries with their proofs, the noisy table, the
    numbers that may be passed on, a page in English and Chinese, and verify.py, which checks all
    of it and needs nothing but Python.
    """
    from client.audit_files import write_evidence
    from client.render_audit import evidence_document, evidence_shown

    output = begin(ctx, as_json)
    with read_for_audit(party, output, "audit.evidence", wanted) as here:
        shown = write_evidence(here, wanted, out)
    output.result(evidence_document(shown), *evidence_shown(shown))


def _print(output: Output, entries: Sequence[Entry], size: int, *, lines: bool) -> None:
    from client.render_audit import entries_shown

    if lines and not output.as_json:
        sys.stdout.write("".join(entry.encode().decode() + "\n" for entry in entries))
        return
    document = {"size": size, "entries": [json.loads(entry.encode()) for entry in entries]}
    output.result(document, entries_shown(entries))
