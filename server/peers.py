"""Who calls: the holder of a certificate that a contract in force pins.

TLS lets in only pinned certificates. Each call is checked once more here, against the contracts as
they stand now: a connection outlives a contract's end, and one party's certificate says nothing
about the contracts of another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, cast

import grpc

from party.certificate import Certificate, read_certificate
from party.contract import Contract
from party.errors import ContractError, IdentityError, Refusal, RefusalStatus
from party.identity import Identity
from server.errors import Unauthenticated

_TLS_VERSION: Final = b"TLSv1.3"


@dataclass(frozen=True)
class Caller:
    """A counterpart under one contract: the names of both sides in it."""

    own: str
    peer: str


class Peers:
    """The counterparts of one party by the contracts in force."""

    def __init__(
        self, identity: Identity, contracts: Callable[[], list[Contract]], now: Callable[[], float]
    ) -> None:
        self._identity, self._contracts, self._now = identity, contracts, now

    def certificates(self) -> dict[str, str]:
        """Return every pinned counterpart's certificate (PEM) by its fingerprint."""
        return {
            card.fingerprint: card.certificate
            for contract, own in self._own_contracts()
            for name, card in contract.parties.items()
            if name != own
        }

    def require_pinned(self, context: grpc.ServicerContext) -> str:
        """Return the fingerprint of the caller's certificate, which some contract pins.

        Raises:
            Unauthenticated: below TLS 1.3, or a certificate that is missing, expired, or pinned
                by no contract in force.
        """
        if _property(context, "ssl_tls_version") != [_TLS_VERSION]:
            raise Unauthenticated("only TLS 1.3 is spoken here")
        certificate = _presented(_property(context, "x509_pem_cert"))
        try:
            certificate.require_valid(int(self._now()))
        except IdentityError as error:
            raise Unauthenticated(str(error)) from None
        if certificate.fingerprint not in self.certificates():
            raise Unauthenticated(
                f"no contract in force here pins the certificate {certificate.fingerprint}; "
                "both sides import the contract that names it"
            )
        return certificate.fingerprint

    def under(self, fingerprint: str, contract_hash: bytes) -> Caller:
        """Return who the holder of a certificate is under a contract.

        Raises:
            Refusal: no contract in force has this hash and this certificate.
        """
        for contract, own in self._own_contracts():
            if contract.digest != contract_hash.hex():
                continue
            for name, card in contract.parties.items():
                if name != own and card.fingerprint == fingerprint:
                    return Caller(own, name)
        raise Refusal(
            RefusalStatus.CONTRACT_UNKNOWN,
            f"no contract {contract_hash.hex()[:16]}… with the caller is signed and in force here; "
            "both sides import the same signed file",
        )

    def _own_contracts(self) -> Iterable[tuple[Contract, str]]:
        """Yield the contracts that name this party with its present certificate, and its name."""
        for contract in self._contracts():
            try:
                yield contract, contract.me(self._identity)
            except ContractError:
                continue


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
