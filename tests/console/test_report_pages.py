"""The analyst's path and the operator's, page by page, without JavaScript."""

import re
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from html import unescape

import pytest
from interleaved import doing
from organisations import Wire, file_match, make_pair, run_both
from report_paths import hidden, links, quoted_reach
from visitors import NAMES, PASSWORD, PLACE, Visitor, bearer

from audit.roles import Role
from client.cancelling import Cancelled
from client.carrying import Carrier
from client.console import running, under_way
from client.console.app import make_app
from client.request_words import state_in_words
from languages import ENGLISH
from party.decision import Decision
from party.desk import Desk
from party.errors import PartyError, RefusalStatus
from party.filing import PENDING, Filing, Wanted
from party.request import Request
from party.staff.accounts import Staff

SECONDS = 60


@pytest.fixture
def idle(app, monkeypatch):
    """Keep the background from dialling anybody: what it was told to carry is in the list."""
    begun = []
    monkeypatch.setattr(
        app.state.console.runner, "begin", lambda request, account: begun.append((request, account))
    )
    return begun


def _asked(app, analyst, idle):
    page = quoted_reach(analyst)
    values = {**hidden(page.partition('action="/reports"')[2].partition("</form>")[0])}
    answers = [analyst.client.post("/reports", data=values) for _ in range(2)]
    assert {one.status_code for one in answers} == {200}
    return values["key"]


def _carry_out(parties, key):
    request = Desk(parties["advertiser"]).find(key).request
    Desk(parties["channel"]).submit("advertiser", request)
    assert run_both(parties, request, Wire()) == dict.fromkeys(parties)


def test_a_report_is_asked_for_once_however_often_it_is_clicked(app, parties, signed_in, idle):
    before = Filing(parties["advertiser"]).count(Wanted())
    key = _asked(app, signed_in(Role.ANALYST), idle)
    assert Filing(parties["advertiser"]).count(Wanted()) == before + 1
    assert idle == [(key, "ana~console")]
    assert Desk(parties["advertiser"]).find(key).request.id == key


def test_a_finished_report_is_shown_and_handed_out(app, parties, signed_in, idle):
    analyst = signed_in(Role.ANALYST)
    key = _asked(app, analyst, idle)
    _carry_out(parties, key)
    page = analyst.get(f"/reports/{key}").text
    assert "Shareable" in page
    assert "<script>" not in page
    assert 'style="' not in page
    drawn = ("/html?", "/png?")  # held by the tests of the page; a PDF is drawn here alone
    for address in links(page, "/files/"):
        if any(form in address for form in drawn):
            continue
        answer = analyst.get(address)
        assert answer.status_code == 200, address
        assert "attachment" in answer.headers["content-disposition"]
    chart = re.findall(r'<img src="([^"]*/charts/[^"]*)"', page)
    assert analyst.get(unescape(chart[0])).text.startswith("<svg")
    assert "such as 1=5000" in page
    spent = analyst.get(f"/reports/{key}/files/json", params={"cost": "1=100\n2=50.5"})
    assert spent.json()["costs"] == {"1": "100", "2": "50.5"}
    private = analyst.get(f"/reports/{key}?kind=private").text
    assert "not to be passed on" in private
    assert (
        "-private"
        in analyst.get(f"/reports/{key}/files/csv?kind=private").headers["content-disposition"]
    )


def _quoted_by_type(analyst):
    """Go from the list of grants to the quote of an overlap by identifier; return its page."""
    chosen = links(analyst.get("/reports/new").text, "by_identifier=yes")
    form = analyst.get(chosen[0]).text
    quoted = analyst.get("/reports/new/quote", params={**hidden(form), "epsilon": "0.5"})
    assert quoted.status_code == 200, quoted.text
    return quoted.text


def test_an_overlap_by_identifier_is_quoted_asked_and_shown_as_one(parties, signed_in, idle):
    analyst, party = signed_in(Role.ANALYST), parties["advertiser"]
    page = _quoted_by_type(analyst)
    assert re.search(r"<th[^>]*>advertiser.*?</th><td>counts</td>.*?>3<", page)  # 2 × (0.5 + 1)
    values = hidden(page.partition('action="/reports"')[2].partition("</form>")[0])
    for _ in range(2):
        answer = analyst.client.post("/reports", data=values)
        assert answer.status_code == 200, answer.text
    assert "One request for each type" in answer.text
    assert {"phone", "email"} == set(re.findall("are shared, by ([a-z]+)<", answer.text))
    asked = {Desk(party).find(request).request.identifiers: request for request, _ in idle}
    assert len(asked) == len(set(asked.values())) == 2
    for number, request in enumerate(asked.values()):
        signed = Desk(party).find(request).request
        Desk(parties["channel"]).submit("advertiser", signed)
        assert run_both(parties, signed, Wire()) == dict.fromkeys(parties)
        shown = analyst.get(f"/reports/{request}?types=all").text
        assert ("Overlap by identifier</h1>" in shown) == (number == 1)
    for place in ("reports", "requests"):
        assert f"/reports/{request}?types=all" in analyst.get(f"/{place}/{request}").text
    for (kind,) in asked:
        assert f"{kind}: " in shown
    as_csv = links(shown, "/files/csv?")[0]
    assert analyst.get(as_csv).text.count("matched") == 2
    chart = unescape(re.findall(r'<img src="([^"]*/charts/[^"]*)"', shown)[0])
    assert analyst.get(chart).text.startswith("<svg")


