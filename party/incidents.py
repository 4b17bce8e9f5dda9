"""Which refusals are incidents in the log, and in which fixed words (`incident.<word>`).

Some are by their status, whoever finds them in a session: nothing but a counterpart's fault leads
there. The others are where the code that refuses says so, by raising a `Breach`.
"""

from __future__ import annotations

from typing import Final

from audit.bodies import Incident
from party.errors import Breach, Forked, NotExtended, Refusal, RefusalStatus

ALWAYS: Final = {
    RefusalStatus.INVALID_POINT: ("invalid_point", "a peer sent a point that must not be raised"),
    RefusalStatus.WRONG_ANSWER: ("wrong_answer", "a known answer did not come back as it must"),
    RefusalStatus.TRANSCRIPT_MISMATCH: ("transcript", "the parties saw different sessions"),
    RefusalStatus.BAD_REQUEST: ("bad_message", "a peer sent a message that is out of shape"),
}
_IF_A_BREACH: Final = {
    RefusalStatus.CONTRACT_UNKNOWN: (
        "other_contract",
        "a peer spoke of another contract than its session is under",
    ),
    RefusalStatus.CONSENT_STALE: (
        "stale_consent",
        "a peer stated a consent snapshot that the contract does not allow",
    ),
    RefusalStatus.LIMIT_EXCEEDED: ("too_much", "a peer sent more than the protocol allows"),
}


def forked(origin: str) -> tuple[str, Incident]:
    """Return the kind of entry and its body for a log that has signed two trees of one size."""
    what = "a witnessed log has signed two trees of one size"
    return "incident.log_forked", Incident("LOG_FORKED", what, origin)


def incident_of(refusal: Refusal) -> tuple[str, Incident] | None:
    """Return the kind of entry and its body for what a counterpart did, or None for no incident."""
    if isinstance(refusal, Forked):
        return forked(refusal.origin)
    if isinstance(refusal, NotExtended):
        what = "a log does not extend what was witnessed of it: it was rolled back or rewritten"
        return "incident.log_not_extended", Incident("LOG_NOT_EXTENDED", what, refusal.origin)
    words = ALWAYS.get(refusal.status)
    if words is None and isinstance(refusal, Breach):
        words = _IF_A_BREACH.get(refusal.status)
    if words is None:
        return None
    word, what = words
    return f"incident.{word}", Incident(refusal.status.value, what)
