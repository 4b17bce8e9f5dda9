"""What is found by an index is what reading everything finds.

Covers: lists that owe a run, evidence, lineage, the data map's figures, what is kept until when;
and that none of them reads the log from end to end. The other reading is here, written plainly.
"""

import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from hypothesis import given, settings
from hypothesis import strategies as st
from organisations import Wire, copy_pair, make_pair, run_both

from audit.bodies import (
    AuditRead,
    BudgetSpent,
    ConsentSnapshot,
    ConsentWithdrawn,
    ContractSigned,
    DatasetRegistered,
    Incident,
    ListDisclosed,
    ListSuppressed,
    SessionStarted,
    SubjectErasure,
)
from audit.deadlines import Deadlines
from party import catalogue
from party.activation import Order, export_list
from party.bundle import collect
from party.catalogue import data_map
from party.contract_terms import OutputKind
from party.datasets import inspect, load_definition
from party.desk import Desk
from party.evidence import StoredLog
from party.filing import Filing, Wanted
from party.kept import count_kept, kept, kept_of
from party.lineage import graph
from party.lineage.graph import _ABOUT_ONE, _Graph, lineage_of
from party.lists import Lists
from party.log_pages import entry_at
from party.request import Request
from party.request_parameters import Parameters
from party.retention import due
from party.schema import REQUESTS, RESULTS, SESSIONS
from party.standing import standing_of
from party.store import _alembic_config
from party.suppression.owed import owed_runs

DIGEST, DAY = "d" * 64, 86_400
ADVERTISER, CHANNEL = "advertiser", "channel"


@pytest.fixture(scope="module")
def used(tmp_path_factory, stores):
    """A pair that has made a list twice and two reports, with other entries between and around."""
    folder = tmp_path_factory.mktemp("used")
    parties, contract = make_pair(folder, stores, beside="result_days: 100\nsuppression_days: 2\n")
    made = []
    for number in range(2):
        for request in (match(contract), reach(contract)):
            read_the_log(parties)
            made.append(ask(parties, contract, request))
        if not number:
            register_again(folder, parties[ADVERTISER])
    found = Lists(parties[CHANNEL]).of_request(made[0].id)
    export_list(parties[CHANNEL], contract, found, Order("csv", folder / "out.csv"), actor="test")
    read_the_log(parties)
    yield parties, contract, made
    for party in parties.values():
        party.close()


def match(contract):
    return Request.match(
        contract, requester=ADVERTISER, receiver=CHANNEL, sender=ADVERTISER, now=int(time.time()),
        parameters=Parameters(suppression_runs=2),
    )  # fmt: skip


def reach(contract):
    return Request.crosstab(
        contract, OutputKind.REACH, requester=ADVERTISER, tabulator=CHANNEL, recipient=ADVERTISER,
        labels={CHANNEL: "frequency", ADVERTISER: "segment"}, now=int(time.time()),
    )  # fmt: skip


def ask(parties, contract, request):
    signed = Desk(parties[ADVERTISER]).make(request, contract, actor="test")
    Desk(parties[CHANNEL]).submit(ADVERTISER, signed)
    assert run_both(parties, signed, Wire()) == {ADVERTISER: None, CHANNEL: None}
    return signed


def register_again(folder, party):
    path = folder / "data" / ADVERTISER / "customers.yaml"
    definition = load_definition(path)
    party.keep_dataset(definition, inspect(definition), None)


def read_the_log(parties):
    for party in parties.values():
        party.store.write(
            lambda connection, party=party: party.journal.append(
                connection, "audit.read", AuditRead("audit.filter"), actor="operator"
            )
        )


def entries(party):
    return list(StoredLog(party.store, party.identity).parsed())


# -- nothing reads the log from end to end ---------------------------------------------------------


@pytest.fixture
def unread(monkeypatch):
    """Whoever reads the log's entries one after the other fails."""

    def refuse(*_):
        raise AssertionError("the whole log was read")

    monkeypatch.setattr(StoredLog, "_column", refuse)


@pytest.mark.usefixtures("unread")
def test_no_reader_of_some_of_the_log_reads_all_of_it(used):
    parties, _, made = used
    for party in parties.values():
        standing_of(party)
        due(party)
        (dataset,) = (one.name for one in party.datasets())
        assert data_map(party, dataset).uses
        assert lineage_of(party, dataset).nodes
        for request in made:
            assert lineage_of(party, request.id).nodes
            assert collect(party, Filing(party).find(request.id)).entries


# -- lists that owe a run --------------------------------------------------------------------------

LISTS = [f"{number:032x}" for number in range(3)]
steps = st.lists(
    st.tuples(
        st.integers(0, 3),  # days since the step before
        st.sampled_from(["disclosed", "suppressed", "withdrawn", "erased", "read"]),
        st.sampled_from(LISTS),
    ),
    max_size=14,
)


