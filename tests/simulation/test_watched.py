"""What an operator sees from outside: what a session waits for, and figures over HTTP.

Real parties with stores; sessions over links in memory, HTTP on loopback in this process.
"""

import logging
import re
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from organisations import Wire, WireLink, file_match, make_pair, run_both
from prometheus_client.parser import text_string_to_metric_families

from client.output import as_text
from client.render_status import status_document, status_shown
from party.desk import Desk
from party.doing import Doing
from party.errors import SessionSuspended
from party.events import Event, note
from party.http_token import METRICS_FILE, read_token, token_path
from party.standing import standing_of
from party.watch import Watch
from server.http import start_http

SECONDS = 60


@pytest.fixture
def pair(tmp_path):
    parties, contract = make_pair(
        tmp_path, addresses={"advertiser": "advertiser.test:7443", "channel": None}
    )
    yield parties, contract
    for party in parties.values():
        party.close()


def sessions_of(party):
    return status_document(party, standing_of(party))["sessions"]


def shown(party):
    return " ".join(as_text(status_shown(party, standing_of(party))).split())  # lines may wrap


def until(ready):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        found = ready()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come to that")


@pytest.fixture
def alone(pair):
    """The channel's session runs, and its counterpart says nothing; yields the request and wire."""
    request, wire = file_match(*pair), Wire()
    party = pair[0]["channel"]
    link = WireLink(wire, "channel", "advertiser", Desk(party).folder(request.id))
    run = threading.Thread(target=_run, args=(party, request, link))
    run.start()
    yield request, wire
    wire.down.add("advertiser")
    wire.tell()
    run.join(SECONDS)


def _run(party, request, link):
    with suppress(SessionSuspended):  # the counterpart is gone at the end
        Desk(party).run(request, {"advertiser": link})


def test_status_says_for_whom_a_session_waits_for_what_and_since_when(pair, alone):
    party, began = pair[0]["channel"], int(time.time())

    def greeting():
        (one,) = sessions_of(party) or [{"what": None}]
        return one if one["what"] == "greeting" else None

    one = until(greeting)
    assert (one["state"], one["waits_for"]) == ("running", "advertiser")
    assert began - SECONDS <= one["what_since"] <= time.time()
    assert "running, waits for advertiser: greeting, since " in shown(party)


def test_status_says_who_goes_on_with_a_suspended_session(pair):
    """The advertiser alone can be dialled, so it is the channel that dials."""
    request = file_match(*pair)
    run_both(pair[0], request, Wire(), channel={"dies_at": "Nonce"})
    for name, waits_for, words in (
        ("channel", "channel", f"waits for you: requests resume {request.id[:8]}"),
        ("advertiser", "channel", "waits for channel to dial again"),
    ):
        (one,) = sessions_of(pair[0][name])
        assert (one["state"], one["waits_for"]) == ("suspended", waits_for), name
        assert words in shown(pair[0][name])
        assert one["what_since"] >= one["since"]


def test_what_is_told_names_steps_and_no_size():
    told, clock = [], iter(range(100, 200))
    spans = []
    trace = SimpleNamespace(turn_to=lambda what, peer: spans.append((what, peer)))
    watch = Watch(told.append, lambda: next(clock), trace)
    with watch.waiting("channel", "step 3"):
        pass
    assert [Doing.read(line) for line in told] == [
        Doing("reading its own data", 100),
        Doing("step 3", 101, "channel"),
        Doing("reading its own data", 102),
    ]
    assert spans == [("reading its own data", ""), ("step 3", "channel"), spans[0]]
    assert Doing.read(None) is None
    assert Doing.read('{"what": "ste') is None
    assert Doing.read('{"other": 1}') is None


# -- metrics ---------------------------------------------------------------------------------------


@pytest.fixture
def served(pair):
    party = pair[0]["advertiser"]
    listener = start_http(party, "127.0.0.1:0", lambda service: None)
    yield party, listener.url
    listener.stop()


