"""Mutual TLS 1.3 in which a client needs a certificate that this party knows.

Each handshake asks for contracts, pinned peers and invitations as they stand, so a contract that
is imported while the server runs is served at once, and one that has ended lets nobody new in. So
it is with the own key and certificate, which may be replaced meanwhile.
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
        self._served = self._now()

    def configuration(self) -> grpc.ServerCertificateConfiguration:
        """Return the configuration with own certificate and roots as they were last read."""
        return grpc.ssl_server_certificate_configuration(
            [(self._identity.tls_key_pem(), self._served[0])], root_certificates=self._served[1]
        )

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """Return a new configuration when who is known or the own key has changed, or None."""
        now = self._now()
        if now == self._served:
            return None
        self._served = now
        return self.configuration()

    def _now(self) -> tuple[bytes, bytes]:
        """Return the own certificate and the roots as they stand."""
        return self._identity.certificate.pem.encode(), self._roots()

    def _roots(self) -> bytes:
        """Return the known certificates; without any, the own one, which only we hold."""
        pinned = self._peers.certificates()
        texts = [pinned[fingerprint] for fingerprint in sorted(pinned)]
        return "".join(texts or [self._identity.certificate.pem]).encode()
