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
from typing import Annotated, Final, Literal

from audit.errors import EntryError
from audit.shapes import (
    LABEL,
    TOKEN,
    Digest,
    Iri,
    Label,
    ListOf,
    MapOf,
    Natural,
    Nested,
    OneOf,
    ReasonCode,
    Record,
    Sentence,
    Token,
    UnixTime,
    VkeyText,
    Whole,
)

MAX_PARTIES: Final = 3
MOST_RUNS: Final = 31
MAX_PLATFORMS: Final = 16
OWN_REFERENCES: Final = ("csv", "parquet")
"""Files that name people as their party does; a contract need not grant them."""
BASIC: Final = "basic"
ZCDP: Final = "zcdp"
FILTERS: Final = (BASIC, ZCDP)


@dataclass(frozen=True)
class PartyCreated(Record):
    """`party.created`, the first entry of every log.

    Args:
        vkey: the key of this log, in text form.
        certificate: SHA-256 of the party's certificate (DER).
    """

    vkey: VkeyText
    certificate: Digest


@dataclass(frozen=True)
class PeerPinned(Record):
    """`peer.pinned`: a counterpart's keys, as both sides learnt them by an invitation.

    Args:
        peer: the counterpart's name.
        vkey: its identity key, in text form.
        certificate: SHA-256 of its certificate (DER).
        how: `invited`, where it came to this party, or `joined`, where this party came to it.
    """

    peer: Label
    vkey: VkeyText
    certificate: Digest
    how: Annotated[Literal["invited", "joined"], OneOf(("invited", "joined"))]


@dataclass(frozen=True)
class PeerForgotten(Record):
    """`peer.forgotten`: keys that an invitation had pinned are let in no longer.

    Args:
        peer: the counterpart's name.
        vkey: its identity key, in text form.
        certificate: SHA-256 of its certificate (DER).
    """

    peer: Label
    vkey: VkeyText
    certificate: Digest


@dataclass(frozen=True)
class Budget(Record):
    """What one party's population may lose to one coalition in one window.

    Args:
        epsilon_nano: ε in units of 1e-9.
        delta_e15: δ in units of 1e-15.
        window_days: the length of a window.
    """

    epsilon_nano: Natural
    delta_e15: Natural
    window_days: Annotated[int, Whole(1, 36_525)]


@dataclass(frozen=True)
class ContractSigned(Record):
    """`contract.signed`: the terms that later entries are held to; the entry names the contract.

    Args:
        parties: their names, two or three.
        budgets: by party.
        consent_max_age_seconds: how old a consent snapshot may be when a session starts.
        filter: how charges add up within a budget: `basic` sums, or `zcdp`.
        export_to: by party, the platforms that it may take its lists to; absent for none.
    """

    parties: Annotated[tuple[str, ...], ListOf(LABEL, MAX_PARTIES)]
    budgets: Annotated[Mapping[str, Budget], MapOf(LABEL, Nested(Budget), MAX_PARTIES)]
    consent_max_age_seconds: Natural
    filter: Annotated[str, OneOf(FILTERS)]
    export_to: (
        Annotated[
            Mapping[str, tuple[str, ...]],
            MapOf(LABEL, ListOf(TOKEN, MAX_PLATFORMS), MAX_PARTIES),
        ]
        | None
    ) = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.parties) == 1:
            raise EntryError("parties must be two or three")
        if not self.budgets.keys() <= set(self.parties):
            raise EntryError("budgets has a budget for somebody who is not among parties")
        if not (self.export_to or {}).keys() <= set(self.parties):
            raise EntryError("export_to names somebody who is not among parties")


@dataclass(frozen=True)
class DatasetRegistered(Record):
    """`dataset.registered`.

    Args:
        name: as the party calls it.
        snapshot: the digest or version of its content.
        columns: the declared columns.
    """

    name: Label
    snapshot: Token
    columns: Annotated[tuple[str, ...], ListOf(LABEL, 1_000)]


@dataclass(frozen=True)
class RequestStep(Record):
    """`request.made`, `request.approved`.

    Args:
        request: its id.
        request_hash: SHA-256 of the signed request.
        kind: what is asked for ("match", "reach").
    """

    request: Token
    request_hash: Digest
    kind: Token


@dataclass(frozen=True)
class RequestRefused(RequestStep):
    """`request.refused`: with the reason's code."""

    reason: ReasonCode


