"""A gRPC channel to one pinned certificate: mutual TLS 1.3, through a proxy where one leads on."""

from __future__ import annotations

from collections.abc import Sequence

import grpc

from client.proxy import Proxy
from party.certificate import Certificate
from party.identity import Identity
from party.tls import require_tls13
from party.wire.limits import CHANNEL_OPTIONS


def open_channel(
    address: str,
    proxy: Proxy | None,
    pinned: Sequence[Certificate],
    key_pem: bytes,
    own: Certificate,
) -> grpc.Channel:
    """Return a channel to `address` (host:port), whose only roots are `pinned`: one party's.

    `key_pem` is the private key (PKCS#8 PEM) of the certificate `own`. Nothing is dialled yet.
    """
    require_tls13()
    credentials = grpc.ssl_channel_credentials(
        root_certificates="".join(one.pem for one in pinned).encode(),
        private_key=key_pem,
        certificate_chain=own.pem.encode(),
    )
    options: list[tuple[str, str | int]] = [
        *CHANNEL_OPTIONS,
        ("grpc.ssl_target_name_override", pinned[0].internal_name),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_retries", 0),  # this package repeats calls itself, and knows which
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.enable_http_proxy", int(proxy is not None)),
    ]
    if proxy is not None:
        options.append(("grpc.http_proxy", proxy.url))
    return grpc.secure_channel(address, credentials, options)


def open_own_channel(
    address: str, proxy: Proxy | None, pinned: Sequence[Certificate], identity: Identity
) -> grpc.Channel:
    """Return a channel with a party's own certificate."""
    own = identity.keys
    return open_channel(address, proxy, pinned, own.tls_key_pem(), own.certificate)
