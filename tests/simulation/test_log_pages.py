"""Pages of the log: walking them finds what reading every entry finds, and nothing is hidden."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic import command
from hypothesis import given, settings
from hypothesis import strategies as st
from organisations import copy_pair

from audit.bodies import AuditRead, Incident, PeerRevoked, RequestRefused, RequestStep
from audit.entry import format_time
from audit.errors import VerificationError
from client.audit_files import Wanted, page, selected
from party.errors import PartyError
from party.evidence import StoredLog, verify_log
from party.log_index import stored_rows, words_of
from party.log_pages import MOST_REQUESTS, entry_at, page_of
from party.schema import LOG_INDEX, LOG_WORDS
from party.selection import Selection
from party.store import _alembic_config

DIGEST, DAYS, EACH = "d" * 64, 4, 40
REQUESTS = tuple(f"{number:02x}{'e' * 30}" for number in range(7))
ACTORS = ("operator", "session", "alice/operator", "session:alice/operator", "bob~console/analyst")


@pytest.fixture(scope="module")
def pair(ready, tmp_path_factory, stores):
    """Two parties; the first one's log has entries of several kinds, on several days."""
    parties, contract = copy_pair(ready, tmp_path_factory.mktemp("pages"), stores)
    party = parties["advertiser"]
    begun, vkey = party.now, parties["channel"].identity.vkey
    for day in range(DAYS):
        party.clock = lambda day=day: begun + day * 86_400
        party.store.write(lambda connection: write_some(party, connection, contract, vkey))
    yield parties
    for one in parties.values():
        one.close()


@pytest.fixture(scope="module")
def party(pair):
    return pair["advertiser"]


def write_some(party, connection, contract, vkey):
    with party.journal.group(connection) as group:
        for number in range(EACH):
            request, actor = REQUESTS[number % 7], ACTORS[number % 5]
            refused = RequestRefused(request, DIGEST, "reach", "DECLINED")
            kind, body, of = (
                ("request.made", RequestStep(request, DIGEST, "reach"), contract.digest),
                ("request.refused", refused, contract.digest),
                ("incident.too_much", Incident("LIMIT_EXCEEDED", "too much", "vendor"), None),
                ("peer.revoked", PeerRevoked("channel", vkey, "lost"), None),
                ("audit.read", AuditRead("audit.show"), None),
                ("incident.bad_message", Incident("BAD_REQUEST", "bad"), contract.digest),
            )[number % 6]
            group.append(kind, body, actor=actor, contract=of)


kinds = st.sampled_from(
    ["request", "request.refused", "incident", "incident.too_much", "peer.revoked", "audit"]
)
wanted = st.builds(
    Wanted,
    kinds=st.lists(kinds, max_size=2, unique=True).map(tuple),
    session=st.none() | st.sampled_from([REQUESTS[0], REQUESTS[3][:5], "0", "f" * 8]),
    contract=st.none() | st.just("test"),
    actor=st.none() | st.sampled_from(["operator", "session", "alice", "bob~console", "nobody"]),
    peer=st.none() | st.sampled_from(["channel", "vendor", "somebody"]),
)
days = st.none() | st.integers(-1, DAYS)


@settings(max_examples=10, deadline=None)
@given(wanted, days, days, st.integers(7, 60))
def test_walking_the_pages_finds_what_reading_every_entry_finds(party, wanted, since, until, most):
    first = party.clock() - (DAYS - 1) * 86_400
    asked = wanted.of(party)
    times = {
        name: None if day is None else _day(first, day)
        for name, day in (("since", since), ("until", until))
    }
    selection = Selection(**{**asked.__dict__, **times})
    entries = StoredLog(party.store, party.identity).entries()
    expected = [one.seq for one in selection.of(entries)][::-1]
    down = walk(party, selection, most, "before", -1, "older")
    assert [seq for some in down for seq in some] == expected
    if down:
        last = {"after": down[-1][-1] - 1}
        up = walk(party, selection, most, "after", 0, "newer", **last)
        assert [seq for some in reversed(up) for seq in some] == expected


