"""What is told of sessions, and what the log says that a result rests on.

Covers: events of finished and failed sessions at both parties, their digests and proofs, a kill
between the event and its file, a server that is down, refuses, redirects; the graph from source to
export. The published schemas of OpenLineage are held against these events by `make openlineage`,
which needs a checkout of them; here our own facets are held against docs/lineage-facets.json.
"""

import json
import threading
import time
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from xml.etree import ElementTree as ET

import pytest
import sqlalchemy as sa
from openlineage_schema import facets_in, problems, registry_of
from organisations import Wire, copy_pair, make_pair, run_both

from audit.bodies import LineageEmitted
from audit.tlog_proof import LogProof, verify_proof
from client.output import as_text
from client.render_lineage import lineage_shown, lineage_svg
from party.contract_terms import OutputKind
from party.desk import Desk
from party.errors import LineageError, Refusal
from party.evidence import StoredLog, verify_log
from party.lineage import delivery
from party.lineage.event import run_id
from party.lineage.graph import lineage_of
from party.request import Request
from party.retention import prune
from party.schema import LINEAGE_EVENTS
from party.settings import Settings
from party.terms import Terms


@pytest.fixture(scope="module")
def rested(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rested")
    parties, _ = make_pair(folder)
    for party in parties.values():
        party.close()
    return folder


def filed(parties, contract, request):
    signed = Desk(parties["advertiser"]).make(request, contract, actor="operator")
    Desk(parties["channel"]).submit("advertiser", signed)
    return signed


def ask(parties, contract, request):
    signed = filed(parties, contract, request)
    assert run_both(parties, signed, Wire()) == {"advertiser": None, "channel": None}
    return signed


def reach(contract):
    return Request.crosstab(
        contract, OutputKind.REACH, requester="advertiser", recipient="advertiser",
        tabulator="channel", labels={"advertiser": "segment", "channel": "frequency"},
        now=int(time.time()),
    )  # fmt: skip


@pytest.fixture(scope="module")
def measured(rested, tmp_path_factory):
    """A match and a report, carried to their ends."""
    parties, contract = copy_pair(rested, tmp_path_factory.mktemp("measured"))
    now = int(time.time())
    match = Request.match(
        contract, requester="advertiser", receiver="advertiser", sender="channel", now=now
    )
    asked = [ask(parties, contract, match), ask(parties, contract, reach(contract))]
    yield parties, asked
    for party in parties.values():
        party.close()


def events(party):
    files = sorted((party.folder / "lineage").glob("*.json"))
    return {file: json.loads(file.read_text(encoding="utf-8")) for file in files}


def emitted(party):
    parsed = StoredLog(party.store, party.identity).parsed()
    return {entry.seq: entry for entry in parsed if isinstance(entry.body, LineageEmitted)}


def test_each_event_has_a_file_whose_digest_is_in_the_log(measured):
    for party in measured[0].values():
        told = {
            f"{seq:010d}-{entry.body.event}.json": entry.body.digest
            for seq, entry in emitted(party).items()
        }
        files = {f.name: sha256(f.read_bytes()).hexdigest() for f in events(party)}
        assert files == told
        assert [name.partition("-")[2] for name in files] == ["START.json", "COMPLETE.json"] * 2
        verify_log(StoredLog(party.store, party.identity))


def test_events_are_what_our_facets_say_and_hold_no_exact_count_of_people(measured):
    registry = registry_of(None)
    for party in measured[0].values():
        for event in events(party).values():
            assert list(problems(event, registry, ours_alone=True)) == []
            names = {name for _, facet in facets_in(event) for name in facet}
            assert not names & {"people", "count", "audience", "columnMetrics", "inputStatistics"}
            rows = [f["rowCount"] for _, f in facets_in(event) if "rowCount" in f]
            assert rows in ([], [2 * 3])  # labels by labels, which the request fixes


def test_a_facet_that_is_not_as_it_is_described_is_found(measured):
    event = next(iter(events(measured[0]["channel"]).values()))
    event["run"]["facets"]["commonground_privacySpend"]["charges"][0]["people"] = 60
    event["run"]["facets"]["commonground_session"].pop("contract")
    assert len(list(problems(event, registry_of(None), ours_alone=True))) == 2


def test_start_and_complete_are_of_one_run_and_the_parties_have_a_run_each(measured):
    parties, asked = measured
    runs = {
        name: [event["run"]["runId"] for event in events(party).values()]
        for name, party in parties.items()
    }
    for name, found in runs.items():
        wanted = [str(run_id(f"commonground://{name}.test/log", one.id)) for one in asked]
        assert found == [wanted[0], wanted[0], wanted[1], wanted[1]]
    assert not set(runs["advertiser"]) & set(runs["channel"])


def test_the_event_of_a_table_says_its_noisy_total_and_no_other_event_has_one(measured):
    parties, asked = measured
    mean = Terms.of(asked[1]).table_laws.dummies.mean
    for party in parties.values():
        table = Desk(party).result(asked[1].id)["table"]
        total = sum(map(sum, table["counts"])) - sum(map(len, table["counts"])) * mean
        *others, last = events(party).values()
        facet = last["outputs"][0]["outputFacets"]["commonground_noisyCounts"]
        assert facet["matched"] == total
        assert facet["standardError"] > 1
        assert "commonground_noisyCounts" not in json.dumps(others)


def test_an_event_says_input_consent_spend_and_masked_columns(measured):
    parties, asked = measured
    *_, event = events(parties["channel"]).values()
    log = {entry.kind: entry.body for entry in _of(parties["channel"], asked[1])}
    facets = event["run"]["facets"]
    assert event["job"]["name"] == "test.reach"
    own, theirs = event["inputs"]
    assert own["facets"]["version"]["datasetVersion"] == log["session.started"].input_root
    assert "version" not in theirs["facets"]
    assert {"name": "email", "type": "id.email"} in own["facets"]["schema"]["fields"]
    consent, taken = facets["commonground_consentSnapshot"], log["consent.snapshot"]
    assert (consent["root"], consent["purpose"]) == (taken.root, taken.purpose)
    [charge] = facets["commonground_privacySpend"]["charges"]
    assert charge["epsilonNano"] == log["budget.spent"].epsilon_nano > 0
    lineage = event["outputs"][0]["facets"]["columnLineage"]["fields"]
    assert set(lineage) == {"receipts.frequency", "customers.segment", "count"}
    assert {one["transformationType"] for one in lineage.values()} == {"MASKED"}
    assert event["outputs"][0]["facets"]["ownership"]["owners"][0]["name"] == "The advertiser"


def test_the_proof_in_an_event_is_of_the_entry_that_it_names(measured):
    party = measured[0]["advertiser"]
    stored = list(StoredLog(party.store, party.identity).entries())
    for event in events(party).values():
        facet = event["run"]["facets"]["commonground_logProof"]
        entry = stored[facet["entry"]]
        proven = verify_proof(
            LogProof.parse(facet["receipt"]), party.identity.verifier, entry=entry
        )
        assert proven.index == facet["entry"]
        assert json.loads(entry)["kind"] == facet["kind"]
        assert json.loads(entry)["time"] == event["eventTime"]


def _of(party, request):
    """Yield the entries of a request, and the snapshots, of which its own is the last."""
    for entry in StoredLog(party.store, party.identity).parsed():
        if entry.kind == "consent.snapshot" or getattr(entry.body, "request", "") == request.id:
            yield entry


def test_a_session_that_fails_is_told_as_failed(rested, tmp_path):
    parties, contract = copy_pair(rested, tmp_path)
    signed = filed(parties, contract, reach(contract))
    ended = run_both(parties, signed, Wire(), channel={"tamper": spoil_the_end})
    assert all(isinstance(error, Refusal) for error in ended.values())
    told = list(events(parties["advertiser"]).values())
    assert [event["eventType"] for event in told] == ["START", "FAIL"]
    assert told[1]["run"]["facets"]["errorMessage"]["message"] == "TRANSCRIPT_MISMATCH"
    assert told[1]["outputs"] == []
    found = lineage_of(parties["advertiser"], signed.id)
    assert found.nodes[found.about[0]].details["failed"] == "TRANSCRIPT_MISMATCH"
    for party in parties.values():
        party.close()


def spoil_the_end(kind, data):
    return data[:-1] + bytes([data[-1] ^ 1]) if kind == "Closing" else data


def test_a_kill_before_the_file_leaves_it_for_the_next_time(measured):
    party = measured[0]["advertiser"]
    before = {file: file.read_bytes() for file in events(party)}
    first = min(before)
    first.unlink()
    party.store.write(
        lambda c: c.execute(
            sa.update(LINEAGE_EVENTS)
            .where(LINEAGE_EVENTS.c.seq == min(emitted(party)))
            .values(filed_at=None)
        )
    )
    prune(party)
    assert {file: file.read_bytes() for file in events(party)} == before


@contextmanager
def server(answers):
    """Take what is posted, and answer with the next code; yield the address and what came."""
    came = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append((self.path, self.headers.get("Authorization"), body))
            self.send_response(next(answers, 201))
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, *words):
            pass

    listener = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}/api/v1/lineage", came
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