def scrape(party, url, file=METRICS_FILE):
    token = read_token(token_path(party.folder, file))
    asked = urllib.request.Request(f"{url}/metrics", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked, timeout=SECONDS) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return answer.read().decode()


def samples(text):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_have_a_token_of_their_own_that_does_not_open_the_log(served):
    party, url = served
    assert "commonground_store_up 1.0" in scrape(party, url)
    for file, path in (("http.token", "metrics"), (METRICS_FILE, "checkpoint"), (None, "metrics")):
        headers = {}
        if file is not None:
            headers["Authorization"] = f"Bearer {read_token(token_path(party.folder, file))}"
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(f"{url}/{path}", headers=headers))
        assert caught.value.code == 401


def test_metrics_tell_of_sessions_events_log_and_budgets(pair, served, caplog):
    party, url = served
    caplog.set_level(logging.INFO, logger="commonground")
    log = logging.getLogger("commonground.serve")
    request = file_match(*pair)
    assert set(run_both(pair[0], request, Wire()).values()) == {None}
    note(log, Event("session.finished", request.id, "channel", "match", seconds=12.0), "done")
    note(log, Event("session.refused", request.id, status="BELOW_MINIMUM"), "refused")
    note(log, Event("session.refused", request.id, status="x@y.z"), "a status that is none")
    found = samples(scrape(party, url))
    assert found["commonground_events_total", ("event", "session.refused")] == 2
    assert found["commonground_refusals_total", ("status", "BELOW_MINIMUM")] == 1
    assert not [key for key in found if ("status", "x@y.z") in key]
    kind = ("kind", "match")
    assert found["commonground_session_duration_seconds_sum", kind] == 12
    assert found["commonground_session_duration_seconds_bucket", kind, ("le", "15.0")] == 1
    assert found["commonground_session_duration_seconds_bucket", kind, ("le", "5.0")] == 0
    assert found["commonground_log_entries",] == party.journal.size
    assert 0 < found["commonground_log_cosigned_entries",] <= party.journal.size
    assert found["commonground_contracts_in_force",] == 1
    assert found["commonground_sessions", ("state", "suspended")] == 0
    (left,) = [value for key, value in found.items() if key[0].endswith("budget_epsilon_left")]
    assert 0 < left < 10


def test_no_metric_has_a_request_an_identifier_or_a_count_of_people(pair, served):
    """60 and 70 people, of whom 40 match: no figure is one of these, and nobody is named."""
    party, url = served
    request = file_match(*pair)
    run_both(pair[0], request, Wire())
    text = scrape(party, url)
    ours = {key: value for key, value in samples(text).items() if key[0].startswith("commonground")}
    assert not {60, 70, 40, 80, 140} & set(ours.values()), ours
    assert request.id[:8] not in text
    assert not re.search(r"person\d+|@|ref\d|555-", text)
    known = ["event", "status", "kind", "le", "state", "by", "population", "coalition", "version"]
    assert {name for key in ours for name, _ in key[1:]} <= set(known)


def test_names_follow_the_conventions(served):
    for family in text_string_to_metric_families(scrape(*served)):
        assert re.fullmatch(r"(commonground|process)_[a-z0-9_]+", family.name)
        assert family.documentation
        if family.type == "counter":
            assert all(s.name.endswith(("_total", "_created")) for s in family.samples)


def test_a_store_that_does_not_answer_is_told_and_ends_nothing(served):
    party, url = served
    party.store.write(lambda c: c.execute(sa.text("ALTER TABLE requests RENAME TO gone")))
    try:
        assert samples(scrape(party, url))["commonground_store_up",] == 0
    finally:
        party.store.write(lambda c: c.execute(sa.text("ALTER TABLE gone RENAME TO requests")))
    assert samples(scrape(party, url))["commonground_store_up",] == 1
