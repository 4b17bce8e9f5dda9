"""Verifying logs: a party's own, those of its counterparts, exports, and logs behind a URL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from audit.errors import VerificationError
from party.errors import ContractError
from party.evidence import HeldLog, StoredLog, compare_all_logs, verify_log

if TYPE_CHECKING:
    from audit.verify import Comparison, Verification
    from client.log_places import LogAccess
    from party.organisation import Organisation

Place = str | Path


def stored_log(party: Organisation) -> StoredLog:
    """Return a party's log as it lies in its store."""
    return StoredLog(party.store, party.identity)


def verify(log: HeldLog, passed: Callable[[int], None] | None = None) -> Verification:
    """Verify a log; `passed` is told the place of each entry that was found right.

    Raises:
        AuditError: it, or a contract beside it, is not what was signed.
    """
    try:
        return verify_log(log, passed)
    except ContractError as error:
        raise VerificationError(f"a contract beside the log: {error}") from error


def compare(*logs: HeldLog) -> tuple[Comparison, ...]:
    """Verify several logs, and hold against each other what every two tell of each other.

    Raises:
        AuditError: one is not what was signed, or they disagree.
    """
    try:
        return compare_all_logs(*logs)
    except ContractError as error:
        raise VerificationError(f"a contract beside a log: {error}") from error


def verify_at(
    log: HeldLog | Place, others: Sequence[Place], access: LogAccess, vkey: str | None = None
) -> tuple[Verification, tuple[Comparison, ...]]:
    """Verify a log, and compare it with others, wherever they lie.

    `vkey` is the key of the first one, where it is known from elsewhere.

    Returns:
        What was checked in the first one, and a comparison for every two; none for a single log.

    Raises:
        AuditError: the first thing that does not hold.
        PartyError: at one of the places there is no log, or it cannot be reached.
    """
    from client.log_places import held_log

    with ExitStack() as opened:
        if isinstance(log, str | Path):
            log = opened.enter_context(held_log(log, access, vkey))
        elif vkey not in (None, log.vkey):
            raise VerificationError("the log is of another key than the one that was given")
        there = [opened.enter_context(held_log(other, access)) for other in others]
        if not there:
            return verify(log), ()
        comparisons = compare(log, *there)
        return comparisons[0].ours, comparisons