def test_a_server_gets_every_event_in_order_once_and_a_refusal_holds_up_nothing(
    measured, monkeypatch
):
    party = measured[0]["channel"]
    monkeypatch.setenv(delivery.TOKEN_VARIABLE, "t0ken")
    with server(iter([201, 500, 302])) as (url, came):
        party.settings = Settings(organisation="x", lineage_url=url)
        for code in ("500", "302"):
            with pytest.raises(LineageError, match=f"answered {code}"):
                delivery.send_events(party)
        assert len(delivery.waiting(party)) == 3
        assert delivery.send_events(party) == 3
        assert delivery.send_events(party) == 0
    bodies = [body for _, _, body in came]
    files = [file.read_bytes() for file in sorted(events(party))]
    assert bodies == [files[0], files[1], files[1], *files[1:]]
    assert {(path, token) for path, token, _ in came} == {("/api/v1/lineage", "Bearer t0ken")}


def test_a_server_that_is_not_there_is_said_and_a_token_goes_over_tls_alone(measured, monkeypatch):
    party = measured[0]["advertiser"]
    party.settings = Settings(organisation="x", lineage_url="http://127.0.0.1:1/api")
    with pytest.raises(LineageError, match=r"does not answer.*lineage send"):
        delivery.send_events(party)
    monkeypatch.setenv(delivery.TOKEN_VARIABLE, "t0ken")
    party.settings = Settings(organisation="x", lineage_url="http://marquez.example/api")
    with pytest.raises(LineageError, match="not https"):
        delivery.send_events(party)
    assert len(delivery.waiting(party)) == 4


