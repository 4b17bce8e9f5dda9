"""A table of three carried through a shaky network, and what one of the three does to all.

Whatever happens: all three end with a result and one transcript, or with the same reason in all
logs; nobody is charged twice; whoever has no result keeps none; all logs verify.
"""

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa
from shaky_network import DIALS, Killed, Network, lay_wires
from shaky_plays import ENDINGS, Quiet
from three_organisations import EVERYBODY, insights_of_three, make_three

from client.carrying import Carrier
from party.decision import FAILED, FINISHED
from party.desk import Desk
from party.errors import PartyError
from party.evidence import StoredLog, compare_all_logs, verify_log
from party.ledger import rows
from party.organisation import Organisation
from party.schema import SESSIONS

LISTEN = ("channel", "vendor")
STARTS = 60


@dataclass
class PlayOfThree:
    """Three parties, the network between them, and one request."""

    parties: dict
    network: Network
    request: object = None
    stops: list = field(default_factory=list)

    def dial(self):
        """Type the hub's command once, and return what stopped it, or None."""
        party = self.parties[DIALS]
        try:
            Carrier(party, Quiet()).go_on(Desk(party).find(self.request.id))
        except (Killed, PartyError) as stop:
            self.stops.append(stop)
            return stop
        return None

    def states(self):
        """Return how the request stands at each party: (state, status), None where unknown."""
        found = {name: Desk(party).known(self.request.id) for name, party in self.parties.items()}
        return {name: one and (one.state, one.status) for name, one in found.items()}

    def ends(self):
        """Return what each log says of the end: (kind of the entry, status)."""
        said = {}
        for name, party in self.parties.items():
            log = StoredLog(party.store, party.identity)
            verify_log(log)
            said[name] = [
                (entry.kind, getattr(entry.body, "reason", None))
                for entry in log.parsed()
                if entry.kind in ENDINGS and entry.body.request == self.request.id
            ]
        return said

    def charged(self):
        """Return how often each party was charged for a session."""
        return {
            name: [row.what for row in party.store.write(rows)].count("session")
            for name, party in self.parties.items()
        }

    def require_finished(self):
        """All have a result, one transcript, one charge, and each other's cosignature."""
        assert {state for state, _ in self.states().values()} == {FINISHED}
        of_request = sa.select(SESSIONS.c.transcript).where(SESSIONS.c.request == self.request.id)
        found = {bytes(party.store.row(of_request).transcript) for party in self.parties.values()}
        assert len(found) == 1
        assert set(self.charged().values()) == {1}
        for one in compare_all_logs(
            *(StoredLog(party.store, party.identity) for party in self.parties.values())
        ):
            assert one.shared == (self.request.id,)
            assert one.checkpoints == 2

    def require_ended(self, status):
        """All who know the request ended it with `status`, and none has a result."""
        for name, state in self.states().items():
            if state is None:
                assert self.ends()[name] == []
                continue
            assert state[1] == status.value, (name, state)
            assert [reason for _, reason in self.ends()[name]] == [status.value], name
            assert Desk(self.parties[name]).result(self.request.id) is None
        assert max(self.charged().values()) <= 1


def make_ready(folder, **terms):
    """Make the parties that plays copy, with a contract of these terms."""
    parties, _ = make_three(folder, **terms)
    for party in parties.values():
        party.close()
    return folder


@contextmanager
def play_of_three(ready, folder, monkeypatch, *, seed=0, calm=True):
    """Yield copies of the three parties with a request filed at the hub."""
    parties = {}
    for name in EVERYBODY:
        shutil.copytree(ready / name, folder / name)
        parties[name] = Organisation.open(folder / name)
    network = Network(seed, parties, LISTEN)
    network.calm = calm
    lay_wires(network, monkeypatch)
    play = PlayOfThree(parties, network)
    contract = parties[DIALS].contract("three")
    asked = insights_of_three(parties, contract)
    play.request = Desk(parties[DIALS]).make(asked, contract, actor="test")
    try:
        yield play
    finally:
        network.stop_listener()
        for party in parties.values():
            party.close()


def carry_to_the_end(play):
    """Type the command until all three have ended, over a network that calms down in the end."""
    for start in range(STARTS):
        play.network.calm = start > STARTS // 2
        finished = play.dial() is None
        if finished:
            play.network.wait_for_listener()
        else:
            play.network.restart_listener()
        if set(play.states().values()) == {(FINISHED, None)} and finished:
            return FINISHED
        if all(state and state[0] == FAILED for state in play.states().values()):
            return FAILED
    raise AssertionError(f"no end after {STARTS} starts: {play.network.faults} {play.states()}")
