"""`commonground backup` and `commonground restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, looked_at

PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help="A file that only you can read, with the passphrase in its first line: 16 bytes or "
        "more. All of the backup is sealed under it, the keys included.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add both commands."""
    app.command(
        epilog=example(
            "commonground backup night.backup --passphrase-file pass --party channel/",
            "commonground backup night.tar --party channel/",
        )
    )(backup)
    app.command(
        epilog=example(
            "commonground restore night.backup channel/ --passphrase-file pass",
            "commonground restore night.tar channel/ --keys safe/keys",
            "commonground restore night.tar channel/ --keys safe/keys \\",
            '    --nothing-spent "moved to a new machine, stopped before the backup"',
        )
    )(restore)


def backup(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file to write; it must not exist.")
    ],
    passphrase_file: PassphraseFile = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Write the party as it is now into one file, while it serves.

    It has the store, the configuration, lists, results and what finished sessions keep. Without a
    passphrase the keys are left out and nothing is sealed. Files that datasets are read from are
    yours to back up. The log says that a backup was made.
    """
    from client.render_backup import backup_document, backup_shown
    from client.restoring import read_passphrase
    from party.backup.making import make_backup

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        made = make_backup(here, file.absolute(), read_passphrase(passphrase_file))
    output.result(backup_document(made), *backup_shown(made))


def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `backup` has written.")],
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The party's folder: none yet, or an empty one.")
    ],
    passphrase_file: PassphraseFile = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="A copy of the party's folder `keys`, for a backup without them."
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="An empty PostgreSQL database for the store, or `sqlite` for the folder. Without "
            "it: where the party had its store.",
        ),
    ] = None,
    nothing_spent: Annotated[
        str | None,
        typer.Option(
            "--nothing-spent",
            metavar="WHY",
            help="Keep budgets open, on your word that no session ran after the backup. The log "
            "has the reason.",
        ),
    ] = None,
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Ask nobody what they have seen of this party's log."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the party of a backup, once its log, its ledger and all beside them are verified.

    Counterparts and outside witnesses are asked what they have seen of the log; a backup that lacks
    some of it is refused. Open requests end. Budgets stay closed until their windows renew, since
    what was spent after the backup is not known. Nothing is left behind where anything fails.
    """
    from client.render_backup import restored_document, restored_shown
    from client.restoring import read_passphrase, restore_party

    output = begin(ctx, as_json)
    restored = restore_party(
        file,
        folder.absolute(),
        passphrase=read_passphrase(passphrase_file),
        keys=keys,
        store=store,
        nothing_spent=nothing_spent,
        offline=offline,
    )
    output.result(restored_document(restored), *restored_shown(restored))