def test_a_type_that_was_refused_is_named_beside_those_that_were_found(parties, signed_in, idle):
    analyst, party = signed_in(Role.ANALYST), parties["advertiser"]
    page = _quoted_by_type(analyst)
    values = hidden(page.partition('action="/reports"')[2].partition("</form>")[0])
    analyst.client.post("/reports", data=values)
    asked = {Desk(party).find(one).request.identifiers[0]: one for one, _ in idle}
    signed = Desk(party).find(asked["email"]).request
    Desk(parties["channel"]).submit("advertiser", signed)
    assert run_both(parties, signed, Wire()) == dict.fromkeys(parties)
    refusal = Decision("refused", RefusalStatus.DECLINED, "not now")
    Desk(party).decide("channel", asked["phone"], refusal)
    shown = analyst.get(f"/reports/{asked['phone']}?types=all").text
    assert "Without phone: what was asked for has ended without a result." in shown
    assert "email: " in shown


@pytest.mark.parametrize("page", ["/requests/{}", "/requests?show=open"])
def test_a_request_that_ends_as_it_is_looked_at_is_shown_as_ended(
    app, parties, signed_in, idle, monkeypatch, page
):
    """Whoever carried it has let go of it since it was read: it does not rest."""
    analyst, desk = signed_in(Role.ANALYST), Desk(parties["advertiser"])
    key = _asked(app, analyst, idle)
    assert desk.find(key).state == "approved"

    def ended(folder, request_id):
        if request_id == key:
            desk.decide("channel", key, Decision("refused", RefusalStatus.DECLINED, "not now"))

    monkeypatch.setattr(under_way, "said_of", ended)
    shown = analyst.get(page.format(key)).text
    said = state_in_words(desk.find(key), ENGLISH)
    assert said in shown.partition(key[:8])[2]
    assert f"/requests/{key}/resume" not in shown


def test_an_operator_alone_approves_and_approves_once(parties, signed_in, idle):
    party = parties["advertiser"]
    contract = party.contracts()[0]
    request = Request.match(
        contract, requester="channel", receiver="channel", sender="advertiser", now=party.now
    ).sign(parties["channel"].identity)
    Filing(party).file(
        request, contract, mine=False, peers=("channel",), state=PENDING, actor="contract"
    )
    path = f"/requests/{request.id}"
    assert "Wait for you (1)" in signed_in(Role.ANALYST).get("/requests").text
    assert f"{path}/approve" not in signed_in(Role.ANALYST).get(path).text
    assert signed_in(Role.ANALYST).client.post(f"{path}/approve").status_code == 403
    signed_in(Role.OPERATOR).send(path, f"{path}/approve")
    assert Desk(party).find(request.id).state == "approved"
    assert f"{path}/approve" not in signed_in(Role.OPERATOR).get(path).text


@pytest.mark.parametrize(
    ("addresses", "by", "said"),
    [
        ({"advertiser": "127.0.0.1:7443"}, "there", "channel dials for it"),
        ({}, "nobody", "Nobody can dial for it: contract test gives neither side an address"),
    ],
)
def test_who_approves_is_told_what_has_to_happen_next(tmp_path, addresses, by, said):
    parties, contract = make_pair(tmp_path, addresses=addresses, approval="manual")
    Staff(parties["advertiser"]).add(NAMES[Role.OPERATOR], Role.OPERATOR, PASSWORD)
    operator = Visitor(make_app(parties["advertiser"], PLACE))
    operator.sign_in(NAMES[Role.OPERATOR])
    path = f"/requests/{file_match(parties, contract).id}"
    answer = operator.send(path, f"{path}/approve")
    assert answer.status_code == 200, answer.text
    assert "Approved. Your approval stands in the log." in answer.text
    assert said in answer.text
    assert ("data-refresh" in answer.text) == bool(addresses)  # it begins without a click here
    _, token = Staff(parties["advertiser"]).add_token("t", Role.OPERATOR, 1)
    by_program = operator.client.post(
        f"/api/v1/requests/{file_match(parties, contract).id}/approval", headers=bearer(token)
    ).json()
    assert (by_program["state"], by_program["dialled_by"]) == ("approved", by)
    for party in parties.values():
        party.close()


