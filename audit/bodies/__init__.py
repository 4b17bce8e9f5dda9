"""What an entry of each kind says: one record a kind, checked when written and when verified.

The list of kinds is closed. A kind joins it together with the code that writes it; an entry of
any other kind is refused, also when it is read, because a log with words that the verifier does
not know cannot be called checked. No record has room for an exact count of people, for an
identifier, or for a secret: salted commitments and digests stand for them.

A session is known by the id of its request, since the session id itself exists only when both
sides have committed; an entry carries it (`Entry.session`) from then on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from audit.bodies.access import (
    AccessGranted,
    AccessRefused,
    AccessRemoved,
    AuditRead,
    PasswordSet,
    SignedIn,
    SignedOut,
    SignInRefused,
)
from audit.bodies.consent import (
    ConsentRecorded,
    ConsentReference,
    ConsentSnapshot,
    ConsentWithdrawn,
)
from audit.bodies.contracts import (
    BASIC,
    COALITION_SEPARATOR,
    FILTERS,
    Budget,
    ContractSigned,
    DocumentMade,
    TransferStated,
)
from audit.bodies.datasets import DatasetErased, DatasetRegistered
from audit.bodies.lists import (
    OWN_REFERENCES,
    ExportMade,
    ListDisclosed,
    ListSuppressed,
    LookalikeMade,
)
from audit.bodies.parties import (
    KeyRotated,
    PartyCreated,
    PeerForgotten,
    PeerPinned,
    PeerRenewed,
    PeerRestored,
    PeerRevoked,
)
from audit.bodies.sessions import (
    BoundChosen,
    BudgetSpent,
    LineageEmitted,
    ReportReleased,
    ReportSkipped,
    RequestRefused,
    RequestStep,
    SessionFailed,
    SessionFinished,
    SessionStarted,
)
from audit.bodies.subjects import SubjectAccess, SubjectErasure
from audit.bodies.upkeep import BackupMade, Incident, PartyRestored, RetentionPruned
from audit.errors import EntryError
from audit.shapes import Record

__all__ = [
    "BASIC",
    "COALITION_SEPARATOR",
    "FILTERS",
    "INCIDENT",
    "KINDS",
    "OWN_REFERENCES",
    "AccessGranted",
    "AccessRefused",
    "AccessRemoved",
    "AuditRead",
    "BackupMade",
    "BoundChosen",
    "Budget",
    "BudgetSpent",
    "ConsentRecorded",
    "ConsentReference",
    "ConsentSnapshot",
    "ConsentWithdrawn",
    "ContractSigned",
    "DatasetErased",
    "DatasetRegistered",
    "DocumentMade",
    "EntryKind",
    "ExportMade",
    "Incident",
    "KeyRotated",
    "LineageEmitted",
    "ListDisclosed",
    "ListSuppressed",
    "LookalikeMade",
    "PartyCreated",
    "PartyRestored",
    "PasswordSet",
    "PeerForgotten",
    "PeerPinned",
    "PeerRenewed",
    "PeerRestored",
    "PeerRevoked",
    "Presence",
    "ReportReleased",
    "ReportSkipped",
    "RequestRefused",
    "RequestStep",
    "RetentionPruned",
    "SessionFailed",
    "SessionFinished",
    "SessionStarted",
    "SignInRefused",
    "SignedIn",
    "SignedOut",
    "SubjectAccess",
    "SubjectErasure",
    "TransferStated",
    "kind_named",
]


class Presence(Enum):
    """Whether entries of a kind carry a field."""

    ABSENT = "absent"
    OPTIONAL = "optional"
    REQUIRED = "required"

    def check(self, value: object, field: str, kind: str) -> None:
        """Raise `EntryError` when the field is there or missing against the rule."""
        if self is Presence.REQUIRED and value is None:
            raise EntryError(f"{field} of {kind} must be given")
        if self is Presence.ABSENT and value is not None:
            raise EntryError(f"{field} of {kind} must be left out")


@dataclass(frozen=True)
class EntryKind:
    """The body of a kind, and whether its entries name a session and a contract."""

    body: type[Record]
    session: Presence
    contract: Presence


_NO, _MAY, _MUST = Presence.ABSENT, Presence.OPTIONAL, Presence.REQUIRED

KINDS: Final[Mapping[str, EntryKind]] = {
    "party.created": EntryKind(PartyCreated, session=_NO, contract=_NO),
    "party.restored": EntryKind(PartyRestored, session=_NO, contract=_NO),
    "backup.made": EntryKind(BackupMade, session=_NO, contract=_NO),
    "peer.pinned": EntryKind(PeerPinned, session=_NO, contract=_NO),
    "peer.forgotten": EntryKind(PeerForgotten, session=_NO, contract=_NO),
    "peer.renewed": EntryKind(PeerRenewed, session=_NO, contract=_NO),
    "peer.revoked": EntryKind(PeerRevoked, session=_NO, contract=_NO),
    "peer.restored": EntryKind(PeerRestored, session=_NO, contract=_NO),
    "key.rotated": EntryKind(KeyRotated, session=_NO, contract=_NO),
    "contract.signed": EntryKind(ContractSigned, session=_NO, contract=_MUST),
    "document.made": EntryKind(DocumentMade, session=_NO, contract=_MUST),
    "dataset.registered": EntryKind(DatasetRegistered, session=_NO, contract=_NO),
    "dataset.erased": EntryKind(DatasetErased, session=_NO, contract=_NO),
    "consent.recorded": EntryKind(ConsentRecorded, session=_NO, contract=_NO),
    "consent.withdrawn": EntryKind(ConsentWithdrawn, session=_NO, contract=_NO),
    "consent.snapshot": EntryKind(ConsentSnapshot, session=_MAY, contract=_MAY),
    "request.made": EntryKind(RequestStep, session=_NO, contract=_MUST),
    "request.approved": EntryKind(RequestStep, session=_NO, contract=_MUST),
    "request.refused": EntryKind(RequestRefused, session=_NO, contract=_MUST),
    "session.started": EntryKind(SessionStarted, session=_MAY, contract=_MUST),
    "budget.spent": EntryKind(BudgetSpent, session=_MAY, contract=_MUST),
    "report.released": EntryKind(ReportReleased, session=_MUST, contract=_MUST),
    "bound.chosen": EntryKind(BoundChosen, session=_NO, contract=_MUST),
    "report.skipped": EntryKind(ReportSkipped, session=_NO, contract=_MUST),
    "list.disclosed": EntryKind(ListDisclosed, session=_MUST, contract=_MUST),
    "list.suppressed": EntryKind(ListSuppressed, session=_MUST, contract=_MUST),
    "export.made": EntryKind(ExportMade, session=_NO, contract=_MUST),
    "lookalike.made": EntryKind(LookalikeMade, session=_NO, contract=_MUST),
    "session.finished": EntryKind(SessionFinished, session=_MUST, contract=_MUST),
    "lineage.emitted": EntryKind(LineageEmitted, session=_MAY, contract=_MUST),
    "retention.pruned": EntryKind(RetentionPruned, session=_NO, contract=_MUST),
    "subject.access": EntryKind(SubjectAccess, session=_NO, contract=_NO),
    "subject.erasure": EntryKind(SubjectErasure, session=_NO, contract=_NO),
    "session.failed": EntryKind(SessionFailed, session=_MAY, contract=_MUST),
    "access.granted": EntryKind(AccessGranted, session=_NO, contract=_NO),
    "access.removed": EntryKind(AccessRemoved, session=_NO, contract=_NO),
    "access.refused": EntryKind(AccessRefused, session=_NO, contract=_NO),
    "audit.read": EntryKind(AuditRead, session=_NO, contract=_NO),
    "console.signed_in": EntryKind(SignedIn, session=_NO, contract=_NO),
    "console.signed_out": EntryKind(SignedOut, session=_NO, contract=_NO),
    "console.refused": EntryKind(SignInRefused, session=_NO, contract=_NO),
    "console.password": EntryKind(PasswordSet, session=_NO, contract=_NO),
}
INCIDENT: Final = EntryKind(Incident, session=_MAY, contract=_MAY)
_INCIDENT_NAME: Final = re.compile(r"incident\.[a-z][a-z_]{0,39}")


def kind_named(name: object) -> EntryKind:
    """Return the kind of this name; every `incident.*` is one.

    Raises:
        EntryError: no entry may be of this kind.
    """
    if not isinstance(name, str):
        raise EntryError("kind must be a string")
    if name in KINDS:
        return KINDS[name]
    if _INCIDENT_NAME.fullmatch(name):
        return INCIDENT
    raise EntryError("kind must be in the closed list of kinds, or incident.<word>")
