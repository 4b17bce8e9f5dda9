"""Shared by all tests: TLS is settled before any test module loads gRPC by itself."""

import party.tls  # noqa: F401