@settings(max_examples=20, deadline=None)
@given(steps, st.integers(0, 12))
def test_lists_that_owe_a_run_are_those_that_the_whole_log_tells(logged, said, later):
    party, contract = logged
    with pytest.MonkeyPatch.context() as patch:
        other = replace(contract, suppression_days=3, list_expiry_days=5)
        patch.setattr(party, "contracts", lambda: [other])
        before = party.journal.size
        at = last(party) + timedelta(days=60)  # what was out before is out no more
        disclosed = {}
        party.store.write(lambda connection: write(party, connection, other, at, said, disclosed))
        now = last(party).timestamp() + later * DAY
        patch.setattr(party, "clock", lambda: now)
        told = Deadlines()
        for entry in StoredLog(party.store, party.identity).parsed():
            told.admit(entry)
        assert owed_runs(party) == told.owed(party.now)
        assert party.journal.size == before + len(said) + 1


@pytest.fixture(scope="module")
def logged(ready, tmp_path_factory, stores):
    parties, contract = copy_pair(ready, tmp_path_factory.mktemp("logged"), stores)
    yield parties[ADVERTISER], contract
    for party in parties.values():
        party.close()


def last(party):
    return datetime.fromtimestamp(entry_at(party.store, party.journal.size - 1).seconds, UTC)


def write(party, connection, contract, at, said, disclosed):
    """Write what happened to lists, each under an id of this log alone."""
    with party.journal.group(connection) as group:
        first = party.journal.size
        group.append(
            "contract.signed", signed(party, contract), actor="test", contract=contract.digest,
            moment=at,
        )  # fmt: skip
        for days, what, which in said:
            at += timedelta(days=days)
            request = f"{first:08x}{which[8:]}"
            session, named = DIGEST, contract.digest
            if what == "suppressed" and request not in disclosed:
                what = "read"
            match what:
                case "disclosed":
                    made = disclosed.setdefault(request, int(at.timestamp()))
                    ends = contract.list_expires_at(made)  # of the request, however often told
                    kind, body = "list.disclosed", ListDisclosed(request, CHANNEL, DIGEST, ends)
                case "suppressed":
                    kind, body = "list.suppressed", ListSuppressed(request, CHANNEL, 1, DIGEST)
                case "withdrawn":
                    kind, body = "consent.withdrawn", ConsentWithdrawn(DIGEST, DIGEST)
                case "erased":
                    kind, body = "subject.erasure", SubjectErasure(DIGEST)
                case _:
                    kind, body = "audit.read", AuditRead("audit.filter")
            if what not in ("disclosed", "suppressed"):
                session = named = None
            group.append(kind, body, actor="test", session=session, contract=named, moment=at)


def signed(party, contract):
    body = next(one.body for one in entries(party) if one.kind == "contract.signed")
    assert isinstance(body, ContractSigned)
    return replace(body, suppression_seconds=contract.suppression_days * DAY)


# -- evidence and lineage --------------------------------------------------------------------------


def test_evidence_has_what_the_whole_log_says_of_a_request(used):
    parties, contract, made = used
    incident(parties[ADVERTISER], contract, made[1])
    for party in parties.values():
        for request in made:
            found = collect(party, Filing(party).find(request.id)).entries
            assert list(found) == rested_on(party, request, contract.me(party.identity))


def incident(party, contract, request):
    """Log an incident in the session of a request, and one in none."""
    (ended,) = (one for one in entries(party) if one.kind == "session.finished"
                and one.body.request == request.id)  # fmt: skip

    def work(connection):
        for session in (ended.session, None):
            party.journal.append(
                connection, "incident.bad_message", Incident("BAD_REQUEST", "no set"),
                actor="session", session=session, contract=contract.digest if session else None,
            )  # fmt: skip

    party.store.write(work)


def rested_on(party, request, me):
    """Return what evidence for a request has, of all entries."""
    whole = entries(party)
    own = [one for one in whole if getattr(one.body, "request", None) == request.id]
    (started,) = (one for one in own if isinstance(one.body, SessionStarted))
    charged = [one for one in own if isinstance(one.body, BudgetSpent)]
    sessions = {one.session for one in own} - {None}

    def is_beneath(entry):
        match entry.body:
            case ContractSigned():
                return entry.contract == request.contract
            case ConsentSnapshot():
                return entry.body.sequence == started.body.consent.sequence
            case BudgetSpent():
                return entry.seq < charged[-1].seq and any(
                    entry.body.population == one.body.population
                    and entry.seconds >= one.body.window
                    for one in charged
                )
            case Incident():
                return entry.session in sessions
        return entry.seq == 0

    registered = [
        one
        for one in whole[: started.seq]
        if isinstance(one.body, DatasetRegistered) and one.body.name == request.datasets[me]
    ]
    found = {one.seq: one for one in (*own, *filter(is_beneath, whole), registered[-1])}
    return [found[seq] for seq in sorted(found)]


def whole_graph(party, request=None):
    """Return the graph of all entries that may make a node, of one request alone if it is given."""
    made = _Graph(party)
    made.admit(
        one
        for one in entries(party)
        if one.kind in ("dataset.registered", "consent.snapshot")
        or (one.kind in _ABOUT_ONE and request in (None, one.body.request))
    )
    return made


