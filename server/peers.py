"""Who calls: the holder of a certificate that a contract in force pins, or almost so.

TLS lets in only known certificates. Each call is checked once more here, against what stands now:
a connection outlives a contract's end, and one party's certificate says nothing about the
contracts of another. A peer that an invitation has pinned may ask less than a party of a contract,
and the holder of an invitation may only join.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol, cast

import grpc

from party.card import IdentityCard
from party.certificate import Certificate, read_certificate
from party.contract import Contract
from party.errors import ContractError, IdentityError, Refusal, RefusalStatus
from party.identity import Identity
from party.reception import Welcomed
from server.errors import Unauthenticated

_TLS_VERSION: Final = b"TLSv1.3"


@dataclass(frozen=True)
class Caller:
    """A counterpart under one contract: the names of both sides in it."""

    own: str
    peer: str


class Reception(Protocol):
    """Who is let in before a contract names them (`party.reception`)."""

    def invitations(self) -> dict[str, str]:
        """Return the certificates (PEM) of invitations by their fingerprints."""

    def peers(self) -> dict[str, IdentityCard]:
        """Return the cards of pinned peers by name."""

    def welcome(self, invitation: str, introduction: bytes) -> Welcomed:
        """Pin the holder of an invitation, and use it up."""


class Peers:
    """The counterparts of one party by the contracts in force, and whom its reception knows."""

    def __init__(
        self,
        identity: Identity,
        contracts: Callable[[], list[Contract]],
        now: Callable[[], float],
        reception: Reception | None = None,
        ended: Callable[[], list[Contract]] | None = None,
    ) -> None:
        """Take what stands now; `ended` are contracts under which a list may still be out."""
        self._identity, self._contracts, self._now = identity, contracts, now
        self._ended = ended
        self._reception = reception

    def certificates(self) -> dict[str, str]:
        """Return every certificate (PEM) that TLS lets in, by its fingerprint."""
        invited = {} if self._reception is None else self._reception.invitations()
        return {**invited, **self._of_lists(), **self._known()}

    def _known(self) -> dict[str, str]:
        cards = {} if self._reception is None else self._reception.peers()
        return {**self._accepted(cards.values()), **self._of_contracts()}

    def _of_contracts(self) -> dict[str, str]:
        return self._certificates(self._own_contracts())

    def _of_lists(self) -> dict[str, str]:
        return {**self._certificates(self._with_lists()), **self._of_contracts()}

    def require_pinned(self, context: grpc.ServicerContext) -> str:
        """Return the fingerprint of the caller's certificate, which some contract pins.

        Raises:
            Unauthenticated: below TLS 1.3, or a certificate that is missing, expired, or pinned
                by no contract in force.
        """
        return self._require_among(self._of_contracts, context)

    def require_list_party(self, context: grpc.ServicerContext) -> str:
        """Return the caller's fingerprint, also where the contract has ended before its list.

        Raises:
            Unauthenticated: as `require_pinned`.
        """
        return self._require_among(self._of_lists, context)

    def require_known(self, context: grpc.ServicerContext) -> str:
        """Return the caller's fingerprint, which a contract or an invitation has pinned.

        Raises:
            Unauthenticated: as `require_pinned`.
        """
        return self._require_among(self._known, context)

    def require_let_in(self, context: grpc.ServicerContext) -> str:
        """Return the caller's fingerprint: a contract, a list under one, or an invitation pins it.

        Raises:
            Unauthenticated: as `require_pinned`.
        """
        return self._require_among(lambda: {**self._of_lists(), **self._known()}, context)

    def require_invited(self, context: grpc.ServicerContext) -> str:
        """Return the fingerprint of the invitation that the caller holds.

        Raises:
            Unauthenticated: below TLS 1.3, or another certificate.
        """
        certificate = self._valid(context)
        if self._reception is None or certificate.fingerprint not in self._reception.invitations():
            raise Unauthenticated("the caller holds no invitation; only its holder joins")
        return certificate.fingerprint

    def contracts_with(self, fingerprint: str) -> tuple[str, ...]:
        """Return the hashes of the contracts in force that pin a counterpart's certificate."""
        return tuple(
            contract.digest
            for contract, own in self._own_contracts()
            if any(
                name != own and self._shows(card, fingerprint)
                for name, card in contract.parties.items()
            )
        )

    def known_as(self, context: grpc.ServicerContext) -> tuple[str, str | None] | None:
        """Return the caller's name and the hash of a contract that gives it, newest first.

        Without a contract it is the name of a pinned peer; None for who has no name here.
        """
        fingerprint = self._valid(context).fingerprint
        for contract, own in [*self._own_contracts(), *self._with_lists()]:
            for name, card in contract.parties.items():
                if name != own and self._shows(card, fingerprint):
                    return name, contract.digest
        cards = {} if self._reception is None else self._reception.peers()
        names = [name for name, card in cards.items() if self._shows(card, fingerprint)]
        return (names[0], None) if names else None

    def cards_of(self, fingerprint: str) -> list[IdentityCard]:
        """Return the cards here of the party with this certificate, by contracts and pins."""
        cards = [] if self._reception is None else list(self._reception.peers().values())
        for contract, own in (*self._own_contracts(), *self._with_lists()):
            cards += [card for name, card in contract.parties.items() if name != own]
        return [card for card in cards if self._shows(card, fingerprint)]

    def _require_among(
        self, known: Callable[[], dict[str, str]], context: grpc.ServicerContext
    ) -> str:
        certificate = self._valid(context)
        if certificate.fingerprint not in known():
            raise Unauthenticated(
                f"no contract in force here pins the certificate {certificate.fingerprint}; "
                "both sides import the contract that names it"
            )
        return certificate.fingerprint

    def _valid(self, context: grpc.ServicerContext) -> Certificate:
        """Return the certificate that the caller showed, which is valid now."""
        if _property(context, "ssl_tls_version") != [_TLS_VERSION]:
            raise Unauthenticated("only TLS 1.3 is spoken here")
        certificate = _presented(_property(context, "x509_pem_cert"))
        try:
            certificate.require_valid(int(self._now()))
        except IdentityError as error:
            raise Unauthenticated(str(error)) from None
        return certificate

    def under(self, fingerprint: str, contract_hash: bytes) -> Caller:
        """Return who the holder of a certificate is under a contract.

        Raises:
            Refusal: no contract in force has this hash and this certificate.
        """
        return self._caller(self._own_contracts(), fingerprint, contract_hash)

    def under_list(self, fingerprint: str, contract_hash: bytes) -> Caller:
        """Return the same where the contract may have ended before a list under it.

        Raises:
            Refusal: as `under`.
        """
        contracts = [*self._own_contracts(), *self._with_lists()]
        return self._caller(contracts, fingerprint, contract_hash)

    def _own_contracts(self) -> Iterable[tuple[Contract, str]]:
        """Yield the contracts that name this party, and its name."""
        return self._mine(self._contracts())

    def _with_lists(self) -> Iterable[tuple[Contract, str]]:
        return self._mine([] if self._ended is None else self._ended())

    def _mine(self, contracts: Iterable[Contract]) -> Iterable[tuple[Contract, str]]:
        for contract in contracts:
            try:
                yield contract, contract.me(self._identity)
            except ContractError:
                continue

    def _caller(
        self, contracts: Iterable[tuple[Contract, str]], fingerprint: str, contract_hash: bytes
    ) -> Caller:
        for contract, own in contracts:
            if contract.digest != contract_hash.hex():
                continue
            for name, card in contract.parties.items():
                if name != own and self._shows(card, fingerprint):
                    return Caller(own, name)
        raise Refusal(
            RefusalStatus.CONTRACT_UNKNOWN,
            f"no contract {contract_hash.hex()[:16]}… with the caller is signed and in force here; "
            "both sides import the same signed file",
        )

    def _certificates(self, contracts: Iterable[tuple[Contract, str]]) -> dict[str, str]:
        """Return the counterparts' accepted certificates (PEM) by their fingerprints."""
        return self._accepted(
            card
            for contract, own in contracts
            for name, card in contract.parties.items()
            if name != own
        )

    def _accepted(self, cards: Iterable[IdentityCard]) -> dict[str, str]:
        """Return the certificates (PEM) that cards accept now, replaced ones to their end."""
        return {
            certificate.fingerprint: certificate.pem
            for card in cards
            for certificate in card.certificates(self._now())
        }

    def _shows(self, card: IdentityCard, fingerprint: str) -> bool:
        """Say whether a certificate is one that a card accepts now."""
        return any(one.fingerprint == fingerprint for one in card.certificates(self._now()))


def _property(context: grpc.ServicerContext, name: str) -> list[bytes]:
    """Return what TLS found out about the connection under `name`, or nothing."""
    return list(cast("Iterable[bytes]", context.auth_context().get(name, ())))


def _presented(texts: Iterable[bytes]) -> Certificate:
    for text in texts:
        try:
            return read_certificate(text.decode("ascii"))
        except (IdentityError, UnicodeDecodeError):
            break
    raise Unauthenticated("the caller presented no certificate of a party")
