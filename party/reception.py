"""Who is let in before a contract names them: holders of an invitation, and pinned peers.

An invitation is kept as its certificate, from which the code does not follow. It is used up in
the transaction that pins whoever used it. One that was used, was withdrawn or has ended stays for
a while, so that its holder hears why it does not serve.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.roles import Role
from party.card import IdentityCard
from party.errors import InvitationError, Refusal, RefusalStatus, SettingsError
from party.identity import PARTY_NAME
from party.introduction import MOST_STATED_BYTES, Introduction, read_stored, to_json
from party.invitation import SCHEME, Invitation, short_id
from party.known_peers import KnownPeers, user_of
from party.revocation import Revocations
from party.schema import INVITATIONS

if TYPE_CHECKING:
    from party.organisation import Organisation

HOUR_SECONDS: Final = 3600
KEPT_SECONDS: Final = 30 * 86_400
"""How long an invitation that has ended is remembered."""


@dataclass(frozen=True)
class Issued:
    """An invitation as its maker keeps it, without the code; times are Unix seconds.

    `fingerprint` is that of the code's certificate; `id` begins its digits. `used_by` is the
    fingerprint of whoever came, and `peer` the name under which it is pinned now, if it is.
    `datasets` are the names of those that the joiner is told of.
    """

    fingerprint: str
    for_name: str | None
    replaces: bool
    made_at: int
    ends_at: int
    used_at: int | None
    used_by: str | None
    peer: str | None
    withdrawn_at: int | None
    datasets: tuple[str, ...]

    @property
    def id(self) -> str:
        """The name by which it is withdrawn."""
        return short_id(self.fingerprint)

    def state(self, now: int) -> str:
        """Return `open`, `used`, `withdrawn` or `ended`; a withdrawn one may have been used."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.used_at is not None:
            return "used"
        return "open" if now < self.ends_at else "ended"


@dataclass(frozen=True)
class Welcomed:
    """Who used an invitation, and this party's introduction in return."""

    peer: str
    fingerprint: str
    answer: bytes


