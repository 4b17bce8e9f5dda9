"""TLS 1.3 and nothing below it, settled before gRPC is loaded (decision 0005).

gRPC's Python API names no TLS version. The one TLS 1.2 suite that is allowed here needs an RSA
certificate; a party's certificate is P-256, so TLS 1.2 cannot be negotiated, and the suites of
TLS 1.3 are not subject to the setting. gRPC reads the setting when it is loaded: the packages
that use gRPC import this module first, and whoever makes credentials calls `require_tls13`.
"""

from __future__ import annotations

import os
import sys
from typing import Final

from party.errors import PartyError

VARIABLE: Final = "GRPC_SSL_CIPHER_SUITES"
SUITE: Final = "ECDHE-RSA-AES256-GCM-SHA384"

_SETTLED: Final = "grpc" not in sys.modules or os.environ.get(VARIABLE) == SUITE
os.environ[VARIABLE] = SUITE
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # a failed handshake is reported by us, once


def require_tls13() -> None:
    """Raise PartyError when gRPC was loaded before the setting was made."""
    if not _SETTLED:
        raise PartyError(
            "gRPC was loaded before commonground, so TLS 1.2 would be accepted. Let `from "
            "commonground import Party` come before `import grpc`, or start the program with "
            f"{VARIABLE}={SUITE}"
        )
