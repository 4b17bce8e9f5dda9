"""Three whole parties in one process over real gRPC and mutual TLS: two listen, the third dials.

Covers: everything from a filed request to cosigned logs at all three, with the relay between the
two that never meet. Does not cover: processes (tests/e2e) and a network that misbehaves by a seed
(`shaky_network`).
"""

import contextlib

from ports import free_port
from three_organisations import insights_of_three, make_three

from client.carrying import Carrier
from client.serving import ServedDesk
from party.desk import Desk
from party.suppression.desk import SuppressionDesk
from server import serve

HUB, LISTEN = "advertiser", ("channel", "vendor")


class Quiet:
    """Nobody who watches."""

    def __init__(self):
        self.said = []

    def begun(self, request_id):
        pass

    def say(self, sentence):
        self.said.append(sentence)

    def watching(self, peer):
        return contextlib.nullcontext(lambda progress: None)


class ThreeOverGrpc:
    """The parties, their listeners, and the hub's command."""

    def __init__(self, folder, **options):
        self.addresses = {name: f"127.0.0.1:{free_port()}" for name in LISTEN}
        self.parties, self.contract = make_three(folder, addresses=self.addresses, **options)
        self.servers, self.observer = {}, Quiet()

    def listen(self, name):
        party = self.parties[name]
        desk = ServedDesk(Desk(party), SuppressionDesk(party))
        self.servers[name] = serve.start(
            desk,
            party.identity,
            self.addresses[name],
            now=lambda: party.clock(),
            patience_seconds=20,
            hold_seconds=0.3,
        )

    def hang_up(self, name):
        self.servers.pop(name).stop(1.0)

    def ask(self, **changes):
        """File a request at the hub, and return it without carrying it out."""
        request = insights_of_three(self.parties, self.contract, **changes)
        return Desk(self.parties[HUB]).make(request, self.contract, actor="test")

    def carry(self, request):
        """Type the hub's command once."""
        party = self.parties[HUB]
        return Carrier(party, self.observer).go_on(Desk(party).find(request.id))


@contextlib.contextmanager
def three_over_grpc(folder, **options):
    """Run both listeners for the time of a test."""
    three = ThreeOverGrpc(folder, **options)
    for name in LISTEN:
        three.listen(name)
    try:
        yield three
    finally:
        for name in list(three.servers):
            three.hang_up(name)
        for party in three.parties.values():
            party.close()
