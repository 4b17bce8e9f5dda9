"""`commonground init`: make a party, or bring its store up to this version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from client.commands.options import AsJson, begin, example


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=example(
            'commonground init channel/ --name channel --organisation "Example Media" \\',
            "    --origin audit.example.com/channel --jurisdiction NL \\",
            "    --listen 0.0.0.0:7443 --address commonground.example.com:7443",
        )
    )(init)


def init(
    ctx: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder to make; it becomes the party.")
    ],
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A short name: lower-case letters, digits, hyphens. Contracts use it.",
        ),
    ] = None,
    organisation: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The organisation's full name.")
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            metavar="HOST/PATH",
            help="What names the party's audit log for ever: a host that is yours and a path, "
            "without a scheme. It need not answer.",
        ),
    ] = None,
    jurisdiction: Annotated[
        str | None,
        typer.Option(
            metavar="COUNTRY",
            help="The country under whose law the organisation is established, by its two letters "
            "of ISO 3166-1. Contracts state it.",
        ),
    ] = None,
    storage: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COUNTRY",
            help="A country in which the party's data lies or can be reached from, backups "
            "included; may be given again. Without it: that of --jurisdiction.",
        ),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Where `serve` listens. Left out: the party cannot be reached and only dials.",
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Where counterparts reach it, if that is not what --listen says.",
        ),
    ] = None,
    store: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="A PostgreSQL database for this party alone, as "
            "postgresql+psycopg://user@host/name. Without it: SQLite in the folder.",
        ),
    ] = "",
    upgrade: Annotated[
        bool,
        typer.Option(
            "--upgrade", help="Make nothing; bring an existing party's store up to this version."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a party: its keys, certificate, configuration, store and audit log.

    The keys stay in the folder and are readable by you only. What a counterpart needs is in
    public.yaml. A party that cannot open a port leaves out --listen: it dials its counterparts,
    and everything else is the same.
    """
    from client.founding import Founding, found
    from client.render_party import party_document, party_made
    from party.organisation import Organisation
    from party.places import Places

    output = begin(ctx, as_json)
    if upgrade:
        Organisation.upgrade(folder)
        output.result({"folder": str(folder)}, f"The store of {folder} is of this version.")
        return
    if name is None or organisation is None or origin is None or jurisdiction is None:
        raise typer.BadParameter("give --name, --organisation, --origin and --jurisdiction")
    if address is not None and listen is None:
        raise typer.BadParameter("--address is where --listen is reached; give both")
    places = Places.of(jurisdiction, storage or ())
    founding = Founding(name, organisation, origin, places, listen, address, store=store)
    party, card = found(folder, founding)
    party.close()
    output.result(party_document(folder, name, card), *party_made(folder, name, card))