class Reception:
    """Makes a party's invitations and takes in who uses them."""

    def __init__(self, party: Organisation) -> None:
        self._party, self._known = party, KnownPeers(party)

    def invite(
        self,
        *,
        hours: int,
        for_name: str | None,
        replace: bool,
        datasets: Collection[str] = (),
    ) -> Invitation:
        """Make an invitation that ends after so many hours, for one name where one is given.

        It ends sooner where another certificate than the one in its line comes into use sooner.
        Whoever joins is told what `datasets` hold, as a contract states it.

        Raises:
            SettingsError: this party has no address at which it could be joined.
            InvitationError: the name does not serve, or the datasets are too much to tell.
            DatasetError: a dataset is not registered.
        """
        self._party.access.require(Role.OPERATOR, "peer.invite")
        address = self._party.own_card().address
        if address is None:
            raise SettingsError(
                "this party only dials, so nobody can join it: let the other side invite, or make "
                "the party with --listen"
            )
        if for_name is not None and PARTY_NAME.fullmatch(for_name) is None:
            raise InvitationError(f"{for_name!r} is no party's name")
        if replace and for_name is None:
            raise InvitationError("--replace needs --for NAME: whose keys may be replaced")
        invitation = Invitation.make(address, self._party.identity.fingerprint)
        now = self._party.now
        row = {
            "fingerprint": invitation.certificate.fingerprint,
            "certificate": invitation.certificate.pem,
            "for_name": for_name,
            "replaces": int(replace),
            "made_at": now,
            "ends_at": min([now + hours * HOUR_SECONDS, *self._certificates_to_come()]),
            "datasets": self._stated(datasets),
        }

        def work(connection: Connection) -> None:
            old = INVITATIONS.c.ends_at < now - KEPT_SECONDS
            connection.execute(sa.delete(INVITATIONS).where(old))
            connection.execute(sa.insert(INVITATIONS).values(**row))

        self._party.store.write(work)
        return invitation

    def _certificates_to_come(self) -> list[int]:
        """Return when certificates come into use that are made and not in use yet."""
        return [
            one.starts
            for one in self._party.identity.statements
            if one.starts > self._party.now and not one.replaces_signing_key
        ]

    def _stated(self, names: Collection[str]) -> str | None:
        """Return what the joiner will be told of datasets, as JSON text."""
        if not names:
            return None
        from party.offered import offered_of

        text = json.dumps(to_json(offered_of(self._party, names)))
        if len(text.encode()) > MOST_STATED_BYTES:
            raise InvitationError(
                f"what {', '.join(names)} hold is too long for an invitation: the labels have too "
                "many values. Offer fewer, and fill the others into the contract by hand"
            )
        return text

    def invitations(self) -> dict[str, str]:
        """Return the certificates (PEM) of all invitations by their fingerprints."""
        query = sa.select(INVITATIONS.c.fingerprint, INVITATIONS.c.certificate)
        return {row.fingerprint: row.certificate for row in self._party.store.rows(query)}

    def issued(self) -> list[Issued]:
        """Return the invitations that are remembered, newest first."""
        rows = self._party.store.rows(
            sa.select(INVITATIONS).order_by(
                INVITATIONS.c.made_at.desc(),
                INVITATIONS.c.ends_at.desc(),
                INVITATIONS.c.fingerprint,
            )
        )
        pinned = {card.fingerprint: name for name, card in self._known.cards().items()}
        return [_issued(row, pinned) for row in rows]

    def withdraw(self, wanted: str) -> Issued:
        """Let an open invitation serve nobody, and return it.

        `wanted` is its id, its id's first digits, or its line.

        Raises:
            InvitationError: there is none such or more than one, or it is not open any more.
        """
        self._party.access.require(Role.OPERATOR, "invitation.withdraw")
        fingerprint = self.find(wanted).fingerprint
        key = INVITATIONS.c.fingerprint == fingerprint

        def work(connection: Connection) -> None:
            row = connection.execute(sa.select(INVITATIONS).where(key)).one()
            _require_withdrawable(_issued(row, {}), self._party.now)
            connection.execute(
                sa.update(INVITATIONS).where(key).values(withdrawn_at=self._party.now)
            )

        self._party.store.write(work)
        return self.find(fingerprint.removeprefix("sha256:"))

    def find(self, wanted: str) -> Issued:
        """Return the one invitation that is meant by its id, its first digits, or its line.

        Raises:
            InvitationError: there is none such, or more than one.
        """
        if wanted.startswith(SCHEME):
            wanted = Invitation.parse(wanted).certificate.fingerprint
        digits = wanted.removeprefix("sha256:")
        found = [
            one
            for one in self.issued()
            if digits and one.fingerprint.removeprefix("sha256:").startswith(digits)
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise InvitationError(f"several invitations begin with {digits}: give more digits")
        raise InvitationError(
            f"there is no invitation {digits[:64]} here: `commonground invitations "
            "list` shows those that are remembered"
        )

    def peers(self) -> dict[str, IdentityCard]:
        """Return the cards of pinned peers by name, but for who is revoked."""
        lets_in = Revocations(self._party).lets_in
        return {name: card for name, card in self._known.cards().items() if lets_in(card)}

    def welcome(self, invitation: str, introduction: bytes) -> Welcomed:
        """Pin whoever holds the invitation with this fingerprint, and use it up.

        The same party may come again: its answer may have been lost.

        Raises:
            Refusal: the invitation does not serve, or the introduction is not the caller's own.
        """
        theirs = Introduction.decode(introduction)
        theirs.verify(invitation=invitation, part="joiner")
        if theirs.card.identity == self._party.identity.vkey:
            raise Refusal(RefusalStatus.BAD_REQUEST, "a party does not join itself")
        stated = self._party.store.write(lambda connection: self._use(connection, theirs))
        answer = Introduction.make(
            self._party.identity,
            self._party.own_card(),
            invitation=invitation,
            part="maker",
            datasets=read_stored(stated) if stated else {},
        )
        return Welcomed(theirs.name, theirs.card.fingerprint, answer.encode())

    def _use(self, connection: Connection, theirs: Introduction) -> str | None:
        """Pin a joiner and use its invitation up; return what it is told of datasets."""
        key = INVITATIONS.c.fingerprint == theirs.invitation
        row = connection.execute(sa.select(INVITATIONS).where(key)).first()
        user = user_of(theirs.card)
        if row is not None and row.used_by == user and row.withdrawn_at is None:
            return cast("str | None", row.datasets)
        row = self._require_open(row, theirs.name)
        try:
            self._known.pin(
                connection, theirs.card, "invited", actor="invitation", replace=bool(row.replaces)
            )
        except InvitationError as error:
            raise Refusal(RefusalStatus.DECLINED, f"at the other party, {error}") from None
        used = {"used_by": user, "used_at": self._party.now}
        connection.execute(sa.update(INVITATIONS).where(key).values(**used))
        return cast("str | None", row.datasets)

    def _require_open(self, row: sa.Row[Any] | None, name: str) -> sa.Row[Any]:
        """Return an invitation that a party of this name may use, or refuse it."""
        if row is not None and row.withdrawn_at is not None:
            raise Refusal(
                RefusalStatus.EXPIRED,
                "this invitation was withdrawn by the party that made it; ask for a new one",
            )
        if row is None or row.used_by is not None:
            raise Refusal(
                RefusalStatus.EXPIRED,
                "this invitation has been used by another party. If nobody of yours used it, tell "
                "whoever sent it to you that its line was read by others; ask for a new one",
            )
        if row.ends_at <= self._party.now:
            raise Refusal(RefusalStatus.EXPIRED, "this invitation has ended; ask for a new one")
        if row.for_name not in (None, name):
            raise Refusal(
                RefusalStatus.NOT_GRANTED,
                f"this invitation is for the party '{row.for_name}', and yours is named '{name}'; "
                "ask for one of your own",
            )
        return row


def end_invitations(connection: Connection, moment: int) -> None:
    """Let open invitations end when the certificate in their lines goes out of use, if not before.

    Who dials then finds another certificate, and says nothing to it.
    """
    open_after = sa.and_(
        INVITATIONS.c.used_at.is_(None),
        INVITATIONS.c.withdrawn_at.is_(None),
        INVITATIONS.c.ends_at > moment,
    )
    connection.execute(sa.update(INVITATIONS).where(open_after).values(ends_at=moment))


def _issued(row: sa.Row[Any], pinned: Mapping[str, str]) -> Issued:
    """Return an invitation from its row; `pinned` has the names of peers by fingerprint."""
    used_by = None if row.used_by is None else row.used_by.split(" ")[1]
    return Issued(
        fingerprint=row.fingerprint,
        for_name=row.for_name,
        replaces=bool(row.replaces),
        made_at=row.made_at,
        ends_at=row.ends_at,
        used_at=row.used_at,
        used_by=used_by,
        peer=pinned.get(used_by or ""),
        withdrawn_at=row.withdrawn_at,
        datasets=tuple(json.loads(row.datasets)) if row.datasets else (),
    )


def _require_withdrawable(issued: Issued, now: int) -> None:
    state = issued.state(now)
    if state == "used":
        raise InvitationError(
            f"the invitation {issued.id} has been used; to let whoever came with it in no longer, "
            "see `commonground peers list` and `commonground peers forget NAME`"
        )
    if state != "open":
        how = "was withdrawn already" if state == "withdrawn" else "has ended by itself"
        raise InvitationError(f"the invitation {issued.id} {how}; nobody can use it")
