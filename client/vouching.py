"""Who vouches for a party's log and what it has seen of theirs: counterparts, witnesses, forks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from audit.checkpoint import Checkpoint, open_checkpoint, verify_cosignature
from audit.errors import AuditError
from audit.note import parse_note
from client.proving import known_witnesses
from party.errors import SettingsError
from party.forks import FORKS_FOLDER
from party.outside_witnesses import read_witnesses
from party.schema import COSIGNATURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from party.organisation import Organisation


@dataclass(frozen=True)
class Vouching:
    """One who cosigns this party's log, as far as it went, and what was cosigned of its own.

    `names` are what contracts call it, none for an outside witness. `cosigned` is the size of this
    log in its last cosignature (0 for none), `at` its time (Unix seconds), `times` how many there
    are; `seen` is the size of its own log that this party has cosigned last. `problem` is why its
    last cosignature does not hold.
    """

    log: str
    names: tuple[str, ...]
    cosigned: int
    at: int | None
    times: int
    seen: int
    problem: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "names": list(self.names)}


@dataclass(frozen=True)
class Fork:
    """A second tree of one size that a log has signed: the proof that it has two histories."""

    log: str
    size: int
    file: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def vouching(party: Organisation) -> list[Vouching]:
    """Return all who could vouch for the log: those of contracts by name, then outside witnesses.

    Raises:
        SettingsError: a witness in party.toml is malformed.
        AuditError: a stored contract or checkpoint is not what was signed.
    """
    logs = _names(party)
    outside = (one.name for one in read_witnesses(party.settings.witnesses))
    rows = party.store.rows(
        sa.select(COSIGNATURES.c.cosigner, sa.func.count().label("times")).group_by(
            COSIGNATURES.c.cosigner
        )
    )
    times = {row.cosigner: int(row.times) for row in rows}
    for log in (*outside, *times):
        logs.setdefault(log, ())
    return [_one(party, log, names, times.get(log, 0)) for log, names in logs.items()]


def forks(party: Organisation) -> list[Fork]:
    """Return the forks of others' logs that this party was shown, as they are kept."""
    return list(_forks(party))


def _forks(party: Organisation) -> Iterator[Fork]:
    for path in sorted((party.folder / FORKS_FOLDER).glob("*.note")):
        try:
            checkpoint = Checkpoint.parse(parse_note(path.read_text(encoding="utf-8")).text)
        except (AuditError, OSError, ValueError) as error:
            raise SettingsError(f"{path.name} in {FORKS_FOLDER}/ cannot be read: {error}") from None
        yield Fork(checkpoint.origin, checkpoint.size, path.name)


def _names(party: Organisation) -> dict[str, tuple[str, ...]]:
    """Return by log what contracts call its party, in order of these names."""
    found: dict[str, set[str]] = {}
    for contract in party.contracts():
        for name, card in contract.parties.items():
            if card.identity != party.identity.vkey:
                found.setdefault(card.verifier.name, set()).add(name)
    return dict(sorted(((log, tuple(sorted(names))) for log, names in found.items()),
                       key=lambda pair: pair[1]))  # fmt: skip


def _one(party: Organisation, log: str, names: tuple[str, ...], times: int) -> Vouching:
    seen = party.journal.seen_size(log)
    row = party.store.row(
        sa.select(COSIGNATURES)
        .where(COSIGNATURES.c.cosigner == log)
        .order_by(COSIGNATURES.c.size.desc())
        .limit(1)
    )
    if row is None:
        return Vouching(log, names, 0, None, 0, seen)
    try:
        checkpoint = open_checkpoint(row.checkpoint, party.identity.verifier)
        said = verify_cosignature(checkpoint, row.line, list(known_witnesses(party).values()))
    except AuditError as error:
        return Vouching(log, names, int(row.size), None, times, seen, str(error))
    return Vouching(log, names, checkpoint.size, said.time, times, seen)