@pytest.mark.parametrize("state", ["approved", "finished"])
def test_the_runner_carries_a_request_once_and_takes_it_up_again(
    app, parties, signed_in, idle, monkeypatch, state
):
    """Another console finds in the store what the one before it was carrying.

    A request that has finished is among them: its cosignature may be what was left.
    """
    party = parties["advertiser"]
    key = _asked(app, signed_in(Role.ANALYST), idle)
    if state == "finished":
        _carry_out(parties, key)
    carried, going = [], threading.Event()

    class Carrier:
        def __init__(self, party, observer, wait, cancel):
            self.cancel = cancel
            assert wait

        def go_on(self, filed):
            carried.append(filed.id)
            going.set()
            self.cancel.sleep(SECONDS)

    monkeypatch.setattr(running, "Carrier", Carrier)
    first = running.Runner(party)
    first.begin(key, "ana~console")
    first.begin(key, "ana~console")
    assert going.wait(SECONDS)
    first.stop()
    assert carried == [key]
    going.clear()
    second = running.Runner(party)
    second.start()
    assert going.wait(SECONDS)
    second.stop()
    assert carried == [key] * 2
    second.suspend(key)  # nobody is to take it up after this test


def test_a_run_whose_workers_end_before_it_at_a_stop_is_left_to_the_next_console(
    app, parties, signed_in, idle, monkeypatch
):
    """The console waits for a run only so long: then the party is closed under it."""
    party, going = parties["advertiser"], threading.Event()
    key = _asked(app, signed_in(Role.ANALYST), idle)

    def go_on(carrier, filed):
        going.set()
        with suppress(Cancelled):
            carrier.cancel.sleep(SECONDS)
        raise CancelledError  # what ended workers give to whoever waits for them

    monkeypatch.setattr(Carrier, "go_on", go_on)
    first, second = running.Runner(party), running.Runner(party)
    first.begin(key, "ana~console")
    assert going.wait(SECONDS)
    first.stop()
    assert first.said_of(key) == ""
    going.clear()
    second.start()
    assert going.wait(SECONDS)
    second.suspend(key)  # nobody is to take it up after this test


class TellingLock:
    """A lock that tells when somebody has to wait for it."""

    def __init__(self, waited_for):
        self._lock, self._waited_for = threading.Lock(), waited_for

    def __enter__(self):
        if not self._lock.acquire(blocking=False):
            self._waited_for.set()
            self._lock.acquire()

    def __exit__(self, *_):
        self._lock.release()


@pytest.mark.parametrize("how", ["suspend", "stop"])
def test_a_request_that_has_only_begun_is_stopped_like_any_other(
    app, parties, signed_in, idle, monkeypatch, how
):
    """Whoever stops it comes when all is there but the thread that carries it."""
    key = _asked(app, signed_in(Role.ANALYST), idle)
    runner, come = running.Runner(parties["advertiser"]), threading.Event()
    runner._lock = TellingLock(come)
    stops = {"suspend": lambda: runner.suspend(key), "stop": runner.stop}
    start, stopped, carriers = threading.Thread.start, [], []

    def starting(thread):
        if thread.name == f"run-{key[:8]}":
            stopped.append(threads.submit(stops[how]))
            stopped[0].add_done_callback(lambda _: come.set())
            assert come.wait(SECONDS)
            carriers.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", starting)
    monkeypatch.setattr(Carrier, "go_on", lambda carrier, filed: carrier.cancel.sleep(SECONDS))
    with ThreadPoolExecutor(1) as threads:
        runner.begin(key, "ana~console")
        stopped[0].result(SECONDS)
    assert runner.run_of(key) is None
    assert [thread.is_alive() for thread in carriers] == [False]
    runner.suspend(key)  # nobody is to take it up after this test


def test_the_room_that_a_report_found_is_kept_until_it_is_begun(app, signed_in, monkeypatch):
    """Somebody else goes on with a request between the look for room and the filing of another."""
    runner = app.state.console.runner
    with monkeypatch.context() as patch:
        patch.setattr(runner, "begin", lambda request, account: None)
        waiting = _asked(app, signed_in(Role.ANALYST), [])
    page = quoted_reach(signed_in(Role.ANALYST))
    values = hidden(page.partition('action="/reports"')[2].partition("</form>")[0])
    refused = []

    def take_the_room():
        try:
            runner.resume(waiting, "ana~console")
        except PartyError as error:
            refused.append(str(error))

    monkeypatch.setattr(running, "MOST", 1)
    monkeypatch.setattr(Carrier, "go_on", lambda carrier, filed: carrier.cancel.sleep(SECONDS))
    doing(monkeypatch, Desk, "make", take_the_room)
    answer = signed_in(Role.ANALYST).client.post("/reports", data=values)
    carried = [runner.run_of(one) is not None for one in (values["key"], waiting)]
    for one in (values["key"], waiting):
        runner.suspend(one)  # nobody is to take it up after this test
    assert answer.status_code == 200, answer.text
    assert refused == ["1 requests are under way here: suspend one, or wait for it"]
    assert carried == [True, False]


def test_a_list_is_taken_only_where_lists_are_taken(signed_in):
    analyst = signed_in(Role.ANALYST)
    token = hidden(analyst.get("/reports").text)["form_token"]
    for to in ("../../elsewhere", "nowhere"):
        values = {"to": to, "form_token": token}
        assert analyst.client.post("/lists/00000000/export", data=values).status_code == 422


def test_nobody_reaches_what_is_above_a_role(signed_in):
    officer = signed_in(Role.COMPLIANCE)
    for path in ("/reports/new", "/contracts/new"):
        assert officer.get(path).status_code == 403
