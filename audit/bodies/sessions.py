"""A request, its session, what it cost and what it released."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from audit.bodies.consent import ConsentReference
from audit.bodies.contracts import MAX_PARTIES
from audit.errors import EntryError
from audit.shapes import (
    LABEL,
    Digest,
    Label,
    ListOf,
    Natural,
    Nested,
    OneOf,
    ReasonCode,
    Record,
    Token,
    UnixTime,
)


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
class BoundChosen(Record):
    """`bound.chosen`: a top bound of value buckets that was taken from the party's data.

    Args:
        request: the name of its charge.
        dataset: whose people were counted.
        result: SHA-256 of what the party stored of it.
    """

    request: Token
    dataset: Annotated[str, LABEL]
    result: Digest


@dataclass(frozen=True)
class SessionStarted(Record):
    """`session.started`: what a party is bound to before the first byte.

    Args:
        request: the id of the request, by which the session is known.
        seed_commitment: the commitment to (seed, input root).
        input_root: the salted root of the input.
        consent: the snapshot by which the input was filtered.
        others: the other parties of the session.
    """

    request: Token
    seed_commitment: Digest
    input_root: Digest
    consent: Annotated[ConsentReference, Nested(ConsentReference)]
    others: Annotated[tuple[str, ...], ListOf(LABEL, MAX_PARTIES - 1)]


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

    def _require_together(self) -> None:
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
class LineageEmitted(Record):
    """`lineage.emitted`: a session was told of as an OpenLineage event, right after its entry.

    Args:
        request: the id of the request whose session it is.
        event: `START`, `COMPLETE` or `FAIL`.
        digest: SHA-256 of the event's bytes.
    """

    request: Token
    event: Annotated[Literal["START", "COMPLETE", "FAIL"], OneOf(("START", "COMPLETE", "FAIL"))]
    digest: Digest


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
