"""A counterpart with which nothing is done any more, at once, whatever contracts say.

It is known by the key of its log, so replacing its keys changes nothing. From the transaction on
that enters `peer.revoked` its certificates are let in no longer, its requests and those to it are
refused, and no session under a contract that names it charges, discloses or releases anything:
every one of these transactions asks here. Sessions that run end at their next step. What was
delivered before stays with both sides. `restore` takes it back, and nothing else does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import PeerRestored, PeerRevoked
from audit.errors import EntryError
from audit.roles import BY_HAND, Role
from languages import message
from party.errors import ContractError, InvitationError, Refusal, RefusalStatus
from party.schema import REVOKED

if TYPE_CHECKING:
    from party.card import IdentityCard
    from party.contract import Contract
    from party.organisation import Organisation


@dataclass(frozen=True)
class Revoked:
    """A counterpart that is revoked: by which name, since when (Unix seconds), and why.

    `party` is the key of its log.
    """

    party: str
    name: str
    reason: str
    since: int


def revoked(connection: Connection) -> dict[str, Revoked]:
    """Return who is revoked, by the key of its log, within a transaction."""
    return {row.party: Revoked(*row) for row in connection.execute(sa.select(REVOKED))}


def names_revoked(connection: Connection, contract: Contract) -> str | None:
    """Say which counterpart of a contract is revoked, None for none."""
    found = revoked(connection)
    for name, card in contract.parties.items():
        if card.identity in found:
            return (
                f"'{name}' of contract {contract.id} is revoked here, and nothing is done with it "
                f"any more; `commonground peers restore {found[card.identity].name}` takes that "
                "back"
            )
    return None


def require_none_revoked(connection: Connection, contract: Contract) -> None:
    """Raise ContractError where a contract names a counterpart that is revoked."""
    said = names_revoked(connection, contract)
    if said is not None:
        raise ContractError(said)


def refuse_revoked(connection: Connection, contract: Contract) -> None:
    """Raise Refusal (DECLINED) where a contract names a counterpart that is revoked."""
    said = names_revoked(connection, contract)
    if said is not None:
        raise Refusal(RefusalStatus.DECLINED, said)


class Revocations:
    """Who is revoked at one party."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def all(self) -> list[Revoked]:
        """Return who is revoked, by name."""
        found = self._party.store.read(revoked)
        return sorted(found.values(), key=lambda one: (one.name, one.party))

    def lets_in(self, card: IdentityCard) -> bool:
        """Say whether the party of a card is not revoked."""
        return card.identity not in self._party.store.read(revoked)

    def revoke(self, name: str, reason: str) -> int:
        """Revoke a counterpart and end what is under way with it; return how much that was.

        Again it ends what may have begun meanwhile; the first reason stays.

        Raises:
            InvitationError: nobody of this name is known here, or the reason cannot be logged.
        """
        self._party.access.require(Role.OPERATOR, "peer.revoke")
        party = self._named(name)
        body = _entry(PeerRevoked, name, party, reason)

        def work(connection: Connection) -> None:
            if party in revoked(connection):
                return
            connection.execute(
                sa.insert(REVOKED).values(
                    party=party, name=name, reason=reason, revoked_at=self._party.now
                )
            )
            self._party.journal.append(connection, "peer.revoked", body, actor=BY_HAND)

        self._party.store.write(work)
        return self._end_all(party)

    def restore(self, name: str, reason: str) -> Revoked:
        """Take a revocation back: contracts and invitations say again what it may do.

        What has ended stays ended.

        Raises:
            InvitationError: nobody of this name is revoked, or the reason cannot be logged.
        """
        self._party.access.require(Role.OPERATOR, "peer.restore")
        found = next((one for one in self.all() if one.name == name), None)
        if found is None:
            known = ", ".join(one.name for one in self.all()) or "nobody"
            raise InvitationError(
                message(
                    "'{name}' is not revoked here (revoked: {known})",
                    name=name,
                    known=known,
                )
            )
        body = _entry(PeerRestored, name, found.party, reason)

        def work(connection: Connection) -> None:
            gone = sa.delete(REVOKED).where(REVOKED.c.party == found.party)
            if connection.execute(gone).rowcount:
                self._party.journal.append(connection, "peer.restored", body, actor=BY_HAND)

        self._party.store.write(work)
        return found

    def _named(self, name: str) -> str:
        """Return the log's key of a counterpart: one that is let in, or that a contract names."""
        from party.known_peers import KnownPeers

        keys = {one.card.identity for one in KnownPeers(self._party).peers() if one.name == name}
        keys |= {one.party for one in self.all() if one.name == name}
        for contract in () if keys else self._party.contracts():
            card = contract.parties.get(name)
            if card is not None and card.identity != self._party.identity.vkey:
                keys.add(card.identity)
        if len(keys) != 1:
            what = "nobody" if not keys else "more than one party"
            raise InvitationError(
                message(
                    "{what} is known here under the name '{name}': see `commonground peers list`",
                    what=what,
                    name=name,
                )
            )
        return keys.pop()

    def _end_all(self, party: str) -> int:
        """End every request under a contract that names a party and that has not ended."""
        from party.desk import Desk
        from party.filing import Filing

        desk, ended = Desk(self._party), 0
        for filed in Filing(self._party).open():
            contract = self._party.contract(filed.request.contract)
            if all(card.identity != party for card in contract.parties.values()):
                continue
            desk.end_here(filed, Refusal(RefusalStatus.DECLINED, "the other party is revoked here"))
            ended += 1
        return ended


def _entry(
    kind: type[PeerRevoked | PeerRestored], name: str, party: str, reason: str
) -> PeerRevoked | PeerRestored:
    try:
        return kind(peer=name, vkey=party, reason=reason)
    except EntryError as error:
        raise InvitationError(
            message(
                "the reason goes into the log, and cannot: {error}",
                error=error,
            )
        ) from None
