"""Where a page's numbers come from: the request, what it cost, and where the log tells of it.

All of it is public to both parties or stands in the log that the counterpart countersigns, but the
steps: what each bound and rule left of the rows that went in is exact, and stands on a page for its
owner's eyes alone. Any page may name the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit.bodies import SessionFinished
from party.datasets import BoundStep
from party.desk import Desk
from party.errors import PartyError
from party.evidence import StoredLog
from party.filing import Filed
from party.organisation import Organisation
from party.request import Request
from party.terms import Terms


@dataclass(frozen=True)
class Source:
    """One finished request as a page names it.

    Attributes:
        request: what was asked, as both parties have it.
        contract: the contract's id; its digest stands in the request.
        finished: when, as the log has it (RFC 3339, UTC).
        session: the session's id, in hexadecimal digits.
        transcript: the hash of all that was said, which both logs have.
        log: the origin of this party's log.
        entry: the number of the entry in it that ends the session, from 0.
        steps: what each bound and rule left of this party's rows: exact.
    """

    request: Request
    contract: str
    finished: str
    session: str
    transcript: str
    log: str
    entry: int
    steps: tuple[BoundStep, ...] = ()


def source_of(party: Organisation, filed: Filed) -> Source:
    """Return what a page says of a finished request.

    Raises:
        PartyError: the log has no end of its session, or its contract is not stored here.
    """
    entry = StoredLog(party.store, party.identity).finished(filed.id)
    if entry is None or not isinstance(entry.body, SessionFinished):
        raise PartyError(
            f"the log has no end of request {filed.id[:8]}: run `commonground audit verify`"
        )
    return Source(
        request=filed.request,
        contract=_contract_id(party, filed.request.contract),
        finished=entry.time,
        session=entry.session or "",
        transcript=entry.body.transcript,
        log=party.identity.log_origin,
        entry=entry.seq,
        steps=Desk(party).steps(filed.request.id),
    )


def charges_of(sources: Sequence[Source]) -> list[tuple[str, str, int, int]]:
    """Return (party, role, ε in 1e-9, δ in 1e-15) that each party's people paid for all."""
    total: dict[tuple[str, str], tuple[int, int]] = {}
    for source in sources:
        terms = Terms.of(source.request)
        for name in terms.parties:
            spend = terms.spend_of(name)
            epsilon, delta = total.get((name, terms.role_of(name)), (0, 0))
            total[name, terms.role_of(name)] = (
                epsilon + spend.epsilon_nano,
                delta + spend.delta_e15,
            )
    return [(name, role, *paid) for (name, role), paid in total.items()]


def _contract_id(party: Organisation, digest: str) -> str:
    for contract in party.contracts():
        if contract.digest == digest:
            return contract.id
    raise PartyError(f"contract {digest[:12]}… is not stored here any more")