def test_lineage_is_that_of_the_whole_log(used):
    parties, _, made = used
    for party in parties.values():
        for request in made:
            whole = whole_graph(party, request.id).part([f"result:{request.id}"])
            assert lineage_of(party, request.id) == whole
        (dataset,) = (one.name for one in party.datasets())
        whole = whole_graph(party)
        about = [one for one in whole.nodes if one.startswith(f"dataset:{dataset}:")]
        assert lineage_of(party, dataset) == whole.part(about)


def test_lineage_of_a_dataset_has_its_newest_requests_and_says_how_many_are_left_out(
    used, monkeypatch
):
    parties, _, made = used
    monkeypatch.setattr(graph, "MOST", 1)
    found = lineage_of(parties[ADVERTISER], "customers")
    assert found.left_out == len(made) - 1
    sessions = [one for one in found.nodes if one.startswith("session:")]
    assert sessions == [f"session:{made[-1].id}"]


# -- the data map and what is kept -----------------------------------------------------------------


def test_a_data_map_counts_all_and_names_the_newest(used, monkeypatch):
    parties, _, made = used
    for party in parties.values():
        (dataset,) = (one.name for one in party.datasets())
        whole = data_map(party, dataset)
        assert [one.request for one in whole.uses] == [one.id for one in made]
        told = Counter(type(one.body) for one in entries(party))
        assert whole.source["times_registered"] == told[DatasetRegistered]
        assert whole.consent["snapshots"] == told[ConsentSnapshot] == len(made)
        assert whole.consent["purposes_used"] == sorted({one.purpose for one in made})
        with monkeypatch.context() as patch:
            patch.setattr(catalogue, "MOST", 1)
            newest = data_map(party, dataset)
        assert newest.recipients == whole.recipients
        assert (newest.uses, newest.uses_before) == (whole.uses[-1:], len(made) - 1)
        assert newest.retention == whole.retention[:1]


def test_what_is_kept_is_found_by_its_end_and_counted(used, monkeypatch):
    parties, *_ = used
    for party in parties.values():
        whole = kept(party)
        assert {one.what for one in whole} >= {"dataset", "session", "result"}
        ends = sorted({one.ends_at for one in whole if one.ends_at is not None})
        for end in ends:
            for until in (end - 1, end):
                expected = [one for one in whole if one.has_ended(until)]
                assert kept(party, until=until) == expected
        for most in range(len(whole) + 1):
            assert kept(party, most=most) == whole[:most]
        (dataset,) = (one.name for one in party.datasets())
        assert kept_of(party, dataset, most=100) == whole
        assert kept_of(party, "another", most=100) == []
        counts, endless = count_kept(party)
        assert counts == Counter(one.what for one in whole)
        assert endless == Counter(one.what for one in whole if one.ends_at is None)


def test_ends_are_those_that_the_contract_states(used):
    parties, contract, _ = used
    for party in parties.values():
        ends = {(one.what, one.name): one.ends_at for one in kept(party)}
        rows = party.store.rows(SESSIONS.select())
        for row in rows:
            request = Filing(party).find(row.request).request
            end = contract.session_ends_at(row.ended_at)
            if request.parameters.suppression_runs:
                end = max(end, contract.list_expires_at(request.created))
            assert ends["session", row.request] == end
            result = party.store.row(RESULTS.select().where(RESULTS.c.request == row.request))
            end = max(contract.result_ends_at(result.made_at), result.expires_at or 0)
            assert ends["result", row.request] == end


def test_lists_are_paged_newest_first(used):
    parties, _, made = used
    lists = Lists(parties[CHANNEL])
    first, second = lists.held()
    assert {first.request.id, second.request.id} == {
        one.id for one in made if one.kind is OutputKind.MATCH
    }
    assert lists.held(most=1) == [first]
    assert lists.held(before=first.request.id) == [second]
    assert lists.held(before=second.request.id) == []


def test_requests_are_found_by_what_they_ask_of(used):
    parties, contract, made = used
    filing = Filing(parties[ADVERTISER])

    def found(**wanted):
        return [one.id for one in reversed(filing.all(Wanted(**wanted)))]

    ids = [one.id for one in made]
    assert found(dataset="customers") == found(contract=contract.digest) == ids
    assert found(dataset="receipts") == found(contract="0" * 64) == []
    assert found(asked_after=made[0].created - 1) == ids
    assert found(asked_after=made[-1].created) == found(changed_after=2**40) == []
    for request in made:
        for digits in (request.id, request.id[:20]):
            assert filing.find(digits).id == request.id


# -- stores of before ------------------------------------------------------------------------------


def test_a_store_of_before_gets_the_columns_that_it_would_have(used):
    parties, *_ = used
    for party in parties.values():
        store = party.store

        def columns(store=store):
            return [
                sorted(tuple(row) for row in store.rows(table.select()))
                for table in (REQUESTS, RESULTS, SESSIONS)
            ]

        written = columns()
        for to, how in (("0022", command.downgrade), ("head", command.upgrade)):
            with store._engine.begin() as connection:
                how(_alembic_config(connection), to)
        assert columns() == written
        (dataset,) = (one.name for one in party.datasets())
        assert data_map(party, dataset).consent["snapshots"] > 0
