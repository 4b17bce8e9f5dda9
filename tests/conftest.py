"""Shared by all tests: TLS is settled before any test module loads gRPC by itself."""

from kernel_tiers import each_engine, tier  # noqa: F401 - fixtures
from postgresql import postgresql  # noqa: F401 - a fixture
from store_backends import stores  # noqa: F401 - a fixture

import party.tls  # noqa: F401
