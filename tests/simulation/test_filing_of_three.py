"""A request of three waits for the words of both others, and one refusal is enough to end it."""

import shutil
from dataclasses import replace

import pytest
import sqlalchemy as sa
from three_organisations import file_at_all, insights_of_three, make_three

from audit.entry import Entry
from client.render_request import request_document
from client.render_status import status_document
from client.shortfalls import shortfalls
from party.contract_terms import OutputKind
from party.decision import Decision
from party.desk import Desk
from party.errors import Refusal, RefusalStatus
from party.organisation import Organisation
from party.request import Request
from party.schema import LOG_ENTRIES
from party.standing import standing_of


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    folder = tmp_path_factory.mktemp("three")
    make_three(folder, approval="manual")
    return folder


@pytest.fixture
def three(ready, tmp_path):
    parties = {}
    for name in ("advertiser", "channel", "vendor"):
        shutil.copytree(ready / name, tmp_path / name)
        parties[name] = Organisation.open(tmp_path / name)
    return parties, parties["advertiser"].contract("three")


def kinds_of(party):
    rows = party.store.rows(sa.select(LOG_ENTRIES.c.data).order_by(LOG_ENTRIES.c.seq))
    return [Entry.parse(row.data).kind for row in rows]


def test_the_asker_has_two_counterparts_and_each_of_them_has_the_asker(three):
    parties, contract = three
    request = file_at_all(parties, contract, insights_of_three(parties, contract))
    hub = Desk(parties["advertiser"]).find(request.id)
    assert hub.peers == hub.awaited == ("channel", "vendor")
    assert hub.state == "approved"
    for name in ("channel", "vendor"):
        there = Desk(parties[name]).find(request.id)
        assert (there.peers, there.peer, there.awaited) == (("advertiser",), "advertiser", ())
        assert there.state == "pending"


def test_whoever_has_not_approved_is_named(three):
    parties, contract = three
    request = file_at_all(parties, contract, insights_of_three(parties, contract))
    desk, party = Desk(parties["advertiser"]), parties["advertiser"]
    desk.decide("vendor", request.id, Decision("approved"))
    assert desk.find(request.id).awaited == ("channel",)
    words = request_document(desk.find(request.id))["peers"]
    assert words == [
        {"party": "channel", "word": "pending"},
        {"party": "vendor", "word": "approved"},
    ]
    (waiting,) = status_document(party, standing_of(party))["waiting_there"]
    assert (waiting["peers"], waiting["awaited"]) == (["channel", "vendor"], ["channel"])
    desk.decide("channel", request.id, Decision("approved"))
    assert desk.find(request.id).awaited == ()
    assert desk.find(request.id).state == "approved"


@pytest.mark.parametrize("refusing", ["channel", "vendor"])
def test_one_refusal_ends_it_everywhere_with_one_status(three, refusing):
    parties, contract = three
    other = "vendor" if refusing == "channel" else "channel"
    request = file_at_all(parties, contract, insights_of_three(parties, contract))
    Desk(parties[other]).approve(request.id, actor="operator")
    Desk(parties["advertiser"]).decide(other, request.id, Decision("approved"))
    refused = Desk(parties[refusing]).refuse(request.id, "not now", actor="operator")
    Desk(parties["advertiser"]).decide(refusing, request.id, refused.decision)
    hub = Desk(parties["advertiser"]).find(request.id)
    assert (hub.state, hub.status, hub.reason) == ("refused", "DECLINED", "not now")
    assert dict(zip(hub.peers, hub.words, strict=True)) == {refusing: "refused", other: "approved"}
    assert hub.awaited == ()
    # The hub tells the other, where the request may have been approved.
    told = bytes.fromhex(request.contract)
    Desk(parties[other]).end("advertiser", request.id, told, hub.decision.refusal)
    assert Desk(parties[other]).find(request.id).status == "DECLINED"
    assert kinds_of(parties["advertiser"])[-1] == "request.refused"
    assert kinds_of(parties[refusing])[-1] == "request.refused"
    assert kinds_of(parties[other])[-1] == "session.failed"
    for party in parties.values():
        assert "budget.spent" not in kinds_of(party)


def test_only_a_counterpart_speaks_about_a_request(three):
    parties, contract = three
    request = file_at_all(parties, contract, insights_of_three(parties, contract))
    told = bytes.fromhex(request.contract)
    declined = Refusal(RefusalStatus.DECLINED, "no")
    for desk, speaker in (
        (Desk(parties["channel"]), "vendor"),
        (Desk(parties["vendor"]), "channel"),
    ):
        with pytest.raises(Refusal, match="no request with this id"):
            desk.end(speaker, request.id, told, declined)
        with pytest.raises(Refusal, match=r"another request was made|another party's"):
            desk.submit(speaker, request)
    with pytest.raises(Refusal, match="there is no request"):
        Desk(parties["advertiser"]).decide("stranger", request.id, Decision("approved"))


def test_an_import_says_whom_a_table_of_three_cannot_reach(three):
    parties, contract = three
    assert shortfalls(parties["vendor"], contract) == []
    cards = {
        name: replace(card, address=None) if name == "channel" else card
        for name, card in contract.parties.items()
    }
    (said,) = shortfalls(parties["vendor"], replace(contract, parties=cards))
    assert "the contract gives channel no address" in said


def test_a_request_of_three_is_not_offered_to_who_dials(three):
    parties, contract = three
    request = file_at_all(parties, contract, insights_of_three(parties, contract))
    desk = Desk(parties["advertiser"])
    assert desk.offered(bytes.fromhex(request.contract), "channel") == []


def test_a_request_of_the_other_two_is_not_taken(three):
    parties, contract = three
    labels = {"advertiser": "segment", "channel": "frequency"}
    request = Request.crosstab(
        contract, OutputKind.REACH, requester="advertiser", tabulator="channel",
        recipient="advertiser", now=parties["advertiser"].now, labels=labels,
    ).sign(parties["advertiser"].identity)  # fmt: skip
    with pytest.raises(Refusal, match="without a role for us") as refused:
        Desk(parties["vendor"]).submit("advertiser", request)
    assert refused.value.status is RefusalStatus.BAD_REQUEST
    assert Desk(parties["channel"]).submit("advertiser", request).state == "pending"
