"""What a person has said to a notice, and the bytes of it that the log commits to.

A record of consent is what one person says to one notice over time: its events. A person is a
salted commitment to the id by which the party calls them, so that nothing here says who they are
once the salt is gone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from audit.canonical import canonical
from audit.commitment import commit, verify_opening
from audit.entry import format_time
from audit.errors import CommitmentError
from audit.merkle import LeafHash, leaf_hash
from languages import message
from party.consent.notice import Notice
from party.document import TextRule
from party.errors import ConsentError

SUBJECT: Final = "consent subject"
"""The context of commitments to people."""
ID: Final = TextRule(message("an id as your datasets have it: one line of text"), most=256)
HOW: Final = TextRule(
    message("a few words on how it was said, such as web-form"), re.compile(r"[a-z][a-z0-9-]*"), 40
)
MICROSECONDS: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class State(StrEnum):
    """What a person has said, or what has become of it."""

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class By(StrEnum):
    """Who has said it: the person, who answers for them, or the controller on its own account."""

    SUBJECT = "subject"
    GUARDIAN = "guardian"
    CONTROLLER = "controller"


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that is to be recorded of the person with the id `subject`.

    `at` is in microseconds since 1970. Without `purpose` or `recipient` it is about all of those
    that the notice names.
    """

    subject: str
    state: State
    at: int
    purpose: str | None = None
    recipient: str | None = None
    by: By = By.SUBJECT
    how: str = "record"
    tc_string: str | None = None

    def problem(self, notice: Notice, now: int) -> str | None:
        """Return why it cannot be recorded as said to a notice before `now`, or None."""
        problem = said_badly(self.subject, self.how)
        if problem is not None:
            return problem
        if self.at > now:
            return "its time has not come yet; look at the time and at this machine's clock"
        if not notice.covers(self.purpose, self.recipient):
            return (
                f"the notice {notice.name} does not name this purpose or recipient; it names "
                f"{', '.join(notice.purposes)} for {', '.join(notice.recipients)}"
            )
        return None


@dataclass(frozen=True, slots=True)
class Event:
    """An act as it stands in the store: of which record, and of whom by commitment."""

    record: str
    subject: bytes
    notice: str
    state: State
    at: int
    purpose: str | None
    recipient: str | None
    by: By
    how: str
    supersedes: str | None = None
    tc_string: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what the log commits to, as JSON values."""
        document: dict[str, Any] = {
            "record": self.record,
            "subject": self.subject.hex(),
            "notice": self.notice,
            "state": str(self.state),
            "at": time_text(self.at),
            "by": str(self.by),
            "how": self.how,
        }
        optional = {
            "purpose": self.purpose,
            "recipient": self.recipient,
            "supersedes": self.supersedes,
            "tc_string": self.tc_string,
        }
        return document | {name: text for name, text in optional.items() if text is not None}

    def encode(self) -> bytes:
        """Return the canonical bytes (RFC 8785)."""
        return canonical(self.to_json())

    def leaf(self) -> LeafHash:
        """Return the leaf of a batch's tree that this event is."""
        return leaf_hash(self.encode())

    def is_about(self, purpose: str, recipient: str) -> bool:
        """Say whether it speaks of this purpose and this recipient, as far as its notice does."""
        return self.purpose in (None, purpose) and self.recipient in (None, recipient)


def said_badly(subject: str, how: str) -> str | None:
    """Return what is wrong with an id, or with the words on how something was said, or None."""
    if ID.broken_by(subject) is not None or subject != subject.strip():
        return "the id is not one line of text of 1 to 256 characters, without spaces around it"
    return _how_said_badly(how)


@lru_cache(maxsize=64)  # the same words stand for a whole import
def _how_said_badly(how: str) -> str | None:
    problem = HOW.broken_by(how)
    return None if problem is None else f"how: {problem}"


def commit_to_subject(subject: str, salt: bytes) -> bytes:
    """Return the commitment (32 bytes) to the person whom the party calls `subject`."""
    return commit(SUBJECT, subject.encode(), salt)


def require_subject(commitment: bytes, subject: str, salt: bytes) -> None:
    """Require that a commitment is to this person; raise `ConsentError` when it is not."""
    try:
        verify_opening(commitment, SUBJECT, subject.encode(), salt)
    except CommitmentError:
        raise ConsentError("it is about somebody else than this id") from None


def time_text(at: int) -> str:
    """Return microseconds since 1970 as entries of the log have them."""
    return format_time(_EPOCH + timedelta(microseconds=at))
