"""A list that is out: two whole parties in one process, of which one listens over gRPC and TLS."""

import time
from contextlib import contextmanager

import pyarrow.parquet as pq
from organisations import Wire, make_pair, people, run_both, write_dataset
from ports import free_port

from client.dial import Dialler
from client.serving import ServedDesk
from client.suppressing import Suppressor
from party.desk import Desk
from party.request import Request
from party.request_parameters import Parameters
from party.suppression.desk import SuppressionDesk
from server import serve

SENDER, RECEIVER = "advertiser", "channel"
RUNS = {SENDER: 1, RECEIVER: 6}
"""How many runs the list has where this side listens."""


class Disclosed:
    """Two parties, one of which listens, and a list between them."""

    def __init__(self, folder, listens, **terms):
        addresses = {listens: f"127.0.0.1:{free_port()}"}
        self.parties, contract = make_pair(folder, addresses=addresses, **terms)
        self.contract, self.listens, self.folder = contract, listens, folder
        request = Request.match(
            contract, requester=SENDER, receiver=RECEIVER, sender=SENDER, now=int(time.time()),
            parameters=Parameters(suppression_runs=RUNS[listens]),
        )  # fmt: skip
        self.request = Desk(self.parties[SENDER]).make(request, contract, actor="test")
        Desk(self.parties[RECEIVER]).submit(SENDER, self.request)
        assert run_both(self.parties, self.request, Wire()) == {SENDER: None, RECEIVER: None}

    def filed(self, name):
        return Desk(self.parties[name]).find(self.request.id)

    def suppress(self, name, **options):
        return Suppressor(self.parties[name]).suppress(self.filed(name), **options)

    def withdraw(self, *numbers):
        rows = people(0, 60, ["gold", "silver"], consent=lambda i: "no" if i in numbers else "yes")
        write_dataset(self.folder / "data" / SENDER, "customers", rows, label="segment")

    def next_number(self):
        runs = RUNS[self.listens]
        return runs + 1 - SuppressionDesk(self.parties[SENDER]).sender(self.filed(SENDER)).runs_left

    def listed(self):
        stored = Desk(self.parties[RECEIVER]).result(self.request.id)
        return set(pq.read_table(stored["list_file"])["reference"].to_pylist())

    @contextmanager
    def serving(self):
        party = self.parties[self.listens]
        address = self.contract.parties[self.listens].address
        server = serve.start(
            ServedDesk(Desk(party), SuppressionDesk(party)),
            party.identity,
            address,
            now=party.clock,
        )
        try:
            yield
        finally:
            server.stop(0)

    def dialler(self):
        name = next(one for one in self.parties if one != self.listens)
        address = self.contract.parties[self.listens].address
        return Dialler(self.parties[name].identity, self.contract, self.listens, address)

    def close(self):
        for party in self.parties.values():
            party.close()
