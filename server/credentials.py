"""Mutual TLS 1.3 in which a client needs a certificate that this party knows.

Each handshake asks for contracts, pinned peers and invitations as they stand, so a contract that
is imported while the server runs is served at once, and one that has ended lets nobody new in.
"""

from __future__ import annotations

import grpc

from party.identity import Identity
from party.tls import require_tls13
from server.peers import Peers


def server_credentials(identity: Identity, peers: Peers) -> grpc.ServerCredentials:
    """Return credentials with the party's certificate, and its counterparts' as the only roots."""
    require_tls13()
    pinned = _Pinned(identity, peers)
    return grpc.dynamic_ssl_server_credentials(
        pinned.configuration(),
        pinned.changed,  # type: ignore[arg-type]  # the stubs lack None, for no change
        require_client_authentication=True,
    )


class _Pinned:
    """The configuration for the next handshake."""

    def __init__(self, identity: Identity, peers: Peers) -> None:
        self._identity, self._peers = identity, peers
        self._served = self._roots()

    def configuration(self) -> grpc.ServerCertificateConfiguration:
        """Return the configuration with the roots as they were last read."""
        return grpc.ssl_server_certificate_configuration(
            [(self._identity.tls_key_pem(), self._identity.certificate.pem.encode())],
            root_certificates=self._served,
        )

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """Return a new configuration when who is known has changed, or None."""
        roots = self._roots()
        if roots == self._served:
            return None
        self._served = roots
        return self.configuration()

    def _roots(self) -> bytes:
        """Return the known certificates; without any, the own one, which only we hold."""
        pinned = self._peers.certificates()
        texts = [pinned[fingerprint] for fingerprint in sorted(pinned)]
        return "".join(texts or [self._identity.certificate.pem]).encode()