def walk(party, selection, most, way, end, more, **start):
    """Return the places on each page, from a start until there are no more that way."""
    pages = []
    found = page_of(party.store, selection, most=most, **start)
    while found.entries:
        assert len(found.entries) <= most
        pages.append([one.seq for one in found.entries])
        if not getattr(found, more):
            break
        found = page_of(party.store, selection, most=most, **{way: pages[-1][end]})
    return pages


def _day(first, day):
    from datetime import UTC, datetime

    return format_time(datetime.fromtimestamp(first + day * 86_400 - 43_200, UTC))


def test_a_page_says_whether_there_are_more_on_either_side(party):
    found = page(party, Wanted())
    assert (found.newer, found.older, found.size) == (False, True, party.journal.size)
    oldest = page_of(party.store, Selection(), before=3, most=5)
    assert ([one.seq for one in oldest.entries], oldest.older, oldest.newer) == (
        [2, 1, 0],
        False,
        True,
    )


def test_a_beginning_that_many_requests_have_is_refused(party):
    def work(connection):
        with party.journal.group(connection) as group:
            for number in range(MOST_REQUESTS + 1):
                step = RequestStep(f"ab{number:030x}", DIGEST, "reach")
                digest = party.contract("test").digest
                group.append("request.made", step, actor="operator", contract=digest)

    party.store.write(work)
    with pytest.raises(PartyError, match="more of its digits"):
        page(party, Wanted(session="ab"))
    assert len(selected(party, Wanted(session="ab"))) == MOST_REQUESTS + 1
    assert len(page(party, Wanted(session=f"ab{0:029x}")).entries) == 16


def test_an_entry_is_found_by_its_place(party):
    assert entry_at(party.store, 5).seq == 5
    assert entry_at(party.store, party.journal.size) is None


def change(party, statement):
    party.store.record(lambda connection: connection.execute(statement))


@pytest.mark.parametrize("how", ["another kind", "nobody's", "left out", "one too many"])
def test_an_index_that_was_changed_does_not_verify(pair, how):
    party = pair["channel"]
    log, place = StoredLog(party.store, party.identity), 2
    verify_log(log)
    size = party.journal.size
    row = party.store.row(sa.select(LOG_INDEX).where(LOG_INDEX.c.seq == place))
    here = sa.update(LOG_INDEX).where(LOG_INDEX.c.seq == place)
    back = here.values(kind=row.kind, contract=row.contract)
    if how == "another kind":
        other = sa.select(LOG_WORDS.c.id).where(LOG_WORDS.c.word == "party.created")
        change(party, here.values(kind=other.scalar_subquery()))
    elif how == "nobody's":
        change(party, here.values(kind=999))
    elif how == "left out":
        change(party, sa.delete(LOG_INDEX).where(LOG_INDEX.c.seq == place))
        back = sa.insert(LOG_INDEX).values(**row._mapping)
    else:
        change(party, sa.insert(LOG_INDEX).values(**{**row._mapping, "seq": size}))
        back = sa.delete(LOG_INDEX).where(LOG_INDEX.c.seq == size)
    if how == "one too many":
        verify_log(log)  # no entry has it, so no page does
    else:
        with pytest.raises(VerificationError, match="the index of the log") as refused:
            verify_log(log)
        assert refused.value.entry == place
    change(party, back)
    verify_log(log)


def test_a_log_of_before_gets_the_index_that_it_would_have(party):
    """The migration that adds the index reads it out of the entries."""
    size = party.journal.size

    def rows(connection):
        return list(stored_rows(connection, size))

    written = party.store.read(rows)
    with party.store._engine.begin() as connection:
        command.downgrade(_alembic_config(connection), "0019")
    with party.store._engine.begin() as connection:
        command.upgrade(_alembic_config(connection), "head")
    assert party.store.read(rows) == written
    entries = StoredLog(party.store, party.identity).parsed()
    assert written == [(one.seq, words_of(one)) for one in entries]
    party.store.write(
        lambda connection: party.journal.append(
            connection, "audit.read", AuditRead("audit.filter", "new"), actor="somebody new"
        )
    )
    assert page(party, Wanted(actor="somebody new")).entries[0].seq == size
