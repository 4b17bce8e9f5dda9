"""Restoring a party, and asking those who may have seen more of its log than the backup has.

Asked are the counterparts of contracts in force that have an address, and the outside witnesses.
Whoever does not answer stops nothing: it is named, and looks again before the next charge.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from client.calls import CALL_SECONDS, calling
from client.channel import open_own_channel
from client.probe import Way
from client.witnessing import ask_witnesses
from commonground.v1 import doctor_pb2 as pb
from commonground.v1 import doctor_pb2_grpc
from party.backup.restoring import Restored, Seen, restore
from party.card import IdentityCard
from party.desk import Desk
from party.errors import PartyError
from party.key_files import read_key_file
from party.organisation import Organisation
from party.wire.doctor import decode_examination


def restore_party(
    file: Path,
    folder: Path,
    *,
    passphrase: bytes | None = None,
    keys: Path | None = None,
    store: str | None = None,
    nothing_spent: str | None = None,
    offline: bool = False,
) -> Restored:
    """Restore a party as `party.backup.restoring.restore` does; `offline` asks nobody.

    Raises:
        PartyError, audit.errors.AuditError: see there; then nothing is left behind.
    """
    return restore(
        file,
        folder,
        passphrase=passphrase,
        keys=keys,
        store=store,
        why=nothing_spent,
        ask=(lambda party: []) if offline else who_has_seen,
    )


def read_passphrase(path: Path | None) -> bytes | None:
    """Return the passphrase in a file that only its owner can read: its first line.

    Raises:
        IdentityError: it is missing, or others can read it.
    """
    return None if path is None else read_key_file(path).partition(b"\n")[0]


def who_has_seen(party: Organisation) -> Sequence[Seen]:
    """Ask everybody who can be asked what they have seen of this party's log."""
    cards = {
        (name, card.fingerprint): card
        for contract in Desk(party).contracts()
        for name, card in contract.parties.items()
        if name != contract.me(party.identity)
    }
    return [
        *(_seen_by(party, name, card) for (name, _), card in cards.items()),
        *(
            Seen(asked.witness, entries=asked.size, problem=asked.problem)
            for asked in ask_witnesses(party)
        ),
    ]


def _seen_by(party: Organisation, name: str, card: IdentityCard) -> Seen:
    if card.address is None:
        return Seen(name, problem="it only dials, and cannot be asked")
    try:
        way, pinned = Way(card.address), card.certificates(party.now)
        with open_own_channel(way.address, way.proxy, pinned, party.identity) as channel:
            stub = doctor_pb2_grpc.DoctorServiceStub(channel)  # type: ignore[no-untyped-call]
            with calling():
                answer = stub.Examine(pb.ExamineRequest(), timeout=CALL_SECONDS)
        return Seen(name, decode_examination(answer).seen_checkpoint)
    except PartyError as error:
        return Seen(name, problem=str(error))
