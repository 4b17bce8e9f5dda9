"""Telling counterparts of keys that were replaced here, and hearing of theirs.

It happens at every contact, before anything else is said, and `serve` seeks those out that do not
know yet. A counterpart that cannot be dialled hears it when it dials, or takes the file.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.dial import Dialler
from party.card import IdentityCard
from party.desk import Desk
from party.errors import IdentityError, PartyError
from party.events import Event, note
from party.key_statement import MOST_BYTES, MOST_STATEMENTS
from party.known_peers import KnownPeers
from party.organisation import Organisation
from party.renewals import Learnt, Renewals

_log: Final = logging.getLogger("commonground.keys")


@dataclass(frozen=True)
class Told:
    """Whether a counterpart knows this party's newest keys; `problem` says why it was not told."""

    peer: str
    knows: bool
    problem: str | None = None


def exchange_statements(party: Organisation, card: IdentityCard, dialler: Dialler) -> list[Learnt]:
    """Exchange statements of keys with the party of a card; return what is new here.

    Raises:
        Refusal: what they say does not follow from what is known.
        DialError: they are not reached.
    """
    renewals = Renewals(party)
    said = dialler.exchange_statements(renewals.own(renewals.known_of(card.identity)))
    new = renewals.learn([card], said.own)
    for one in new:
        note_renewed(one)
    renewals.note_told(card.identity, said.known)
    return new


def note_renewed(one: Learnt) -> None:
    """Say on the log that a counterpart replaced a key."""
    which = "signing key" if one.statement.replaces_signing_key else "certificate"
    sentence = f"{one.peer} has replaced its {which}; the one before is accepted for a while"
    note(_log, Event("peer.renewed", peer=one.peer), sentence)


def tell_all(party: Organisation) -> Iterator[Told]:
    """Tell everybody who can be dialled and does not know this party's newest keys."""
    from client.carrying import reaching

    newest = len(party.identity.statements)
    told = Renewals(party).told()
    for contract in Desk(party).contracts():
        me = contract.me(party.identity)
        pinned = party.identity.place_of(contract.parties[me].keys) or 0
        for peer in contract.counterparts(me):
            card = contract.parties[peer]
            if max(pinned, told.get(card.identity, 0)) >= newest:
                yield Told(peer, knows=True)
                continue
            if card.address is None:
                yield Told(peer, knows=False, problem="it only dials, and hears it when it does")
                continue
            try:
                with reaching(party, contract, peer):
                    told = Renewals(party).told()
            except PartyError as error:
                yield Told(peer, knows=False, problem=str(error))
                continue
            yield Told(peer, knows=told.get(card.identity, 0) >= newest)


def learn_file(party: Organisation, path: Path) -> list[Learnt]:
    """Take a counterpart's statements from its file `keys.json`; return what is new here.

    Raises:
        IdentityError: the file is no statements, or of a party that is not known here.
        Refusal: they do not follow from what is known.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise IdentityError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > MOST_STATEMENTS * (MOST_BYTES + 1):
        raise IdentityError(f"{path} is too large for statements of keys")
    cards = list(KnownPeers(party).cards().values())
    for contract in party.contracts():
        cards += [
            contract.parties[name] for name in contract.counterparts(contract.me(party.identity))
        ]
    return Renewals(party).learn(cards, data.splitlines())
