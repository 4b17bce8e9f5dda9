"""What a party does in one process at a time: listening, each session, what is due, each change.

Two listeners, or two commands that carry out one session, would write to the same files. Whoever
reads a list and writes it anew without somebody would undo what another does to it meanwhile.
Where one needs several of these, deleting comes first.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path
from typing import Final

from languages import message
from party.errors import InUse, SessionSuspended
from party.lock_file import held, said_by_holder

PATIENCE_SECONDS: Final = 60.0
"""How long another process is waited for that is about to be done."""
_FOLDER: Final = "locks"
_LISTENING: Final = "serve"
_SERIES: Final = "series"


def one_listener(folder: Path) -> AbstractContextManager[Callable[[str], None]]:
    """Be the one listener of a party's folder; what is yielded is told where it listens.

    Raises:
        InUse: another process listens for this party.
    """
    path = folder / _FOLDER / _LISTENING
    at = said_by_holder(path) or "another address"
    taken = InUse(
        f"another `commonground serve` listens for this party already, at {at}: one is enough; "
        "stop it first if this one is to take its place"
    )
    return held(path, taken)


def listens_at(folder: Path) -> str | None:
    """Return where a process listens for the party of a folder, None when none does."""
    return said_by_holder(folder / _FOLDER / _LISTENING)


def running_series(folder: Path) -> AbstractContextManager[Callable[[str], None]]:
    """Be the one process that runs what is due of a party's standing reports.

    Raises:
        InUse: another process of this party does.
    """
    taken = InUse(
        "another command, or `commonground serve`, runs the reports of this party that are due: "
        "see `commonground report schedules list`"
    )
    return held(folder / _FOLDER / _SERIES, taken)


def carrying_out(folder: Path, request_id: str) -> AbstractContextManager[Callable[[str], None]]:
    """Be the one process that carries out a request's session.

    Raises:
        SessionSuspended: another process of this party does.
    """
    taken = SessionSuspended(
        f"the session of request {request_id[:8]} is being carried out by another command or by "
        "`commonground serve` of this party; it goes on there"
    )
    return held(folder / _FOLDER / request_id, taken)


def backing_up(folder: Path) -> AbstractContextManager[Callable[[str], None]]:
    """Be the one process that makes a backup of the party.

    Raises:
        InUse: another process of this party does.
    """
    taken = InUse("another command makes a backup of this party: wait for it to end")
    return held(folder / _FOLDER / "backup", taken)


def writing_table(folder: Path, dataset: str) -> AbstractContextManager[Callable[[str], None]]:
    """Be the one process that writes or deletes a dataset's table that the party keeps itself.

    Each deletes what is not its own once its table is registered.

    Raises:
        InUse: another process of this party does.
    """
    taken = InUse(
        message(
            "another command writes the table of dataset {dataset} just now: wait for it to end",
            dataset=dataset,
        )
    )
    return held(folder / _FOLDER / f"table-{dataset}", taken)


def writing_contract(folder: Path, file: Path) -> AbstractContextManager[Callable[[str], None]]:
    """Be the one process that writes the file of a contract, so that no signature is lost.

    Raises:
        InUse: another process of this party does.
    """
    taken = InUse(
        message(
            "{file} is being changed by somebody else just now: look at it again",
            file=file.name,
        )
    )
    name = sha256(os.fsencode(file.resolve())).hexdigest()
    return held(folder / _FOLDER / f"contract-{name[:32]}", taken)


def replaying(folder: Path, request_id: str) -> AbstractContextManager[Callable[[str], None]]:
    """Be the one process that repeats a request's finished session.

    Raises:
        InUse: another process of this party does.
    """
    taken = InUse(f"the session of request {request_id[:8]} is being replayed by another command")
    return held(folder / _FOLDER / f"replay-{request_id}", taken)


def deleting(
    folder: Path, *, patiently: bool = False
) -> AbstractContextManager[Callable[[str], None]]:
    """Be the one process that deletes what is kept: at its end, or because a person is erased.

    `patiently` waits for the one before.

    Raises:
        InUse: another process of this party does, or did so for long.
    """
    taken = InUse(
        message(
            "another command, or `commonground serve`, deletes what has ended, or erases somebody, "
            "just now: repeat this when it is done"
        )
    )
    patience = PATIENCE_SECONDS if patiently else 0.0
    return held(folder / _FOLDER / "deletion", taken, patience_seconds=patience)


def changing_list(folder: Path, request_id: str) -> AbstractContextManager[Callable[[str], None]]:
    """Be the one process that reads or changes a request's list, once the one before is done.

    Raises:
        InUse: another process of this party does, for long.
    """
    taken = InUse(
        message(
            "another command, or `commonground serve`, reads the list {id} or takes people off it "
            "just now: repeat this when it is done",
            id=request_id[:8],
        )
    )
    path = folder / _FOLDER / f"list-{request_id}"
    return held(path, taken, patience_seconds=PATIENCE_SECONDS)


def is_carried_out(folder: Path, request_id: str) -> bool:
    """Say whether a process is carrying out a request's session now."""
    return said_of(folder, request_id) is not None


def said_of(folder: Path, request_id: str) -> str | None:
    """Return what the process says that carries out a request's session, None where none does."""
    return said_by_holder(folder / _FOLDER / request_id)
