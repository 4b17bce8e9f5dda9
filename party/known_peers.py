"""Counterparts whose keys this party has pinned, by name, before or beside any contract.

A pinned peer may be drafted a contract with and may look at this party with `doctor --peer`;
nothing else follows from it. A name belongs to one identity: other keys under it are refused. A
peer can be forgotten once no contract pins its keys; what was done with it stays, as evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import PeerForgotten, PeerPinned
from audit.roles import BY_HAND, Role
from party.card import IdentityCard
from party.errors import ContractError, InvitationError
from party.renewals import by_party, known_statements
from party.revocation import Revoked, revoked
from party.schema import INVITATIONS, PEERS

if TYPE_CHECKING:
    from party.contract import Contract
    from party.organisation import Organisation

How = Literal["invited", "joined"]


@dataclass(frozen=True)
class Peer:
    """A counterpart that this party lets in: its card, and why.

    `pinned_at` (Unix seconds) is when an invitation pinned it, None where contracts alone do;
    `contracts` are the ids of contracts that pin its keys and have not ended. While it is
    `revoked` nothing is done with it.
    """

    name: str
    card: IdentityCard
    pinned_at: int | None
    contracts: tuple[str, ...]
    revoked: Revoked | None = None


@dataclass(frozen=True)
class _Agreed:
    """A party of contracts that have not ended: its name in the newest, and their ids."""

    name: str
    card: IdentityCard
    contracts: list[str] = field(default_factory=list)


class KnownPeers:
    """The peers of one party."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def cards(self) -> dict[str, IdentityCard]:
        """Return every pinned card by the peer's name."""
        rows = self._party.store.rows(sa.select(PEERS).order_by(PEERS.c.name))
        known = by_party(known_statements(self._party))
        return {row.name: _read(row.name, row.card).knowing(known) for row in rows}

    def peers(self) -> list[Peer]:
        """Return everybody who is let in, by name: pinned peers, and parties of contracts.

        Raises:
            StoredContractError: a stored contract is not what was signed.
        """
        agreed, pinned = self._agreed(), self.cards()
        shut_out = self._party.store.read(revoked)
        rows = self._party.store.rows(sa.select(PEERS.c.name, PEERS.c.pinned_at))
        found = []
        for row in rows:
            card = pinned[row.name]
            contracts = agreed.pop(card.identity, _Agreed(row.name, card)).contracts
            found.append((row.name, card, row.pinned_at, contracts))
        found += [(it.name, it.card, None, it.contracts) for it in agreed.values()]
        peers = [
            Peer(name, card, pinned_at, tuple(contracts), shut_out.get(card.identity))
            for name, card, pinned_at, contracts in found
        ]
        return sorted(peers, key=lambda peer: (peer.name, peer.card.fingerprint))

    def forget(self, name: str) -> int:
        """Take a peer's pin away and log it; return how many open invitations went with it.

        Requests, results, lists and log entries stay as they are. Its invitations serve no longer.

        Raises:
            InvitationError: nobody of this name is pinned, or a contract that has not ended pins
                the same keys and would let them in.
        """
        self._party.access.require(Role.OPERATOR, "peer.forget")
        card = self._to_forget(name)
        user, now = user_of(card), self._party.now
        body = PeerForgotten(name, card.identity, card.fingerprint.removeprefix("sha256:"))
        standing = INVITATIONS.c.withdrawn_at.is_(None)
        unused = sa.and_(INVITATIONS.c.used_by.is_(None), INVITATIONS.c.ends_at > now)
        its_own = sa.and_(unused, INVITATIONS.c.for_name == name)

        def work(connection: Connection) -> int:
            row = connection.execute(sa.select(PEERS).where(PEERS.c.name == name)).first()
            if row is None or _read(name, row.card) != card:
                raise InvitationError(f"'{name}' was changed a moment ago; look at it again")
            connection.execute(sa.delete(PEERS).where(PEERS.c.name == name))
            withdrawn = sa.update(INVITATIONS).values(withdrawn_at=now)
            connection.execute(withdrawn.where(standing, INVITATIONS.c.used_by == user))
            open_ones = connection.execute(withdrawn.where(standing, its_own)).rowcount
            self._party.journal.append(connection, "peer.forgotten", body, actor=BY_HAND)
            return open_ones

        return self._party.store.write(work)

    def require_pinned_keys(self, contract: Contract) -> None:
        """Refuse a contract that gives the name of a pinned peer to another identity.

        Raises:
            ContractError: it does, so the draft was made with somebody else's card.
        """
        for name, pinned in self.cards().items():
            named = contract.parties.get(name)
            if named is not None and named.identity != pinned.identity:
                raise ContractError(
                    f"contract {contract.id} names '{name}' with another identity key than the one "
                    "that an invitation has pinned here. Ask them, by a way that you trust, for "
                    "the fingerprint of their card. If they have made new keys, forget the old "
                    f"ones (`commonground peers forget {name}`); otherwise draft the contract anew"
                )

    def _to_forget(self, name: str) -> IdentityCard:
        peers = self.peers()
        named = [peer for peer in peers if peer.name == name]
        pinned = next((peer for peer in named if peer.pinned_at is not None), None)
        if pinned is None and not named:
            known = ", ".join(peer.name for peer in peers if peer.pinned_at is not None)
            raise InvitationError(
                f"no invitation has pinned a peer named '{name}' here (pinned: {known or 'none'})"
            )
        contracts = (pinned or named[0]).contracts
        if pinned is None or contracts:
            raise InvitationError(
                f"'{name}' is not forgotten: a contract ({', '.join(contracts)}) pins its keys and "
                "lets it in until it ends. `commonground contract show` says when; until then "
                "refuse what it asks (`commonground requests refuse`)"
            )
        return pinned.card

    def _agreed(self) -> dict[str, _Agreed]:
        """Return whose keys contracts that have not ended pin, by the key of its log."""
        agreed: dict[str, _Agreed] = {}
        for contract in self._party.contracts():
            if contract.ends <= self._party.now:
                continue
            for name, card in contract.parties.items():
                if card.identity != self._party.identity.vkey:
                    one = agreed.setdefault(card.identity, _Agreed(name, card))
                    one.contracts.append(contract.id)
        return agreed

    def card(self, name: str) -> IdentityCard:
        """Return a peer's card.

        Raises:
            ContractError: nobody of this name is pinned.
        """
        found = self.cards()
        if name not in found:
            known = ", ".join(found) or "none"
            raise ContractError(
                f"there is no file {name}, and no peer of this name is known here (known: {known})."
                " Give the counterpart's public.yaml, or the name of a peer that joined"
            )
        return found[name]

    def require_free(self, name: str, fingerprint: str) -> None:
        """Raise InvitationError when a name is another's: a peer's or this party's own."""
        self._require_not_own(name)
        known = self.cards().get(name)
        if known is not None and not known.has_had(fingerprint):
            raise _taken(name)

    def pin(
        self, connection: Connection, card: IdentityCard, how: How, *, actor: str, replace: bool
    ) -> None:
        """Store a peer's card, and log it; the same card again changes nothing.

        Raises:
            InvitationError: the name is another's; with `replace`, only if it is one's own.
        """
        name = card.parsed_certificate.party_name
        self._require_not_own(name)
        if card.identity in revoked(connection):
            raise InvitationError(
                f"'{name}' is revoked here, and its keys are not pinned; `commonground peers "
                f"restore {name}` takes that back"
            )
        key = PEERS.c.name == name
        row = connection.execute(sa.select(PEERS).where(key)).first()
        if row is not None:
            known = _read(name, row.card)
            if known == card:
                return
            renewed = known.knowing(by_party(known_statements(self._party)))
            same = known.identity == card.identity and renewed.has_had(card.fingerprint)
            if not same and not replace:
                raise _taken(name)
        values = {"card": card.to_yaml(), "pinned_at": self._party.now}
        if row is None:
            connection.execute(sa.insert(PEERS).values(name=name, **values))
        else:
            connection.execute(sa.update(PEERS).where(key).values(**values))
        body = PeerPinned(name, card.identity, card.fingerprint.removeprefix("sha256:"), how)
        self._party.journal.append(connection, "peer.pinned", body, actor=actor)

    def _require_not_own(self, name: str) -> None:
        if name == self._party.identity.name:
            raise InvitationError(
                f"both parties are named '{name}', and a contract tells its parties apart by name:"
                " one of them makes its party under another name"
            )


def user_of(card: IdentityCard) -> str:
    """Return how an invitation remembers who used it: by both keys."""
    return f"{card.identity} {card.fingerprint}"


def _read(name: str, card: str) -> IdentityCard:
    return IdentityCard.parse(card.encode(), source=f"the stored card of {name}")


def _taken(name: str) -> InvitationError:
    return InvitationError(
        f"'{name}' is pinned already with other keys. If it made its party anew, and you know so "
        "from its people themselves, use --replace; otherwise somebody uses its name"
    )
