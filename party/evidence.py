"""A party's stored log as `audit` verifies it, from its folder alone.

Counterparts' keys come from the signed contracts in the store, whose signatures are checked
again: the log's owner cannot exchange them alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import SessionFinished
from audit.collector import paused
from audit.entry import Entry
from audit.errors import VerificationError
from audit.source import Cosigned, LogSource
from audit.tiles import Tile
from audit.verify import Comparison, Verification, compare_all, verify
from party.consent.logged import stored_roots
from party.contract import Contract
from party.contract_file import parse_contract
from party.identity import Identity
from party.ledger import STOP
from party.log_index import first_amiss, stored_index
from party.log_pages import entries_of
from party.log_tree import read_tile
from party.schema import (
    CONTRACTS,
    COSIGNATURES,
    LEDGER,
    LOG_ENTRIES,
    LOG_HEAD,
    OUTSIDE_WITNESSES,
    RELEASES,
    WITNESSED,
)
from party.signed_terms import Charge, Told
from party.store import Store

BATCH: Final = 1000
Result = TypeVar("Result")


class StoredLog:
    """The log in a party's store (`audit.source.LogSource`), read anew at each call."""

    def __init__(self, store: Store, identity: Identity) -> None:
        self._store, self._identity = store, identity
        self._kept: dict[Callable[[Connection], Any], Any] = {}

    def at_one_moment(self) -> StoredLog:
        """Return the log as it is now, so that a party at work can be verified.

        What it appends meanwhile is left out, and so is what it charges.
        """
        frozen = StoredLog(self._store, self._identity)
        reads = (_size, _checkpoint, _contracts, _witnesses, _cosigned, _witnessed, _released)
        beside = (_charged, stored_roots)
        frozen._kept = self._store.read(lambda c: {read: read(c) for read in (*reads, *beside)})
        return frozen

    @property
    def vkey(self) -> str:
        """The log's key."""
        return self._identity.vkey

    def entries(self) -> Iterator[bytes]:
        """Yield the entries' bytes in order."""
        return self._column(LOG_ENTRIES.c.data)

    def leaf_hashes(self) -> Iterator[bytes]:
        """Yield the stored leaf hashes in order."""
        return self._column(LOG_ENTRIES.c.leaf)

    def checkpoint(self) -> str:
        """Return the log's latest checkpoint."""
        return self._read(_checkpoint)

    def counterparts(self) -> list[str]:
        """Return the keys of all parties of the stored contracts but this one's.

        After them come those of witnesses outside contracts who have cosigned here.
        """
        keys: dict[str, None] = {}
        for contract in self.contracts():
            keys |= dict.fromkeys(card.identity for card in contract.parties.values())
        keys.pop(self.vkey, None)
        return [*keys, *self.witnesses()]

    def contracts(self) -> list[Contract]:
        """Return the stored contracts, each as it was signed.

        Raises:
            VerificationError, ContractError: one was changed after it was stored, or signed.
        """
        contracts = []
        for name, text, digest in self._read(_contracts):
            contract = parse_contract(text.encode(), source=f"contract {name}")
            if contract.digest != digest:
                raise VerificationError(
                    f"contract {name}: its text was changed after it was stored"
                )
            contract.verify_signatures()
            contracts.append(contract)
        return contracts

    def cosigned(self) -> list[Cosigned]:
        """Return this log's checkpoints that counterparts and outside witnesses cosigned."""
        return self._read(_cosigned)

    def witnessed(self) -> list[Cosigned]:
        """Return the counterparts' checkpoints that this party cosigned."""
        return self._read(_witnessed)

    def witnesses(self) -> list[str]:
        """Return the keys of the witnesses outside contracts who have cosigned here."""
        return self._read(_witnesses)

    def read_tile(self, tile: Tile) -> list[bytes]:
        """Return the hashes of a tile, as many of them as the log has."""
        return self._store.read(lambda connection: read_tile(connection, tile))

    def read_bundle(self, tile: Tile) -> list[bytes]:
        """Return the entries of a bundle, as many of them as the log has."""
        seq = LOG_ENTRIES.c.seq
        query = (
            sa.select(LOG_ENTRIES.c.data)
            .where(seq >= tile.start, seq < tile.start + tile.width)
            .order_by(seq)
        )
        return self._store.read(lambda connection: list(connection.execute(query).scalars()))

    def require_told(self, told: Told) -> None:
        """Require that contracts, tables, charges and consent in the store are those of the log.

        Raises:
            VerificationError: the first thing that does not fit.
        """
        told.require_contracts(self.contracts())
        told.require_tables(self.releases())
        told.require_charges(self.charges())
        told.require_consent(self._read(stored_roots))
        self._require_index(told.index)

    def releases(self) -> dict[str, str]:
        """Return the digest of each stored table that this party released, by request."""
        return self._read(_released)

    def charges(self) -> list[Charge]:
        """Return the ledger's charges; a stop at the minimum is no charge."""
        return self._read(_charged)

    def finished(self, request_id: str) -> Entry | None:
        """Return the entry that says that a request's session has finished."""
        found = (one for one in self.about(request_id) if isinstance(one.body, SessionFinished))
        return next(found, None)

    def about(self, request_id: str) -> list[Entry]:
        """Return the entries whose body is about a request, in their order."""
        found = self._store.read(lambda connection: entries_of(connection, request=request_id))
        size = self._read(_size)
        return [entry for entry in found if entry.seq < size]

    def parsed(self) -> Iterator[Entry]:
        """Yield the entries, parsed."""
        for data in self.entries():
            yield Entry.parse(data)

    def _require_index(self, told: bytes) -> None:
        size = self._read(_size)
        if self._store.read(lambda connection: stored_index(connection, size)) == told:
            return
        amiss = self._store.read(lambda connection: first_amiss(connection, self.parsed(), size))
        raise VerificationError(
            f"entry {amiss}: the index of the log, by which pages of it are found, was changed: "
            "entries may have been missing where it was filtered",
            entry=amiss,
        )

    def _column(self, column: sa.Column[bytes]) -> Iterator[bytes]:
        start, stop = 0, self._read(_size)
        while start < stop:
            query = (
                sa.select(column)
                .where(LOG_ENTRIES.c.seq >= start, LOG_ENTRIES.c.seq < min(start + BATCH, stop))
                .order_by(LOG_ENTRIES.c.seq)
            )
            yield from self._store.read(partial(_values, query))
            start += BATCH

    def _read(self, read: Callable[[Connection], Result]) -> Result:
        """Read of the store, or of what was read at the moment of `at_one_moment`."""
        if read in self._kept:
            kept: Result = self._kept[read]
            return kept
        return self._store.read(read)


