"""OpenMined's PSI: Diffie-Hellman on P-256, the sender's set as a Golomb-compressed set.

    venv-openmined/bin/python openmined.py --receiver FILE --sender FILE

It has no transport of its own: its messages go over a plain socket of loopback. The clock runs from
lists in memory to a file of the result. One false positive in a billion people is allowed.
"""

from __future__ import annotations

import time
from importlib.metadata import version
from multiprocessing.connection import Client, Connection, Listener

import private_set_intersection.python as psi
from meeting import RECEIVER, Side, meet, read_digests, write_digests

FALSE_POSITIVES = 1e-9
TRIES = 600  # a tenth of a second apart: the other side may still be reading its file


def play(side: Side) -> None:
    """Take one side through the protocol."""
    (receive if side.role == RECEIVER else send)(side)


def receive(side: Side) -> None:
    """Ask, and intersect."""
    digests = read_digests(side.file)
    with Listener(("127.0.0.1", side.ports[0])) as door, door.accept() as line:
        line.send(len(digests))
        side.wait()
        client = psi.client.CreateWithNewKey(True)
        line.send_bytes(client.CreateRequest(digests).SerializeToString())
        setup, answer = psi.ServerSetup(), psi.Response()
        setup.ParseFromString(line.recv_bytes())
        answer.ParseFromString(line.recv_bytes())
        found = client.GetIntersection(setup, answer)
        write_digests(side.result, [digests[place] for place in found])


def send(side: Side) -> None:
    """Set up while the other side makes its request, and answer it."""
    digests = read_digests(side.file)
    with _dial(side.ports[0]) as line:
        asked = line.recv()
        side.wait()
        server = psi.server.CreateWithNewKey(True)
        setup = server.CreateSetupMessage(
            FALSE_POSITIVES, asked, digests, psi.DataStructure.GCS
        ).SerializeToString()
        request = psi.Request()
        request.ParseFromString(line.recv_bytes())
        answer = server.ProcessRequest(request)
        line.send_bytes(setup)
        line.send_bytes(answer.SerializeToString())


def _dial(port: int) -> Connection:
    for _ in range(TRIES):
        try:
            return Client(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise SystemExit("the other side does not listen")


if __name__ == "__main__":
    meet(play, version=f"openmined-psi {version('openmined-psi')}")
