"""`commonground subject`: answer a person about their record, or erase it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, opened

if TYPE_CHECKING:
    from party.subjects.person import Wanted

app = typer.Typer(
    no_args_is_help=True,
    help="What a person may ask of you: what you hold, their consent, to be erased.",
    epilog=example(
        "commonground subject access C-1047 --out answer/",
        "commonground subject erase C-1047 --out receipt.json",
    ),
)

PersonId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="Your own reference of the person; or - to read it from standard input, so that it "
        "stands in no history of commands.",
    ),
]
IdentifierType = Annotated[
    str | None,
    typer.Option(
        "--identifier",
        metavar="TYPE",
        help="ID is an identifier of this type, such as email, and not your reference.",
    ),
]
InLanguage = Annotated[
    Literal["en", "zh"],
    typer.Option(
        "--language",
        help="The language of the page and of what is printed: English, or zh for 简体中文.",
    ),
]
DatasetName = Annotated[
    str | None,
    typer.Option("--dataset", metavar="NAME", help="Look into this dataset only."),
]


@app.command(
    epilog=example(
        "commonground subject access C-1047 --out answer/",
        "commonground subject access - --identifier email --out answer/ --language zh",
    )
)
def access(
    ctx: typer.Context,
    person: PersonId,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="A new folder, for the files for the person.")
    ],
    identifier: IdentifierType = None,
    dataset: DatasetName = None,
    language: InLanguage = "en",
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Write a folder of files for a person: what you hold of them and what it was used for.

    Their rows as CSV, and a page with their consent, the sessions and lists in which their record
    took part, for whom, and until when things are kept. A dataset that cannot be read is named
    there. The log says that somebody was answered, and not who.
    """
    from client.render_subject import answered_shown
    from client.subjects import SubjectDesk

    output = begin(ctx, as_json, language)
    with opened(party) as here:
        answer = SubjectDesk(here).access(
            _wanted(person, identifier, dataset), out, output.language
        )
    output.result(answer.to_dict(), *answered_shown(answer, output.language))


@app.command(epilog=example("commonground subject consent C-1047"))
def consent(
    ctx: typer.Context,
    person: PersonId,
    identifier: IdentifierType = None,
    dataset: DatasetName = None,
    language: InLanguage = "en",
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show what a person has consented to, by dataset: now, and before where events are kept."""
    from client.render_subject import consent_shown
    from client.subjects import SubjectDesk

    output = begin(ctx, as_json, language)
    with opened(party) as here:
        answer = SubjectDesk(here).consent(_wanted(person, identifier, dataset))
    output.result(answer.to_dict(), *consent_shown(answer, output.language))


@app.command(
    epilog=example(
        "commonground subject erase C-1047 --out receipt.json",
        "commonground subject erase C-1047 --out receipt.json --ask",
    )
)
def erase(
    ctx: typer.Context,
    person: PersonId,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="A new file: the receipt for the person.")
    ],
    identifier: IdentifierType = None,
    dataset: DatasetName = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="Say in which datasets they are, and ask before erasing.")
    ] = False,
    language: InLanguage = "en",
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Erase a person: they take part in nothing any more, and come off every list.

    What the log said of them can be opened no longer; it still verifies. Counterparts that hold a
    list with them are reached by a suppression run. Rows in your own files are yours to delete.
    """
    from client.render_subject import erased_shown, found_shown
    from client.subjects import SubjectDesk

    output = begin(ctx, as_json, language)
    with opened(party) as here:
        desk = SubjectDesk(here)
        found = desk.look(_wanted(person, identifier, dataset))
        if ask:
            output.say(*found_shown(found, output.language))
            if not typer.confirm("Go on?", err=True):
                raise typer.Exit(1)
        done = desk.erase(found, out)
    output.result(done.to_dict(), *erased_shown(done, output.language))


def _wanted(person: str, identifier: str | None, dataset: str | None) -> Wanted:
    from party.subjects.person import Wanted

    text = sys.stdin.readline().rstrip("\r\n") if person == "-" else person
    return Wanted(text, identifier, dataset)
