"""X25519 as others do it: OpenSSL's own speed test, and a bare loop over `cryptography`."""

from __future__ import annotations

import subprocess

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from benchmarks.errors import BenchmarkError
from psi.curve import Points, Scalar

_COMMAND = ("openssl", "speed", "-seconds", "1", "-mr", "ecdhx25519")
_LINE = "+F5:"  # of one curve: number, bits, operations a second, seconds an operation


def openssl_microseconds() -> float | None:
    """Return the CPU microseconds of one X25519 by `openssl speed`; None where there is none."""
    try:
        said = subprocess.run(_COMMAND, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_speed(said.stdout)


def parse_speed(text: str) -> float:
    """Return the microseconds an operation that `openssl speed -mr` states for a curve.

    Raises:
        BenchmarkError: there is no such line.
    """
    for line in text.splitlines():
        fields = line.split(":")
        if line.startswith(_LINE) and len(fields) == 5:
            return 1e6 / max(float(fields[3]), float(fields[4]))  # the order differs by version
    raise BenchmarkError("`openssl speed` said nothing of X25519")


def bare_loop(points: Points, scalar: Scalar) -> list[bytes]:
    """Raise points as one would without an engine: no checks, no buffers."""
    private = X25519PrivateKey.from_private_bytes(scalar.secret_bytes())
    return [private.exchange(X25519PublicKey.from_public_bytes(row)) for row in map(bytes, points)]
