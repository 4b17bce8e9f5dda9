"""A road between two processes: TCP, forwarded byte for byte, slow, blocked, cut or broken off.

It stands at the address in the contract, wherever `serve` listens behind it, so a listener may
come back on another port. It sees only TLS. A slow road makes the moments long in which something
is under way between two parties, so that a test can act within one of them.
"""

import contextlib
import ctypes
import socket
import threading
import time

BLOCK = 65_536
_LIBC = ctypes.CDLL(None)


class Road:
    """Forwards connections from a port of its own to the port it leads to; close it at the end.

    Where it leads to nobody, connections wait at its entrance. `latency_seconds` delays each block
    of bytes, `bytes_per_second` bounds each direction. The entrance is at `address` (host:port,
    port 0 a free one); the other end is on the host `far`.
    """

    def __init__(self, address="127.0.0.1:0", far="127.0.0.1"):
        host, port = address.split(":")
        self._entrance = socket.create_server((host, int(port)))
        self.address, self._far = f"{host}:{self._entrance.getsockname()[1]}", far
        self._truncating = threading.Event()
        self.latency_seconds, self.bytes_per_second = 0.0, float("inf")
        self._leads_to = None
        self._open, self._led = threading.Event(), threading.Event()
        self._open.set()
        self._ends = set()
        threading.Thread(target=self._admit, daemon=True).start()

    def lead_to(self, port):
        """Lead to a port of the host at the other end; None is nobody's."""
        self._leads_to = port
        if port is None:
            self._led.clear()
        else:
            self._led.set()

    def slow(self, latency_seconds, bytes_per_second):
        self.latency_seconds, self.bytes_per_second = latency_seconds, bytes_per_second

    def block(self):
        """Let nothing through, and break nothing off."""
        self._open.clear()

    def unblock(self):
        self._open.set()

    def cut(self):
        """Break off every connection; what is under way is lost."""
        for end in list(self._ends):
            self._end(end)

    def reset(self):
        """Break off every connection as a firewall does that has forgotten it: by RST."""
        nowhere = bytes(16)  # AF_UNSPEC: to connect there aborts, also under a thread that reads
        for end in list(self._ends):
            with contextlib.suppress(OSError):
                _LIBC.connect(end.fileno(), nowhere, len(nowhere))

    def truncate(self):
        """Let half of the next block through, in whichever direction, and break that off."""
        self._truncating.set()

    def clear(self):
        """Be fast again, and lead nowhere."""
        self.lead_to(None)
        self.slow(0.0, float("inf"))
        self.cut()
        self._open.set()

    def close(self):
        self._entrance.close()
        self.clear()

    def _admit(self):
        while True:
            try:
                near, _ = self._entrance.accept()
            except OSError:
                return
            self._ends.add(near)
            threading.Thread(target=self._lead, args=(near,), daemon=True).start()

    def _lead(self, near):
        self._led.wait()
        try:
            far = socket.create_connection((self._far, self._leads_to or 0), timeout=5)
        except OSError:
            self._end(near)
            return
        far.settimeout(None)
        self._ends.add(far)
        threading.Thread(target=self._carry, args=(near, far), daemon=True).start()
        self._carry(far, near)

    def _carry(self, source, target):
        with contextlib.suppress(OSError):
            while block := source.recv(BLOCK):
                time.sleep(self.latency_seconds + len(block) / self.bytes_per_second)
                self._open.wait()
                if self._truncating.is_set():
                    self._truncating.clear()
                    target.sendall(block[: len(block) // 2])
                    break
                target.sendall(block)
        for end in (source, target):
            self._end(end)

    def _end(self, end):
        self._ends.discard(end)
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