# -- the graph -------------------------------------------------------------------------------------


def kinds(lineage):
    return [node.kind for node in lineage.nodes.values()]


def test_a_report_leads_back_to_the_source_by_entries_of_the_log(measured):
    parties, asked = measured
    found = lineage_of(parties["channel"], asked[1].id[:8])
    assert sorted(kinds(found)) == sorted(
        ["source", "dataset", "dataset", "consent", "session", "spend", "release", "result", "use"]
    )
    log = list(StoredLog(parties["channel"].store, parties["channel"].identity).parsed())
    expected = {
        "dataset": "dataset.registered", "consent": "consent.snapshot", "use": None,
        "session": "session.started", "spend": "budget.spent", "release": "report.released",
        "result": "session.finished",
    }  # fmt: skip
    for node in found.nodes.values():
        if node.entry is not None:
            assert log[node.entry].kind == expected[node.kind]
            assert log[node.entry].time == node.time
    source = next(node for node in found.nodes.values() if node.kind == "source")
    registered = parties["channel"].dataset("receipts")
    assert (source.name, source.details["snapshot"]) == ("receipts.csv", registered.snapshot)
    way, at = [], found.about[0]
    while at:
        way.append(found.nodes[at].kind)
        at = next(iter(found.before[at]), None)
    assert way == ["result", "release", "spend", "session", "consent", "dataset", "source"]


def test_a_dataset_leads_on_to_everything_that_was_made_of_it(measured):
    parties, asked = measured
    found = lineage_of(parties["advertiser"], "customers")
    results = {one.details["request"] for one in found.nodes.values() if one.kind == "result"}
    assert results == {one.id for one in asked}
    [about] = found.about
    assert found.nodes[about].kind == "dataset"


def test_the_tree_and_the_picture_name_every_step(measured):
    parties, asked = measured
    found = lineage_of(parties["advertiser"], asked[0].id)
    text = as_text(*lineage_shown(found))
    for words in ("result, match", "consent snapshot", "source customers.csv", "channel's receipts",
                  "received by advertiser", "ε 1, δ 1e-9"):  # fmt: skip
        assert words in text
    picture = ET.fromstring(lineage_svg(found))
    titles = [one.text for one in picture.iter("{http://www.w3.org/2000/svg}title")][1:]
    assert len(titles) == len(found.nodes)
    paths = picture.iter("{http://www.w3.org/2000/svg}path")
    assert sum(one.get("fill") == "none" for one in paths) == len(found.edges)


def test_what_is_not_here_is_said(measured):
    with pytest.raises(LineageError, match="no dataset, list or request"):
        lineage_of(measured[0]["advertiser"], "nothing-like-it")
