"""Options that several commands have, and what each command begins with."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final

import typer

from client.completion import PARTY_VARIABLE, offer_contracts
from client.output import Output
from languages import language as spoken_in
from party.errors import SettingsError

if TYPE_CHECKING:
    from party.organisation import Organisation

PARTY_FILE: Final = "party.toml"
LOOK_SECONDS: Final = 1.0

PartyFolder = Annotated[
    Path | None,
    typer.Option(
        "--party",
        envvar=PARTY_VARIABLE,
        metavar="DIR",
        help="The party's folder. Without it: the current folder, if it is one.",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout instead of text.")
]
ContractName = Annotated[
    str | None,
    typer.Option(
        "--contract",
        metavar="ID",
        help="The contract, by its id or the first digits of its hash. Needed when there are "
        "several.",
        autocompletion=offer_contracts,
    ),
]
Transfers = Annotated[
    list[str] | None,
    typer.Option(
        "--transfer",
        metavar="FROM:TO:OUT_OF:BASIS:REFERENCE",
        help="What data that leaves a country rests on: the two parties, the country (or EEA), the "
        "basis, and the filing or agreement. Once for each that is needed; a draft that lacks one "
        "says which.",
    ),
]


def example(*lines: str) -> str:
    """Return the epilogue of a command's help: how it is typed."""
    # The empty first line keeps the indentation, which Typer measures from the second one on.
    return "\n".join(["", "Examples:" if lines[1:] else "Example:", *(f"  {it}" for it in lines)])


def begin(ctx: typer.Context, as_json: bool, language: str = "en") -> Output:
    """Return the command's output, known to whoever reports its errors in the same language."""
    output: Output = ctx.find_root().obj
    output.as_json = as_json
    output.language = spoken_in(language)
    return output


@contextmanager
def opened(folder: Path | None) -> Iterator[Organisation]:
    """Open the party that a command is for, delete what has come to its end, and close it."""
    from party.retention import prune

    with looked_at(folder) as party:
        prune(party)
        yield party


@contextmanager
def looked_at(folder: Path | None) -> Iterator[Organisation]:
    """Open a party, one's own or another's, to read and to write nothing; close it afterwards."""
    from party.organisation import Organisation

    party = Organisation.open(find_party(folder).absolute())
    try:
        yield party
    finally:
        party.close()


@contextmanager
def read_for_audit(
    folder: Path | None, output: Output, what: str, subject: str | None = None
) -> Iterator[Organisation]:
    """Open a party to read what is kept for audit; that it was read is logged at the end.

    So the entry stands before anything is shown. Nothing is added where reading failed: a log that
    does not verify stays as it was found. `what` is a word for it ("audit.show"), `subject` the
    request or dataset that it is about.
    """
    with looked_at(folder) as party:
        yield party
        missing = party.access.note_reading(what, subject)
    if missing is not None:
        output.say(f"Not in the log: that {what} was read here ({missing})")


def find_party(folder: Path | None) -> Path:
    """Return the party's folder: the one that was named, or the current one.

    Raises:
        SettingsError: none was named, and the current folder is not a party's.
    """
    if folder is not None:
        return folder
    here = Path.cwd()
    if not (here / PARTY_FILE).is_file():
        raise SettingsError(
            f"no party: give its folder with --party DIR, set {PARTY_VARIABLE}, or go into it. "
            "`commonground init DIR …` makes one"
        )
    return here


def until_told() -> Callable[[], None]:
    """Hear SIGTERM and Ctrl-C from now on; the function that is returned waits for one.

    A signal may come to another thread. Python then notes it and runs the handler in the main
    thread, which it does not wake: so that looks every second.
    """
    told = threading.Event()

    def tell(number: int, frame: FrameType | None) -> None:
        del number, frame
        told.set()

    def wait() -> None:
        while not told.wait(LOOK_SECONDS):
            pass

    signal.signal(signal.SIGTERM, tell)
    signal.signal(signal.SIGINT, tell)
    return wait
