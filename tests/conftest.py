"""Shared by all tests: TLS is settled before any test module loads gRPC by itself.

No test asserts time, so no example of Hypothesis has a deadline: a loaded machine is no defect.
"""

from hypothesis import settings
from kernel_tiers import each_engine, tier  # noqa: F401 - fixtures
from postgresql import postgresql  # noqa: F401 - a fixture
from store_backends import stores  # noqa: F401 - a fixture

import party.tls  # noqa: F401

settings.register_profile("no deadline", settings(), deadline=None)
settings.load_profile("no deadline")
