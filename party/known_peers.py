"""Counterparts whose keys this party has pinned, by name, before or beside any contract.

A pinned peer may be drafted a contract with and may look at this party with `doctor --peer`;
nothing else follows from it. A name belongs to one identity: other keys under it are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import PeerPinned
from party.card import IdentityCard
from party.errors import ContractError, InvitationError
from party.schema import PEERS

if TYPE_CHECKING:
    from party.organisation import Organisation

How = Literal["invited", "joined"]


class KnownPeers:
    """The peers of one party."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def cards(self) -> dict[str, IdentityCard]:
        """Return every pinned card by the peer's name."""
        rows = self._party.store.rows(sa.select(PEERS).order_by(PEERS.c.name))
        return {row.name: _read(row.name, row.card) for row in rows}

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
        if known is not None and known.fingerprint != fingerprint:
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
        key = PEERS.c.name == name
        row = connection.execute(sa.select(PEERS).where(key)).first()
        if row is not None:
            known = _read(name, row.card)
            if known == card:
                return
            same = (known.identity, known.fingerprint) == (card.identity, card.fingerprint)
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


def _read(name: str, card: str) -> IdentityCard:
    return IdentityCard.parse(card.encode(), source=f"the stored card of {name}")


def _taken(name: str) -> InvitationError:
    return InvitationError(
        f"'{name}' is pinned already with other keys. If it made its party anew, and you know so "
        "from its people themselves, use --replace; otherwise somebody uses its name"
    )
