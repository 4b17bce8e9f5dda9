"""What can go wrong in a party: one tree, rooted in `PartyError` (docs/protocol.md, Transport).

A message says what was wrong, where, and what to do. It carries sizes and states, and never an
identifier, a point, a secret or an exact count of people. Nothing here logs or decides.
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class PartyError(Exception):
    """The root: whatever leaves `party` because of its input, its state or its peer is one."""


class DatasetError(PartyError):
    """A file or its schema cannot serve as a dataset."""


class ConsentError(PartyError):
    """A notice, a record of consent or a receipt does not serve."""


class ContractError(PartyError):
    """A contract is malformed, altered, unsigned, not in force, or for another party."""


class StoredContractError(ContractError):
    """A stored contract is not what was signed."""


class IdentityError(PartyError):
    """A party's keys or certificate are missing, damaged, exposed or expired."""


class InvitationError(PartyError):
    """An invitation is mistyped, or serves neither this party nor this moment."""


class SettingsError(PartyError):
    """The configuration cannot be read."""


class ResultError(PartyError):
    """A stored result is not what this party stored."""


class StoreError(PartyError):
    """The store is missing, of another version, or did not take a change."""


class BackupError(PartyError):
    """A backup cannot be made where it was asked for, or does not serve to restore a party."""


class ExportError(PartyError):
    """Files of the log cannot be written where they were asked for."""


class LineageError(PartyError):
    """Lineage events cannot be told where the settings say, or there is no such thing to show."""


class AccessError(PartyError):
    """An account cannot become a member, or stop being one."""


class NotEntitled(PartyError):  # noqa: N818 - what the account is
    """The account that runs this program may not do this for the party; it was not begun.

    `what` is a word for what was refused, as the log has it.
    """

    status: Final = "NOT_ENTITLED"

    def __init__(self, message: str, what: str) -> None:
        super().__init__(message, what)  # both in args, so that the exception pickles
        self.message, self.what = message, what

    def __str__(self) -> str:
        return f"{self.status}: {self.message}"


class InUse(PartyError):  # noqa: N818 - a state of the folder
    """Another process of this party does already what only one may do."""


class RefusalStatus(Enum):
    """Why a session does not go on; the same word in messages, logs and on the wire."""

    CONTRACT_UNKNOWN = "CONTRACT_UNKNOWN"
    """No contract with this hash is signed and stored here."""
    NOT_GRANTED = "NOT_GRANTED"
    """The contract does not grant what was asked, to the one who asked."""
    PROFILE_MISMATCH = "PROFILE_MISMATCH"
    """The two sides would normalise identifiers differently."""
    CONSENT_STALE = "CONSENT_STALE"
    """A consent snapshot is older than the contract allows."""
    BUDGET_EXHAUSTED = "BUDGET_EXHAUSTED"
    """The privacy budget or the ledger of disclosures has no room for this."""
    BELOW_MINIMUM = "BELOW_MINIMUM"
    """A match would have been smaller than the contract's minimum."""
    DECLINED = "DECLINED"
    """The rule or the person who approves requests said no."""
    INVALID_POINT = "INVALID_POINT"
    """A point was not canonical, of low order, or repeated."""
    WRONG_ANSWER = "WRONG_ANSWER"
    """A known answer did not come back, or came back in the wrong place."""
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    """A size is above what the protocol, the contract or the request allows."""
    EXPIRED = "EXPIRED"
    """The contract or the request is no longer, or not yet, in force."""
    BAD_REQUEST = "BAD_REQUEST"
    """A message is malformed, unsigned, out of order, or contradicts an earlier one."""
    TRANSCRIPT_MISMATCH = "TRANSCRIPT_MISMATCH"
    """The parties ended with different transcripts of one session."""


class Refusal(PartyError):  # noqa: N818 - the protocol's word: a refusal is an outcome with a status
    """A typed refusal, raised here or received from the peer.

    `status` selects the wire status and the exit code; `message` says what was wrong, where, and
    what to do.
    """

    def __init__(self, status: RefusalStatus, message: str) -> None:
        super().__init__(status, message)  # both in args, so that the exception pickles
        self.status = status
        self.message = message

    def __str__(self) -> str:
        return f"{self.status.value}: {self.message}"


class Breach(Refusal):
    """What a counterpart does and no faultless program would: whoever notices it logs an incident.

    A refusal of what is merely not granted, or has ended meanwhile, is none.
    """


class Forked(Breach):
    """The log called `origin` has signed two trees of one size: the note is kept as evidence."""

    def __init__(self, message: str, origin: str) -> None:
        super().__init__(RefusalStatus.BAD_REQUEST, message)
        self.origin = origin


class NotExtended(Breach):
    """What the log called `origin` shows does not extend what was witnessed of it."""

    def __init__(self, message: str, origin: str) -> None:
        super().__init__(RefusalStatus.BAD_REQUEST, message)
        self.origin = origin


class RefusedThere(Refusal):
    """A refusal that came from the counterpart, which noticed what was wrong and logged it."""


class InputChanged(Refusal):
    """This party's own input or log is not what the session began with."""

    @classmethod
    def dataset(cls) -> InputChanged:
        """Return that the dataset has changed, and nothing of how: the counterpart hears it too."""
        return cls(
            RefusalStatus.BAD_REQUEST,
            "the dataset has changed since this session began, so it cannot go on: "
            "make a new request",
        )


class CannotListen(PartyError):  # noqa: N818 - a state of the machine
    """The address is taken, malformed, or not this machine's."""


class SessionSuspended(PartyError):  # noqa: N818 - a state, not a failure: the session resumes
    """A session stopped between two steps, with everything on disk that resuming needs.

    `request` is the request's id, where whoever raised or passed it on knows one.
    """

    request: str | None = None
