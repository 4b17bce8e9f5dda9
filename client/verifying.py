"""Verifying the log of a party, alone or against the logs of its counterparts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit.errors import VerificationError
from party.errors import ContractError
from party.evidence import StoredLog, compare_all_logs, verify_log

if TYPE_CHECKING:
    from audit.verify import Comparison, Verification
    from party.organisation import Organisation


def stored_log(party: Organisation) -> StoredLog:
    """Return a party's log as it lies in its store."""
    return StoredLog(party.store, party.identity)


def verify(here: Organisation) -> Verification:
    """Verify a party's own log.

    Raises:
        AuditError: it, or a contract beside it, is not what was signed.
    """
    try:
        return verify_log(stored_log(here))
    except ContractError as error:
        raise VerificationError(f"a contract in the store: {error}") from error


def compare(here: Organisation, *there: Organisation) -> tuple[Comparison, ...]:
    """Verify several logs, and hold against each other what every two tell of each other.

    Raises:
        AuditError: one is not what was signed, or they disagree.
    """
    try:
        return compare_all_logs(stored_log(here), *map(stored_log, there))
    except ContractError as error:
        raise VerificationError(f"a contract in a store: {error}") from error