@dataclass(frozen=True)
class ReportSkipped(Record):
    """`report.skipped`: a run of a standing report that was due and cost nothing.

    Args:
        request: the id that its request has, or would have had.
        due_at: when it was due, POSIX seconds.
        reason: why it was not made.
    """

    request: Token
    due_at: UnixTime
    reason: ReasonCode


@dataclass(frozen=True)
class ConsentSnapshot(Record):
    """`consent.snapshot`.

    Args:
        dataset: whose consent records were taken together.
        root: the Merkle root over the salted records.
        sequence: the snapshot's number.
        taken_at: POSIX seconds.
        purpose: an IRI, W3C DPV's where there is one (`dpv:MarketResearch`).
        recipient: the party for which the purpose was consented to; of a table of three both
            others, with a comma between.
        count_commitment: the salted commitment to the number of records.
    """

    dataset: Label
    root: Digest
    sequence: Natural
    taken_at: UnixTime
    purpose: Iri
    recipient: Label
    count_commitment: Digest | None = None


@dataclass(frozen=True)
class ConsentReference(Record):
    """The consent snapshot that a session's input rests on."""

    root: Digest
    sequence: Natural
    taken_at: UnixTime


@dataclass(frozen=True)
class SessionStarted(Record):
    """`session.started`: what a party is bound to before the first byte.

    Args:
        request: the id of the request, by which the session is known.
        seed_commitment: the commitment to (seed, input root).
        input_root: the salted root of the input.
        consent: the snapshot by which the input was filtered.
    """

    request: Token
    seed_commitment: Digest
    input_root: Digest
    consent: Annotated[ConsentReference, Nested(ConsentReference)]


@dataclass(frozen=True)
class BudgetSpent(Record):
    """`budget.spent`: one charge, before what it pays for.

    Args:
        request: the id of the request whose session is charged; of a bound that was taken from the
            data, an id of its own.
        population: whose people are charged for.
        coalition: who may pool what it learns.
        window: where the window starts, POSIX seconds.
        epsilon_nano: ε in units of 1e-9.
        rho_nano: ρ (zCDP) in units of 1e-9, kept beside ε for other accountants.
        delta_e15: δ in units of 1e-15.
        what: `dp`, or `disclosure` for a list, which has no ε and must not claim one.
    """

    request: Token
    population: Label
    coalition: Label
    window: UnixTime
    epsilon_nano: Natural
    rho_nano: Natural
    delta_e15: Natural
    what: Annotated[Literal["dp", "disclosure"], OneOf(("dp", "disclosure"))]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.what == "disclosure" and (self.epsilon_nano, self.rho_nano, self.delta_e15) != (
            (0, 0, 0)
        ):
            raise EntryError("a disclosure is no private release: its ε, ρ and δ must be 0")


@dataclass(frozen=True)
class ReportReleased(Record):
    """`report.released`, by the tabulator.

    Args:
        request: the id of the request.
        table_digest: SHA-256 of the noisy table as sent.
        noise_commitment: the salted commitment to the noise.
    """

    request: Token
    table_digest: Digest
    noise_commitment: Digest


@dataclass(frozen=True)
class ListDisclosed(Record):
    """`list.disclosed`, by the one who discloses and by the one who receives.

    Args:
        request: the id of the request.
        recipient: the party that has the list.
        list_commitment: the salted commitment to the tags that were sent.
        expires_at: when the list is to be deleted, POSIX seconds.
    """

    request: Token
    recipient: Label
    list_commitment: Digest
    expires_at: UnixTime


@dataclass(frozen=True)
class ListSuppressed(Record):
    """`list.suppressed`, by both sides of a list: a run took people who withdrew off it.

    Args:
        request: the id of the request.
        recipient: the party that has the list.
        run: the run's number, from 1.
        digest: names session, number and the 1,024 points; how many were people's stays unsaid.
    """

    request: Token
    recipient: Label
    run: Annotated[int, Whole(1, MOST_RUNS)]
    digest: Digest


@dataclass(frozen=True)
class ExportMade(Record):
    """`export.made`, by the party that takes its list out of the folder.

    Args:
        request: the id of the request that made the list.
        to: a platform, or a file of the party's own references (`OWN_REFERENCES`).
        file_commitment: the salted commitment to the file's SHA-256.
        expires_at: when the list and what was made of it are to be deleted, POSIX seconds.
    """

    request: Token
    to: Token
    file_commitment: Digest
    expires_at: UnixTime


