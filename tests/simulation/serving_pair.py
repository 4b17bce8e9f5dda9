"""Two whole parties of which the channel listens over real gRPC and mutual TLS, with their clocks.

Covers: everything between a request and its result over the network, with the clock of either
party moved. Does not cover: processes, and what `serve` does beside listening.
"""

from contextlib import contextmanager

from organisations import copy_pair, make_pair
from ports import free_port
from store_backends import SQLITE

from client.carrying import Carrier, reaching
from client.serving import Logged, ServedDesk
from party.desk import Desk
from party.reception import Reception
from party.request import Request
from party.suppression.desk import SuppressionDesk
from server import serve

HUB, SPOKE = "channel", "advertiser"


def make_ready(folder, stores=SQLITE):
    """Make the pair that others are copied from."""
    parties, _ = make_pair(folder, stores, addresses={HUB: f"127.0.0.1:{free_port()}"})
    for party in parties.values():
        party.close()
    return folder


class ServingPair:
    """A copy of a pair; `listening` lets the channel serve, `dialled` connects the advertiser."""

    def __init__(self, ready, folder, stores=SQLITE):
        self.parties, self.contract = copy_pair(ready, folder, stores)
        self.hub, self.spoke = self.parties[HUB], self.parties[SPOKE]
        self.address = self.contract.parties[HUB].address

    def pass_time(self, seconds):
        for party in self.parties.values():
            now = party.clock
            party.clock = lambda now=now: now() + seconds

    @contextmanager
    def listening(self):
        server = serve.start(
            ServedDesk(Desk(self.hub), SuppressionDesk(self.hub)),
            self.hub.identity,
            self.address,
            reception=Reception(self.hub),
            now=lambda: self.hub.clock(),
            patience_seconds=20,
        )
        try:
            yield server
        finally:
            server.stop(0)

    @contextmanager
    def dialled(self):
        with reaching(self.spoke, self.spoke.contract("test"), HUB) as dialler:
            yield dialler

    def make_request(self):
        contract = self.spoke.contract("test")
        request = Request.match(
            contract, requester=SPOKE, receiver=SPOKE, sender=HUB, now=self.spoke.now
        )
        return Desk(self.spoke).make(request, contract, actor="test")

    def carry_out(self):
        """Ask for a list and carry it through; return the filed request."""
        request = self.make_request()
        return Carrier(self.spoke, Logged()).go_on(Desk(self.spoke).find(request.id))

    def close(self):
        for party in self.parties.values():
            party.close()


__all__ = ["HUB", "SPOKE", "ServingPair", "make_ready"]
