"""Exit codes of every command, and which errors end with which (docs/exit-codes.md).

A script can tell a refusal from a mistake in its own input, and a session that can go on from one
that cannot. Any error that is not listed here is a fault of the program.
"""

from __future__ import annotations

from enum import IntEnum

from audit.errors import AuditError
from languages import Message, message
from party.errors import (
    NotEntitled,
    PartyError,
    Refusal,
    ResultError,
    SessionSuspended,
    StoredContractError,
)
from privacy.errors import PrivacyError
from psi.errors import PsiError
from reports.errors import ReportError


class ExitCode(IntEnum):
    """What a command's exit code says."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    REFUSED = 3
    WAITING = 4
    NOT_VERIFIED = 5
    BAD_INPUT = 6
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """Say in a line what happened."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.UNEXPECTED: "a fault of this program; the message names a file with the details",
    ExitCode.USAGE: "the command was not understood",
    ExitCode.REFUSED: "refused, here or by the counterpart; the message begins with the reason",
    ExitCode.WAITING: "waiting for the counterpart, or suspended; `requests resume` goes on",
    ExitCode.NOT_VERIFIED: "a log, a stored contract or a result is not what was signed",
    ExitCode.BAD_INPUT: "the input data, the contract or the configuration does not serve",
    ExitCode.INTERRUPTED: "interrupted with Ctrl-C; a session that had begun is kept",
}

EXPECTED = (PartyError, PsiError, AuditError, PrivacyError, ReportError)
"""The roots of every error that is not a fault of the program."""


def exit_code(error: Exception) -> ExitCode | None:
    """Return the code that an error ends a command with, or None when nobody expected it."""
    match error:
        case Refusal() | NotEntitled():
            return ExitCode.REFUSED
        case SessionSuspended():
            return ExitCode.WAITING
        case AuditError() | ResultError() | StoredContractError():
            return ExitCode.NOT_VERIFIED
        case _ if isinstance(error, EXPECTED):
            return ExitCode.BAD_INPUT
    return None


def said_in(error: Exception) -> str:
    """Return what an error says; a message where it was made of one, to be said in any language."""
    match error:
        case Refusal():
            return message("{status}: {said}", status=error.status.value, said=error.message)
        case NotEntitled():
            return message("{status}: {said}", status=error.status, said=error.message)
    said = error.args[0] if len(error.args) == 1 else None
    return said if isinstance(said, Message) else str(error)
