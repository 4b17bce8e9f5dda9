"""A loopback of one's own, so that its counter holds the bytes of one session and nothing else.

The counter includes the headers of TCP, IP and TLS, in both directions, as it does for the peers.
"""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct

import psutil

_NEW_NETWORK = 0x4000_0000  # CLONE_NEWNET
_SET_FLAGS = 0x8914  # SIOCSIFFLAGS
_UP = 0x1
_INTERFACE = b"lo"


def enter_private_network() -> bool:
    """Move this process and all that it starts to a network of their own; say whether it went.

    Nothing outside can be reached from there. It takes root, or `unshare --map-root-user` around
    the whole program; where the system does not allow it, nothing changes.
    """
    try:
        if ctypes.CDLL(None).unshare(_NEW_NETWORK):
            return False
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
            fcntl.ioctl(handle, _SET_FLAGS, struct.pack("16sh22x", _INTERFACE, _UP))
    except (OSError, AttributeError):  # not permitted, or not Linux
        return False
    return True


def loopback_bytes() -> int:
    """Return the bytes that loopback has carried since the network was made."""
    return int(psutil.net_io_counters(pernic=True)["lo"].bytes_sent)
