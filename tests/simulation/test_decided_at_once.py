"""Two decide on one request at once, from a page, a command or the wire: the first one holds.

The other falls between what the second reads and what it writes, which `first` sees to.
"""

import pytest
import sqlalchemy as sa
from organisations import file_match, make_pair

from audit.entry import Entry
from party.decision import Decision
from party.desk import Desk
from party.errors import PartyError, Refusal, RefusalStatus
from party.filing import Filing
from party.schema import LOG_ENTRIES, SESSIONS
from party.session_record import SessionRecord
from psi.seed import Seed

ROOT = bytes(32)
BY_HAND = "operator"


@pytest.fixture
def asked(tmp_path, stores):
    """A request for a match, of the channel to the advertiser, where nobody has decided yet."""
    parties, contract = make_pair(tmp_path, stores, approval="manual")
    yield parties, file_match(parties, contract)
    for party in parties.values():
        party.close()


def first(monkeypatch, act):
    """Let `act` be done right before the next decision is written."""
    settle = Filing.settle

    def after(self, *decision, **by):
        monkeypatch.setattr(Filing, "settle", settle)
        act()
        return settle(self, *decision, **by)

    monkeypatch.setattr(Filing, "settle", after)


def logged(party):
    """Return the kinds of a log's entries that say how a request or its session ended or began."""
    rows = party.store.rows(sa.select(LOG_ENTRIES.c.data).order_by(LOG_ENTRIES.c.seq))
    kinds = [Entry.parse(row.data).kind for row in rows]
    return [one for one in kinds if one.startswith(("request.", "session."))]


def record_of(party, request):
    contract = party.contract(request.contract)
    me = contract.me(party.identity)
    return SessionRecord(party.store, party.journal, party.identity, contract, request, me=me)


def begin(party, request):
    """Open the session, as its first start does before it greets anybody."""
    record_of(party, request).open(Seed.generate(), ROOT, ROOT, ROOT, party.now)


def test_what_was_refused_meanwhile_is_not_approved(asked, monkeypatch):
    parties, request = asked
    desk = Desk(parties["advertiser"])
    first(monkeypatch, lambda: desk.refuse(request.id, "not now", actor=BY_HAND))
    with pytest.raises(PartyError, match="is refused and stays so"):
        desk.approve(request.id, actor=BY_HAND)
    assert desk.find(request.id).reason == "not now"
    assert logged(parties["advertiser"]) == ["request.made", "request.refused"]


def test_what_was_approved_meanwhile_is_not_refused(asked, monkeypatch):
    parties, request = asked
    desk = Desk(parties["advertiser"])
    first(monkeypatch, lambda: desk.approve(request.id, actor=BY_HAND))
    with pytest.raises(PartyError, match="only a pending one can be refused"):
        desk.refuse(request.id, "not now", actor=BY_HAND)
    assert desk.find(request.id).state == "approved"
    assert logged(parties["advertiser"]) == ["request.made", "request.approved"]


def test_two_who_approve_it_are_one_approval(asked, monkeypatch):
    parties, request = asked
    desk = Desk(parties["advertiser"])
    first(monkeypatch, lambda: desk.approve(request.id, actor="somebody"))
    assert desk.approve(request.id, actor=BY_HAND).state == "approved"
    assert logged(parties["advertiser"]) == ["request.made", "request.approved"]


def test_a_refusal_that_comes_as_the_session_begins_ends_the_session(asked, monkeypatch):
    parties, request = asked
    party = parties["channel"]
    first(monkeypatch, lambda: begin(party, request))
    refused = Decision("refused", RefusalStatus.DECLINED, "not now")
    Desk(party).decide("advertiser", request.id, refused)
    filed = Desk(party).find(request.id)
    assert (filed.state, filed.status, filed.words) == ("failed", "DECLINED", ("refused",))
    assert party.store.row(sa.select(SESSIONS.c.state)).state == "failed"
    assert logged(party) == ["request.made", "session.failed"]


def test_whom_one_revokes_as_a_request_is_approved_has_none_left(asked, monkeypatch):
    parties, request = asked
    desk = Desk(parties["advertiser"])
    first(monkeypatch, lambda: desk.approve(request.id, actor=BY_HAND))
    desk.end_here(desk.find(request.id), Refusal(RefusalStatus.DECLINED, "revoked"))
    assert desk.find(request.id).state == "refused"
    assert logged(parties["advertiser"]) == ["request.made", "request.approved", "request.refused"]


def test_no_session_begins_of_what_was_refused_meanwhile(asked):
    parties, request = asked
    party = parties["advertiser"]
    Desk(party).refuse(request.id, "not now", actor=BY_HAND)
    with pytest.raises(Refusal, match="not now"):
        begin(party, request)
    assert party.store.row(sa.select(SESSIONS.c.state)) is None