def _values(query: sa.Select[Any], connection: Connection) -> Sequence[bytes]:
    return connection.execute(query).scalars().all()


def _size(connection: Connection) -> int:
    """Return one more than the highest place that is taken, whatever the checkpoint says."""
    highest = connection.execute(sa.select(sa.func.max(LOG_ENTRIES.c.seq))).scalar_one()
    return 0 if highest is None else int(highest) + 1


def _checkpoint(connection: Connection) -> str:
    return connection.execute(sa.select(LOG_HEAD.c.checkpoint)).scalar() or ""


def _contracts(connection: Connection) -> list[tuple[str, str, str]]:
    columns = (CONTRACTS.c.name, CONTRACTS.c.text, CONTRACTS.c.hash)
    return [tuple(row) for row in connection.execute(sa.select(*columns))]


def _witnesses(connection: Connection) -> list[str]:
    query = sa.select(OUTSIDE_WITNESSES.c.vkey).order_by(OUTSIDE_WITNESSES.c.vkey)
    return list(connection.execute(query).scalars())


def _cosigned(connection: Connection) -> list[Cosigned]:
    return _marks(connection, COSIGNATURES)


def _witnessed(connection: Connection) -> list[Cosigned]:
    return _marks(connection, WITNESSED)


def _marks(connection: Connection, table: sa.Table) -> list[Cosigned]:
    rows = connection.execute(sa.select(table).order_by(table.c.size))
    return [Cosigned(row.checkpoint, row.line) for row in rows]


def _released(connection: Connection) -> dict[str, str]:
    rows = connection.execute(sa.select(RELEASES))
    return {row.request: hashlib.sha256(row.artefact.encode()).hexdigest() for row in rows}


def _charged(connection: Connection) -> list[Charge]:
    rows = connection.execute(sa.select(LEDGER).where(LEDGER.c.what != STOP))
    return [(row.request, row.epsilon_nano, row.rho_nano, row.delta_e15) for row in rows]


class HeldLog(LogSource, Protocol):
    """A log that is verified together with what lies beside it."""

    def at_one_moment(self) -> HeldLog:
        """Return the log as it is now, whatever its owner appends meanwhile."""
        ...

    def require_told(self, told: Told) -> None:
        """Hold what the log tells against what lies beside it; raise VerificationError."""
        ...


def verify_log(log: HeldLog, passed: Callable[[int], None] | None = None) -> Verification:
    """Verify a party's log, and that what lies beside it is what it logged.

    `passed` is told each entry, by its place, that the rules have admitted.

    Raises:
        VerificationError: the first thing that fails.
    """
    with paused():
        now, told = log.at_one_moment(), Told()

        def take(origin: str, entry: Entry) -> None:
            told.take(origin, entry)
            if passed is not None:
                passed(entry.seq)

        verification = verify(now, told.take if passed is None else take)
        now.require_told(told)
    return verification


def compare_logs(ours: HeldLog, theirs: HeldLog) -> Comparison:
    """Verify two parties' logs against each other.

    Raises:
        VerificationError: the first thing that fails.
    """
    (comparison,) = compare_all_logs(ours, theirs)
    return comparison


def compare_all_logs(*logs: HeldLog) -> tuple[Comparison, ...]:
    """Verify the logs of several parties, and return a comparison for every two of them.

    Raises:
        VerificationError: the first thing that fails.
    """
    with paused():
        now = [log.at_one_moment() for log in logs]
        told = {log.vkey.partition("+")[0]: Told() for log in now}
        comparisons = compare_all(now, lambda origin, entry: told[origin].take(origin, entry))
        for log, said in zip(now, told.values(), strict=True):
            log.require_told(said)
    return comparisons
