"""An HTTP proxy that knows CONNECT, in a thread: names lead where a test says, or nowhere.

A name that only the proxy knows is the honest way to test on one machine: whoever asked the
machine itself for it would find nothing, so what gets through went through the proxy.
"""

import base64
import contextlib
import socket
import threading

BLOCK = 65_536


class ConnectProxy:
    """Forwards CONNECT to the ports that names lead to; close it at the end.

    `user` is "name:password" where it asks for them. `refuses` is a status that it answers with
    instead of connecting.
    """

    def __init__(self, user=None):
        self._entrance = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._entrance.getsockname()[1]}"
        self.user, self.refuses = user, None
        self.leads, self.asked = {}, []
        threading.Thread(target=self._admit, daemon=True).start()

    def url(self, user=None):
        return f"http://{user + '@' if user else ''}{self.address}"

    def close(self):
        self._entrance.close()

    def _admit(self):
        while True:
            try:
                near, _ = self._entrance.accept()
            except OSError:
                return
            threading.Thread(target=self._lead, args=(near,), daemon=True).start()

    def _lead(self, near):
        with near, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                piece = near.recv(BLOCK)
                if not piece:
                    return
                head += piece
            target = head.split(b" ")[1].decode()
            self.asked.append(target)
            status = self._status(head, target)
            if status != 200:
                near.sendall(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())
                return
            with socket.create_connection(("127.0.0.1", self.leads[target]), timeout=5) as far:
                far.settimeout(None)
                near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                threading.Thread(target=_carry, args=(near, far), daemon=True).start()
                _carry(far, near)

    def _status(self, head, target):
        if self.refuses is not None:
            return self.refuses
        if self.user is not None:
            token = base64.b64encode(self.user.encode())
            if b"proxy-authorization: basic " + token.lower() not in head.lower():
                return 407
        return 200 if target in self.leads else 502


def _carry(source, target):
    with contextlib.suppress(OSError):
        while block := source.recv(BLOCK):
            target.sendall(block)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