@dataclass(frozen=True)
class LookalikeMade(Record):
    """`lookalike.made`: a party scored its own people by a table that it has released.

    Args:
        request: the id of the request whose table it was.
        dataset: whose people were scored.
        snapshot: the digest of what was read of it.
        purpose: an IRI; whoever does not consent to it for `recipient` was left out.
        recipient: the counterpart of the request.
        steps: how many steps led from the rows to the people who were scored.
        file_commitment: the salted commitment to the file's SHA-256.
    """

    request: Token
    dataset: Label
    snapshot: Token
    purpose: Iri
    recipient: Label
    steps: Natural
    file_commitment: Digest


@dataclass(frozen=True)
class SessionFinished(Record):
    """`session.finished`: the transcript hash that all parties reached."""

    request: Token
    transcript: Digest


@dataclass(frozen=True)
class SessionFailed(Record):
    """`session.failed`: why, and the transcript hash if there was one."""

    request: Token
    reason: ReasonCode
    transcript: Digest | None = None


@dataclass(frozen=True)
class RetentionPruned(Record):
    """`retention.pruned`: what came to its end and was deleted.

    Args:
        request: the id of the request whose session it was.
        what: `list`, a match's list at its expiry, or `session`, artefacts and seed after the
            contract's retention; `holders`, whose the points of a list's sender are, at its expiry.
    """

    request: Token
    what: Annotated[Literal["list", "session", "holders"], OneOf(("list", "session", "holders"))]


@dataclass(frozen=True)
class Incident(Record):
    """`incident.*`: what went against the protocol; `what` is a fixed sentence, not a value."""

    reason: ReasonCode
    what: Sentence


class Presence(Enum):
    """Whether entries of a kind carry a field."""

    ABSENT = "absent"
    OPTIONAL = "optional"
    REQUIRED = "required"

    def check(self, value: object, where: str) -> None:
        """Raise `EntryError` when the field is there or missing against the rule."""
        if self is Presence.REQUIRED and value is None:
            raise EntryError(f"{where} must be given")
        if self is Presence.ABSENT and value is not None:
            raise EntryError(f"{where} must be left out")


@dataclass(frozen=True)
class EntryKind:
    """The body of a kind, and whether its entries name a session and a contract."""

    body: type[Record]
    session: Presence
    contract: Presence


_NO, _MAY, _MUST = Presence.ABSENT, Presence.OPTIONAL, Presence.REQUIRED

KINDS: Final[Mapping[str, EntryKind]] = {
    "party.created": EntryKind(PartyCreated, session=_NO, contract=_NO),
    "peer.pinned": EntryKind(PeerPinned, session=_NO, contract=_NO),
    "peer.forgotten": EntryKind(PeerForgotten, session=_NO, contract=_NO),
    "contract.signed": EntryKind(ContractSigned, session=_NO, contract=_MUST),
    "dataset.registered": EntryKind(DatasetRegistered, session=_NO, contract=_NO),
    "consent.snapshot": EntryKind(ConsentSnapshot, session=_MAY, contract=_MAY),
    "request.made": EntryKind(RequestStep, session=_NO, contract=_MUST),
    "request.approved": EntryKind(RequestStep, session=_NO, contract=_MUST),
    "request.refused": EntryKind(RequestRefused, session=_NO, contract=_MUST),
    "session.started": EntryKind(SessionStarted, session=_MAY, contract=_MUST),
    "budget.spent": EntryKind(BudgetSpent, session=_MAY, contract=_MUST),
    "report.released": EntryKind(ReportReleased, session=_MUST, contract=_MUST),
    "report.skipped": EntryKind(ReportSkipped, session=_NO, contract=_MUST),
    "list.disclosed": EntryKind(ListDisclosed, session=_MUST, contract=_MUST),
    "list.suppressed": EntryKind(ListSuppressed, session=_MUST, contract=_MUST),
    "export.made": EntryKind(ExportMade, session=_NO, contract=_MUST),
    "lookalike.made": EntryKind(LookalikeMade, session=_NO, contract=_MUST),
    "session.finished": EntryKind(SessionFinished, session=_MUST, contract=_MUST),
    "retention.pruned": EntryKind(RetentionPruned, session=_NO, contract=_MUST),
    "session.failed": EntryKind(SessionFailed, session=_MAY, contract=_MUST),
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
    if _INCIDENT_NAME.fullmatch(name):
        return INCIDENT
    if name not in KINDS:
        raise EntryError("kind must be in the closed list of kinds, or incident.<word>")
    return KINDS[name]
