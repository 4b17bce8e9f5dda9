"""What counterparts have said of replacing their keys, and which of them know of this party's.

A statement counts once its chain is verified from the key of its party's log on. The first that is
known under a number stands: another under the same number, however well signed, is an incident,
for its owner has signed two, or somebody else holds its key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import Incident, PeerRenewed
from party.errors import IdentityError, Refusal, RefusalStatus
from party.key_statement import MOST_STATEMENTS, KeyStatement, require_chain
from party.schema import KEY_STATEMENTS, KEYS_TOLD

if TYPE_CHECKING:
    from party.card import IdentityCard
    from party.contract import Contract
    from party.organisation import Organisation
    from party.own_keys import OwnKeys

ACTOR: Final = "keys"


@dataclass(frozen=True)
class Learnt:
    """A statement that is new here, and whose it is: `peer` by its name."""

    peer: str
    statement: KeyStatement


@dataclass(frozen=True)
class Statements:
    """What one side says: its own statements from the first, and how many of the other's it knows.

    The statements are not read yet.
    """

    own: tuple[bytes, ...]
    known: int


def known_statements(party: Organisation) -> tuple[str, ...]:
    """Return the texts of all statements that are known here, this party's own among them."""
    own = [one.encode().decode() for one in party.identity.statements]
    order = (KEY_STATEMENTS.c.party, KEY_STATEMENTS.c.number)
    rows = party.store.rows(sa.select(KEY_STATEMENTS.c.body).order_by(*order))
    return (*own, *(row.body for row in rows))


@lru_cache(maxsize=8)  # every call of a counterpart is held against the contracts
def by_party(bodies: tuple[str, ...]) -> Mapping[str, tuple[KeyStatement, ...]]:
    """Return statements by the key of their party's log, in order."""
    known: dict[str, tuple[KeyStatement, ...]] = {}
    for body in bodies:
        one = KeyStatement.decode(body.encode())
        known[one.party] = (*known.get(one.party, ()), one)
    return MappingProxyType(known)


class Renewals:
    """The statements of one party's counterparts."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def learn(self, cards: Sequence[IdentityCard], told: Sequence[bytes]) -> list[Learnt]:
        """Take the statements of a counterpart, whose `cards` are known here; return what is new.

        They may come from anybody: the signatures say whose they are.

        Raises:
            Refusal: they are another party's, do not follow from what is known, or contradict it.
        """
        if not told:
            return []
        try:
            if len(told) > MOST_STATEMENTS:
                raise IdentityError(f"There are more than {MOST_STATEMENTS} statements of keys.")
            chain = [KeyStatement.decode(one) for one in told]
            vkey = chain[0].party
            card = next((one for one in cards if one.identity == vkey), None)
            if card is None:
                raise IdentityError("The statement of keys is of a party that is not known here.")
            require_chain(vkey, chain)
            _require_passes(cards, vkey, chain)
        except IdentityError as error:
            raise Refusal(RefusalStatus.BAD_REQUEST, str(error)) from None
        return self._keep(card.parsed_certificate.party_name, vkey, chain)

    def exchange(
        self, cards: Sequence[IdentityCard], said: Statements
    ) -> tuple[list[Learnt], Statements]:
        """Take what a counterpart says; return what is new of it, and what this party says.

        `cards` are those of one counterpart.

        Raises:
            Refusal: as `learn`.
        """
        new = self.learn(cards, said.own)
        known = 0
        for vkey in {card.identity for card in cards}:
            self.note_told(vkey, said.known)
            known = max(known, self.known_of(vkey))
        return new, self.own(known)

    def own(self, known: int) -> Statements:
        """Return what this party says to a counterpart of which `known` statements are known."""
        return Statements(tuple(one.encode() for one in self._party.identity.statements), known)

    def known_of(self, vkey: str) -> int:
        """Return how many statements of a party are known here."""
        query = sa.select(sa.func.max(KEY_STATEMENTS.c.number).label("number"))
        row = self._party.store.row(query.where(KEY_STATEMENTS.c.party == vkey))
        return 0 if row is None or row.number is None else int(row.number)

    def told(self) -> dict[str, int]:
        """Return up to which of this party's own statements each counterpart knows them."""
        return {row.party: row.number for row in self._party.store.rows(sa.select(KEYS_TOLD))}

    def keys_towards(self, contract: Contract, peer: str) -> OwnKeys:
        """Return the keys by which this party shows itself to a counterpart: such as it knows."""
        identity = self._party.identity
        pinned = identity.place_of(contract.parties[contract.me(identity)].keys) or 0
        told = self.told().get(contract.parties[peer].identity, 0)
        return identity.keys_after(max(pinned, told))

    def note_told(self, vkey: str, number: int) -> None:
        """Record that a counterpart knows this party's statements up to `number`."""
        if self.told().get(vkey, 0) >= min(number, len(self._party.identity.statements)):
            return
        values = {"number": number, "told_at": self._party.now}

        def work(connection: Connection) -> None:
            key = KEYS_TOLD.c.party == vkey
            if connection.execute(sa.update(KEYS_TOLD).where(key).values(**values)).rowcount == 0:
                connection.execute(sa.insert(KEYS_TOLD).values(party=vkey, **values))

        self._party.store.write(work)

    def _keep(self, peer: str, vkey: str, chain: Sequence[KeyStatement]) -> list[Learnt]:
        def work(connection: Connection) -> list[Learnt] | Refusal:
            query = sa.select(KEY_STATEMENTS).where(KEY_STATEMENTS.c.party == vkey)
            known = {row.number: row.body for row in connection.execute(query)}
            new = []
            for one in chain:
                body = one.encode().decode()
                if one.number in known:
                    if KeyStatement.decode(known[one.number].encode()).digest != one.digest:
                        return self._contradicted(connection, peer)
                    continue
                connection.execute(
                    sa.insert(KEY_STATEMENTS).values(
                        party=vkey, number=one.number, body=body, known_at=self._party.now
                    )
                )
                self._party.journal.append(
                    connection, "peer.renewed", _entry(peer, one), actor=ACTOR
                )
                new.append(Learnt(peer, one))
            return new

        found = self._party.store.write(work)
        if isinstance(found, Refusal):
            raise found
        return found

    def _contradicted(self, connection: Connection, peer: str) -> Refusal:
        """Enter that somebody with a party's key contradicts what it had said."""
        status = RefusalStatus.BAD_REQUEST
        what = "a peer signed two statements of keys under one number"
        self._party.journal.append(
            connection, "incident.two_statements", Incident(status.value, what, peer), actor=ACTOR
        )
        return Refusal(
            status,
            f"another statement of '{peer}' under the same number is known here: its owner has "
            "signed two, or somebody else holds its key. Talk to them; `commonground peers revoke "
            f"{peer}` shuts it out at once",
        )


def _require_passes(
    cards: Sequence[IdentityCard], vkey: str, chain: Sequence[KeyStatement]
) -> None:
    """Require that a chain passes through the keys in each card: nobody rewrites what was pinned.

    A chain that a thief of the first key begins anew does not.
    """
    states = [chain[0].before, *(one.after for one in chain)]
    for card in cards:
        if card.identity == vkey and card.keys not in states:
            raise IdentityError(
                "The statements of keys do not lead through the keys that a contract or an "
                "invitation has pinned."
            )


def _entry(peer: str, one: KeyStatement) -> PeerRenewed:
    return PeerRenewed(
        peer=peer,
        vkey=one.party,
        number=one.number,
        signing=one.after.signing,
        certificate=one.after.fingerprint.removeprefix("sha256:"),
        statement=one.digest,
        ends=one.ends,
    )
