"""A counterpart that lies at every step gets a refusal, an incident in the log, and nothing else.

`make hostile` prints the same as a table, with the victim's memory.
"""

import time

import pytest
from calls import Honest, stream
from changes import FORGER
from lies import LIES, Lie, faults
from organisations import make_pair

from party.artefacts import SetHeader
from party.breaches import MOST_A_DAY, Breaches
from party.desk import Desk
from party.errors import Breach, Refusal, RefusalStatus
from party.evidence import StoredLog
from party.request import Request
from party.wire.fields import malformed

MEMORY = 64 << 20  # bytes that a lie may leave behind: what the allocator keeps


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.name)
def test_a_lie_is_refused_logged_and_costs_nothing(attack, lie):
    """Nothing but the charge that every session begins with, where it had begun."""
    FORGER.liar = attack.liar
    with attack.measured() as memory:
        told = attack.told(lie)
    assert not faults(lie, told), told
    assert memory[0].after - memory[0].before < MEMORY


def test_a_liar_that_does_not_lie_gets_its_result(attack):
    """Otherwise every lie would be refused for another reason."""
    with attack.dialler() as dialler:
        for kind in ("recipient", "tabulator", "receives", "sends"):
            request = attack.file(attack.request(kind))
            attack.run_session(dialler, request, Honest())
            assert Desk(attack.liar).find(request.id).state == "finished"


def test_a_set_beyond_what_this_party_takes_is_refused_before_its_first_chunk(attack):
    most = attack.victim.settings.max_points
    lie = Lie(
        "too large for this party",
        "receives",
        "LIMIT_EXCEEDED",
        "the charge",
        None,
        step=0,
        call=lambda link, step, artefact: stream(link, step, SetHeader(32, (most + 1,))),
    )
    told = attack.told(lie)
    assert (told.status, told.incidents, told.released) == ("LIMIT_EXCEEDED", (), 0)
    assert f"at most {most:,} in a set" in told.reason


@pytest.fixture
def desk(tmp_path):
    parties, contract = make_pair(tmp_path)
    yield Desk(parties["channel"]), parties, contract
    for party in parties.values():
        party.close()


def test_no_more_requests_a_day_than_the_party_takes(desk, monkeypatch):
    listener, parties, contract = desk
    party = parties["channel"]
    monkeypatch.setattr(party, "settings", type(party.settings)("C", max_requests_a_day=3))

    def submit(now):
        party.clock = lambda: now
        made = Request.match(
            contract, requester="advertiser", receiver="channel", sender="advertiser", now=int(now)
        )
        return listener.submit("advertiser", made.sign(parties["advertiser"].identity))

    now = time.time()
    decided = [submit(now + i) for i in range(3)]
    with pytest.raises(Refusal, match="3 requests in 24 hours") as refused:
        submit(now + 3)
    assert refused.value.status is RefusalStatus.LIMIT_EXCEEDED
    assert not isinstance(refused.value, Breach), "to ask often is no breach of the protocol"
    assert len(listener.filed()) == len(decided) == 3
    assert submit(now + 86_403).state == "approved"


def test_breaches_fill_no_log(desk):
    _, parties, contract = desk
    party, now = parties["channel"], time.time()
    party.clock = lambda: now
    book = Breaches(party)
    breach = malformed("request", "is no message of its type")
    taken = [book.note("advertiser", contract.digest, breach) for _ in range(MOST_A_DAY + 5)]
    assert taken == [True] * MOST_A_DAY + [False] * 5
    assert book.note("vendor", None, breach), "each counterpart has a day of its own"
    party.clock = lambda: now + 86_400
    assert book.note("advertiser", contract.digest, breach)
    kinds = [entry.kind for entry in StoredLog(party.store, party.identity).parsed()]
    assert kinds.count("incident.bad_message") == MOST_A_DAY + 2
