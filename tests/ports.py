"""Ports for listeners whose addresses are written down before they listen.

They lie below those that the system gives away by itself (from 32768 on, on Linux), and each worker
of a run has a thousand: so nobody takes one in between.
"""

import itertools
import os
import socket

FIRST, EACH = 20_000, 1_000
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
BEGIN = os.getpid() % EACH  # another run on this machine begins elsewhere
OFFERED = (FIRST + WORKER % 10 * EACH + (BEGIN + number) % EACH for number in itertools.count())


def free_port():
    """Return a port of the loopback address, another one each time."""
    for port in itertools.islice(OFFERED, EACH):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no port from {FIRST} on is free")
