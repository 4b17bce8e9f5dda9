"""A party's stored log as `audit` verifies it, from its folder alone.

Counterparts' keys come from the signed contracts in the store, whose signatures are checked
again: the log's owner cannot exchange them alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import sqlalchemy as sa

from audit.bodies import BudgetSpent, ReportReleased, SessionFinished
from audit.entry import Entry
from audit.errors import VerificationError
from audit.source import Cosigned
from audit.verify import Comparison, Verification, compare_all, verify
from party.contract_file import parse_contract
from party.identity import Identity
from party.ledger import STOP
from party.schema import (
    CONTRACTS,
    COSIGNATURES,
    LEDGER,
    LOG_ENTRIES,
    LOG_HEAD,
    RELEASES,
    WITNESSED,
)
from party.store import Store

BATCH = 1000
Charge = tuple[str, int, int, int]


class StoredLog:
    """The log in a party's store (`audit.source.LogSource`)."""

    def __init__(self, store: Store, identity: Identity) -> None:
        self._store, self._identity = store, identity

    @property
    def vkey(self) -> str:
        """The log's key."""
        return self._identity.vkey

    def entries(self) -> Iterator[bytes]:
        """Yield the entries' bytes in order."""
        yield from (row.data for row in self._rows())

    def leaf_hashes(self) -> Iterator[bytes]:
        """Yield the stored leaf hashes in order."""
        yield from (row.leaf for row in self._rows())

    def checkpoint(self) -> str:
        """Return the log's latest checkpoint."""
        row = self._store.row(sa.select(LOG_HEAD.c.checkpoint))
        return "" if row is None else str(row.checkpoint)

    def counterparts(self) -> list[str]:
        """Return the keys of all parties of the stored contracts but this one's."""
        keys: dict[str, None] = {}
        for row in self._store.rows(sa.select(CONTRACTS)):
            contract = parse_contract(row.text.encode(), source=f"contract {row.name}")
            if contract.digest != row.hash:
                raise VerificationError(
                    f"contract {row.name}: its text was changed after it was stored"
                )
            contract.verify_signatures()
            keys |= dict.fromkeys(card.identity for card in contract.parties.values())
        keys.pop(self.vkey, None)
        return list(keys)

    def cosigned(self) -> list[Cosigned]:
        """Return this log's checkpoints that counterparts cosigned."""
        rows = self._store.rows(sa.select(COSIGNATURES).order_by(COSIGNATURES.c.size))
        return [Cosigned(row.checkpoint, row.line) for row in rows]

    def witnessed(self) -> list[Cosigned]:
        """Return the counterparts' checkpoints that this party cosigned."""
        rows = self._store.rows(sa.select(WITNESSED).order_by(WITNESSED.c.size))
        return [Cosigned(row.checkpoint, row.line) for row in rows]

    def releases(self) -> dict[str, str]:
        """Return the digest of each stored table that this party released, by request."""
        rows = self._store.rows(sa.select(RELEASES))
        return {row.request: hashlib.sha256(row.artefact.encode()).hexdigest() for row in rows}

    def charges(self) -> list[Charge]:
        """Return the ledger's charges; a stop at the minimum is no charge."""
        rows = self._store.rows(sa.select(LEDGER).where(LEDGER.c.what != STOP))
        return [(row.request, row.epsilon_nano, row.rho_nano, row.delta_e15) for row in rows]

    def finished(self, request_id: str) -> Entry | None:
        """Return the entry that says that a request's session has finished."""
        wanted = request_id.encode()
        for data in self.entries():
            if wanted in data:  # what is parsed is what may be it
                entry = Entry.parse(data)
                if isinstance(entry.body, SessionFinished) and entry.body.request == request_id:
                    return entry
        return None

    def parsed(self) -> Iterator[Entry]:
        """Yield the entries, parsed."""
        for data in self.entries():
            yield Entry.parse(data)

    def _rows(self) -> Iterator[sa.Row[tuple[int, bytes, bytes]]]:
        start = 0
        while True:
            rows = self._store.rows(
                sa.select(LOG_ENTRIES)
                .where(LOG_ENTRIES.c.seq >= start)
                .order_by(LOG_ENTRIES.c.seq)
                .limit(BATCH)
            )
            yield from rows
            if len(rows) < BATCH:
                return
            start = rows[-1].seq + 1


def verify_log(log: StoredLog) -> Verification:
    """Verify a party's log, and that the tables in its store are those that it logged.

    Raises:
        VerificationError: the first thing that fails.
    """
    verification = verify(log)
    _require_logged_state(log)
    return verification


def compare_logs(ours: StoredLog, theirs: StoredLog) -> Comparison:
    """Verify two parties' logs against each other.

    Raises:
        VerificationError: the first thing that fails.
    """
    (comparison,) = compare_all_logs(ours, theirs)
    return comparison


def compare_all_logs(*logs: StoredLog) -> tuple[Comparison, ...]:
    """Verify the logs of several parties, and return a comparison for every two of them.

    Raises:
        VerificationError: the first thing that fails.
    """
    comparisons = compare_all(logs)
    for log in logs:
        _require_logged_state(log)
    return comparisons


def _require_logged_state(log: StoredLog) -> None:
    """Require that the store's tables and charges are those that its log tells of."""
    releases, charges = log.releases(), log.charges()
    for index, entry in enumerate(log.parsed()):
        match entry.body:
            case ReportReleased(request=request, table_digest=digest):
                if releases.get(request, digest) != digest:
                    raise VerificationError(
                        f"entry {index}: the stored table of request {request} is not the one "
                        "that was released: it was changed afterwards",
                        entry=index,
                    )
            case BudgetSpent() as spent:
                row = (spent.request, spent.epsilon_nano, spent.rho_nano, spent.delta_e15)
                if row not in charges:
                    raise VerificationError(
                        f"entry {index}: the ledger does not have this charge as it was logged: "
                        "the ledger was changed afterwards, so its budgets cannot be trusted",
                        entry=index,
                    )
                charges.remove(row)
            case _:
                pass
    if charges:
        raise VerificationError(
            f"the ledger has a charge of request {charges[0][0]} that was never logged"
        )
