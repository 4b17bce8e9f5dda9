"""What the kinds of log entries are called, and an entry as a page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from audit.entry import Entry
from client.page.entries import Line
from client.page.glossary import Glossary
from languages import Language, Message, message

KINDS: Final[Mapping[str, Message]] = {
    "party.created": message("The party was made"),
    "party.restored": message("The party was restored from a backup"),
    "backup.made": message("A backup was made"),
    "peer.pinned": message("A counterpart's keys were pinned"),
    "peer.forgotten": message("A counterpart's keys were forgotten"),
    "peer.renewed": message("A counterpart replaced its keys"),
    "peer.revoked": message("A counterpart was revoked"),
    "peer.restored": message("A counterpart was let in again"),
    "key.rotated": message("A key of this party was replaced"),
    "contract.signed": message("A contract was signed by all"),
    "document.made": message("Documents were written"),
    "dataset.registered": message("A dataset was registered"),
    "dataset.erased": message("A dataset was erased"),
    "consent.recorded": message("Consent was recorded"),
    "consent.withdrawn": message("Consent was withdrawn"),
    "consent.snapshot": message("A snapshot of consent was taken"),
    "request.made": message("A request was made"),
    "request.approved": message("A request was approved"),
    "request.refused": message("A request was refused"),
    "session.started": message("A session began"),
    "budget.spent": message("Budget was spent"),
    "report.released": message("A table was released"),
    "report.skipped": message("A run of a schedule was left out"),
    "bound.chosen": message("A top bound was taken from data"),
    "list.disclosed": message("A list was disclosed"),
    "list.suppressed": message("People were taken off a list"),
    "export.made": message("A list was exported"),
    "lookalike.made": message("People were scored by a released table"),
    "session.finished": message("A session finished"),
    "session.failed": message("A session failed"),
    "lineage.emitted": message("A lineage event was told"),
    "retention.pruned": message("Something came to its end and was deleted"),
    "subject.access": message("A person was answered"),
    "subject.erasure": message("A person was erased"),
    "access.granted": message("An account was given a role"),
    "access.removed": message("An account lost its role"),
    "access.refused": message("Somebody was turned away"),
    "audit.read": message("The audit data was read"),
    "console.signed_in": message("Somebody signed in to the console"),
    "console.signed_out": message("Somebody signed out of the console"),
    "console.refused": message("Signing in to the console was refused"),
    "console.password": message("A password of the console was set"),
}
INCIDENTS: Final[Mapping[str, Message]] = {
    "incident.invalid_point": message("A counterpart sent a point that must not be raised"),
    "incident.wrong_answer": message("A known answer did not come back as it must"),
    "incident.transcript": message("The parties saw different sessions"),
    "incident.bad_message": message("A counterpart sent a message that is out of shape"),
    "incident.other_contract": message("A counterpart spoke of another contract"),
    "incident.stale_consent": message("A counterpart stated a consent snapshot that is too old"),
    "incident.too_much": message("A counterpart sent more than the protocol allows"),
    "incident.log_forked": message("A counterpart's log has two histories"),
    "incident.log_not_extended": message("A counterpart's log was rolled back or rewritten"),
    "incident.two_statements": message("A counterpart signed two statements of keys"),
}
FAMILIES: Final[Mapping[str, Message]] = {
    "incident": message("Incidents"),
    "consent": message("Consent"),
    "request": message("Requests"),
    "session": message("Sessions"),
    "report": message("Released tables"),
    "list": message("Lists"),
    "subject": message("People"),
    "dataset": message("Datasets"),
    "contract": message("Contracts"),
    "peer": message("Counterparts"),
    "access": message("Access"),
}
"""Families of kinds that are worth being asked for as one."""


CHECKS: Final = Glossary(
    (
        message("the checkpoint is signed by the log's key"),
        message("{number} cosignatures are of known counterparts"),
        message("{number} checkpoints of counterparts are signed by them and cosigned here"),
        message("every entry is canonical, hashes to its stored leaf and stands in its place"),
        message("times do not go back"),
        message("every session rests on a logged consent snapshot that was fresh enough"),
        message("that snapshot was for every other party of the session"),
        message("every charge is towards all the other parties of its contract"),
        message("no session starts or ends twice, and its entries agree"),
        message("lineage events tell of sessions as they went, once each"),
        message("every release and disclosure was charged before"),
        message("runs that take people off a list follow it, in order and before its end"),
        message("the charges in each window are within the contract's budget, by its filter"),
        message("the tree has the root that the checkpoint states"),
        message("every cosigned checkpoint lies on the tree"),
    )
)
"""What verifying a log has checked (`audit.verify`)."""


def kind_said(kind: str, _: Language) -> str:
    """Say a kind in words; one without words is called as the log has it."""
    said = KINDS.get(kind) or INCIDENTS.get(kind)
    return kind if said is None else _(said)


@dataclass(frozen=True)
class Shown:
    """An entry in a list: what happened in words, about which request, with whom."""

    entry: Entry
    said: str
    request: str | None
    peer: str | None
    line: Line

    @classmethod
    def of(cls, entry: Entry, contracts: Mapping[str, str], _: Language) -> Self:
        """Take an entry apart; `contracts` are the names of counterparts by a contract's hash."""
        body = entry.body
        peer: str | None = getattr(body, "peer", None)
        return cls(
            entry,
            kind_said(entry.kind, _),
            getattr(body, "request", None),
            peer or contracts.get(entry.contract or ""),
            Line.of(entry),
        )
