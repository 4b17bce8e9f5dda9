"""A party that falls in the last words of a session: whoever dials believes nothing too early.

Whole parties over the network in memory of `shaky_network`, without its faults. Each fall is at the
one instant that matters: what came is on disk, and what comes of it is not in the store.
"""

import pytest
from organisations import copy_pair
from shaky_network import ALL, DIALS, LISTENS, PATIENCE_SECONDS, Killed, Network, hurry, lay_wires
from shaky_plays import Quiet, make_ready
from three_plays import make_ready as make_three_ready
from three_plays import play_of_three

from client.carrying import Carrier
from party.correspondence import Correspondence
from party.desk import Desk
from party.errors import PartyError, SessionSuspended
from party.evidence import StoredLog, compare_logs
from party.filing import FINISHED
from party.journal import Journal
from party.request import Request
from server.mailbox import Mailbox


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    return make_ready(tmp_path_factory.mktemp("ready"))


@pytest.fixture(scope="module")
def ready_three(tmp_path_factory):
    return make_three_ready(tmp_path_factory.mktemp("three"))


@pytest.fixture
def pair(ready, tmp_path, monkeypatch):
    hurry(monkeypatch)
    one = Pair(copy_pair(ready, tmp_path)[0], monkeypatch)
    yield one
    one.network.stop_listener()
    for party in one.parties.values():
        party.close()


class Pair:
    """Two parties and a request of the one that dials."""

    def __init__(self, parties, monkeypatch):
        self.parties, self.network = parties, Network(0, parties)
        self.network.calm = True
        lay_wires(self.network, monkeypatch)
        party = parties[DIALS]
        contract = party.contract("test")
        request = Request.match(
            contract, requester=DIALS, receiver=DIALS, sender=LISTENS, now=party.now
        )
        self.request = Desk(party).make(request, contract, actor="test")

    def dial(self):
        """Type the command at the dialling side; whatever waits at the other has an end."""
        desk = Desk(self.parties[DIALS])
        try:
            Carrier(self.parties[DIALS], Quiet()).go_on(desk.find(self.request.id))
        finally:
            self.network.wait_for_listener()

    def come_back(self):
        self.network.gone.clear()
        self.network.restart_listener()

    def finished(self):
        return {
            name: Desk(party).find(self.request.id).state == FINISHED
            for name, party in self.parties.items()
        }

    def cosignatures(self):
        """Return how often each log is cosigned: the dialling side's, the listener's."""
        logs = (StoredLog(party.store, party.identity) for party in self.parties.values())
        compared = compare_logs(*logs)
        return compared.ours.cosignatures, compared.theirs.cosignatures


def fall_before_storing(party, play, monkeypatch, *, cosigner):
    """Let a party's process end when it would store the cosignature of `cosigner`, once."""
    keep, fallen = Journal.keep_cosignature, []

    def fall(journal, checkpoint, line, verifier, **words):
        mine = journal is play.parties[party].journal
        if mine and not fallen and verifier.name.startswith(cosigner):
            fallen.append(verifier)
            play.network.gone.add(party)
            raise PartyError("the process is gone")
        keep(journal, checkpoint, line, verifier, **words)

    monkeypatch.setattr(Journal, "keep_cosignature", fall)
    return fallen


def test_a_listener_that_falls_before_it_stored_the_cosignature_is_not_believed_to_have_it(
    pair, monkeypatch
):
    fallen = fall_before_storing(LISTENS, pair, monkeypatch, cosigner=DIALS)
    with pytest.raises(SessionSuspended):
        pair.dial()
    assert fallen
    assert all(pair.finished().values()), "the results stand"
    pair.come_back()
    pair.dial()
    assert pair.cosignatures() == (1, 1)


def test_a_listener_whose_patience_ends_as_the_cosignature_comes_stores_it_all_the_same(
    pair, monkeypatch
):
    hear, late = Mailbox.hear, []

    def hear_late(mailbox, kind, message):
        if kind.rpc == "Cosign" and not late:
            late.append(kind)
            pair.network.clock.idle(2 * PATIENCE_SECONDS)
            pair.network.wait_for_listener()
        return hear(mailbox, kind, message)

    monkeypatch.setattr(Mailbox, "hear", hear_late)
    pair.dial()
    assert late
    assert pair.cosignatures() == (1, 1)


def test_a_listener_that_stored_it_and_falls_before_its_answer_answers_when_it_is_back(
    pair, monkeypatch
):
    conclude, fallen = Mailbox.conclude, []

    def fall(mailbox):
        if not fallen:
            fallen.append(mailbox)
            pair.network.lost.add(ALL)
        conclude(mailbox)

    monkeypatch.setattr(Mailbox, "conclude", fall)
    with pytest.raises(SessionSuspended):
        pair.dial()
    assert fallen
    pair.network.lost.clear()
    pair.come_back()
    pair.dial()
    assert pair.cosignatures() == (1, 1)


def test_a_dialler_that_falls_after_it_attested_says_the_same_when_it_is_back(pair, monkeypatch):
    say, fallen = Correspondence.say, []

    def fall(letters, kind, data):
        if kind == "cosignature" and letters._peer == LISTENS and not fallen:
            fallen.append(data)
            raise Killed
        return say(letters, kind, data)

    monkeypatch.setattr(Correspondence, "say", fall)
    with pytest.raises(Killed):
        pair.dial()
    pair.come_back()
    pair.dial()
    (data,) = fallen
    letters = Correspondence(Desk(pair.parties[DIALS]).folder(pair.request.id), LISTENS)
    assert letters.said("cosignature") == data
    assert pair.cosignatures() == (1, 1)


@pytest.mark.parametrize(("falls", "cosigner"), [("vendor", "channel"), ("channel", "vendor")])
def test_one_of_three_that_falls_before_it_stored_what_the_hub_carried_is_not_believed_to_have_it(
    falls, cosigner, ready_three, tmp_path, monkeypatch
):
    hurry(monkeypatch)
    with play_of_three(ready_three, tmp_path, monkeypatch) as play:
        fallen = fall_before_storing(falls, play, monkeypatch, cosigner=cosigner)
        assert play.dial() is not None
        assert fallen
        play.network.wait_for_listener()
        play.network.gone.clear()
        play.network.restart_listener(falls)
        assert play.dial() is None, play.stops
        play.network.wait_for_listener()
        play.require_finished()
