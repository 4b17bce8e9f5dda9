"""Templates and schedules, page by page and call by call, against the course that commands have.

Covers: saving from a quote and from a finished report, a run that is asked once, a schedule that is
quoted, held once, run by the course of `report due`, and cancelled; who may, and what is typed
wrongly. The counterpart is the other party in this process (`organisations`).
"""

import re
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from organisations import Wire, run_both
from report_paths import hidden, quoted_reach
from starlette.testclient import TestClient
from visitors import PLACE

from audit.roles import Role
from client.console.app import make_app
from client.scheduling import run_due
from client.templating import remove
from party.desk import Desk
from party.filing import Filing, Wanted
from party.series import SeriesBook
from party.staff.accounts import Staff
from party.templates import template_called, templates

DAY = 86_400
STANDING = "/reports/standing"


class Sessions:
    """Carries requests of the advertiser to the channel in this process (`scheduling.Carries`)."""

    def __init__(self, parties):
        self.parties, self.party = parties, parties["advertiser"]

    def ask(self, request, contract, *, actor):
        signed = Desk(self.party).make(request, contract, actor=actor)
        return self.go_on(Desk(self.party).find(signed.id))

    def go_on(self, filed):
        Desk(self.parties["channel"]).submit("advertiser", filed.request)
        assert run_both(self.parties, filed.request, Wire()) == dict.fromkeys(self.parties)
        return Desk(self.party).find(filed.id)


@pytest.fixture
def brand(parties):
    """The advertiser; templates and schedules that a test has made are gone after it."""
    party = parties["advertiser"]
    yield party
    for one in SeriesBook(party).all():
        if one.state == "active":
            SeriesBook(party).cancel(one.name)
    for one in templates(party):
        remove(party, one.name)


@contextmanager
def later(parties, seconds):
    """Let both parties live some time later, when no session of a browser goes on."""
    clocks = {name: one.clock for name, one in parties.items()}
    for name, party in parties.items():
        party.clock = lambda before=clocks[name]: before() + seconds
    yield
    for name, clock in clocks.items():
        parties[name].clock = clock


@pytest.fixture
def idle(app, monkeypatch):
    """Keep the background from dialling anybody: what it was told to carry is in the list."""
    begun = []
    monkeypatch.setattr(
        app.state.console.runner, "begin", lambda request, account: begun.append((request, account))
    )
    return begun


@pytest.fixture
def analyst(signed_in):
    return signed_in(Role.ANALYST)


@pytest.fixture
def nightly(brand, analyst):
    """A template of that name, saved from a quote."""
    saved = save(analyst, "nightly")
    assert saved.url.path == STANDING, saved.text
    return template_called(brand, "nightly")


def save(visitor, name):
    """Go from a quote to the page that asks for a name, and give one."""
    address = re.search(r'href="(/reports/standing/save\?[^"]*)"', quoted_reach(visitor))[1]
    return name_it(visitor, address.replace("&amp;", "&"), name)


def name_it(visitor, address, name):
    return visitor.send(address, f"{STANDING}/save", template=name)


def day(party, offset):
    return f"{datetime.fromtimestamp(party.now + offset * DAY, UTC):%Y-%m-%d}"


def series_quote(visitor, party, **fields):
    """Return the page that quotes a schedule of three days from tomorrow on."""
    typed = {"every": "day", "at": "02:00", "begins": day(party, 1), "until": day(party, 3)}
    return visitor.get(f"{STANDING}/nightly/schedule/quote", params=typed | fields)


def plan(visitor, page):
    """Send the form of a page that quotes a schedule; return how to send it again."""
    values = hidden(page.text.partition(f'action="{STANDING}/nightly/schedule"')[2])
    return lambda: visitor.client.post(f"{STANDING}/nightly/schedule", data=values)


# -- templates ------------------------------------------------------------------------------------


def test_a_quote_is_saved_with_all_that_it_asks_for(brand, analyst, nightly):
    request = nightly.request
    assert str(request.kind) == "reach"
    assert request.parameters.epsilon_release_nano == 10**9
    assert Filing(brand).count(Wanted(states=("approved",), lists=False)) == 0
    page = analyst.get(STANDING).text
    assert "nightly" in page
    assert "/reports/standing/nightly/run" in page


def test_a_name_that_does_not_serve_or_is_taken_is_told_beside_its_field(analyst, nightly):
    for name, says in (("a b", "no name for a template"), ("nightly", "there is a template")):
        answer = save(analyst, name)
        assert answer.status_code == 422
        assert says in answer.text
        assert 'id="wrong-template"' in answer.text


def test_a_template_asks_once_however_often_it_is_clicked(brand, app, analyst, nightly, idle):
    before = Filing(brand).count(Wanted())
    page = analyst.get(f"{STANDING}/nightly/run").text
    assert "within ±" in page
    assert Filing(brand).count(Wanted()) == before
    values = hidden(page.partition('<form method="post" action="/reports/standing/nightly/run"')[2])
    answers = [analyst.client.post(f"{STANDING}/nightly/run", data=values) for _ in range(2)]
    assert {one.url.path for one in answers} == {f"/requests/{values['key']}"}
    assert Filing(brand).count(Wanted()) == before + 1
    assert idle == [(values["key"], "ana~console")]
    asked = Desk(brand).find(values["key"]).request
    assert asked.labels == nightly.request.labels
    del values["key"]
    assert analyst.client.post(f"{STANDING}/nightly/run", data=values).status_code == 422


def test_a_finished_report_is_saved_from_its_page(parties, brand, analyst, nightly):
    request, contract = nightly.ask("ab" * 16, brand.now), brand.contract(None)
    filed = Sessions(parties).ask(request, contract, actor="operator")
    address = re.search(r'href="(/reports/standing/save\?from=[^"]*)"',
                        analyst.get(f"/reports/{filed.id}").text)[1]  # fmt: skip
    assert name_it(analyst, address, "again").url.path == STANDING
    assert template_called(brand, "again").request.labels == nightly.request.labels
    analyst.send(STANDING, f"{STANDING}/again/remove")
    assert [one.name for one in templates(brand)] == ["nightly"]


# -- schedules ------------------------------------------------------------------------------------


def test_a_schedule_is_quoted_as_a_whole_and_holds_its_budget_once(brand, analyst, nightly):
    page = series_quote(analyst, brand)
    assert page.status_code == 200, page.text
    assert "3 runs, every day" in page.text
    assert SeriesBook(brand).all() == []
    send = plan(analyst, page)
    assert {send().url.path for _ in range(2)} == {STANDING}
    [series] = SeriesBook(brand).all()
    assert (series.state, series.runs_left) == ("active", 3)
    assert series.held.epsilon_nano == 3 * 10**9
    again = plan(analyst, series_quote(analyst, brand))()
    assert again.status_code == 422
    assert "nightly has a schedule already" in again.text
    removed = analyst.send(STANDING, f"{STANDING}/nightly/remove")
    assert removed.status_code == 422
    assert "cancel it first" in removed.text
    analyst.send(STANDING, f"{STANDING}/nightly/cancel")
    [series] = SeriesBook(brand).all()
    assert (series.state, series.held.epsilon_nano) == ("cancelled", 0)
    token = hidden(analyst.get("/reports").text)["form_token"]
    twice = analyst.client.post(f"{STANDING}/nightly/cancel", data={"form_token": token})
    assert twice.status_code == 422
    assert "no schedule that goes on" in twice.text


def test_what_was_planned_in_the_page_is_run_when_it_is_due(parties, brand, analyst, nightly):
    plan(analyst, series_quote(analyst, brand, until=day(brand, 1)))()
    assert run_due(Sessions(parties)) == []
    with later(parties, 2 * DAY):
        [went] = run_due(Sessions(parties))
        assert run_due(Sessions(parties)) == []
    assert (went.series.name, went.state) == ("nightly", "done")
    page = analyst.get(STANDING).text
    assert f"/reports/{went.run.request}" in page
    assert analyst.get(f"/reports/{went.run.request}").status_code == 200


def test_a_schedule_that_does_not_fit_its_window_is_told_and_cannot_be_planned(
    brand, analyst, nightly
):
    page = series_quote(analyst, brand, until=day(brand, 40))
    assert "it does not suffice" in page.text
    assert "Plan these runs" not in page.text
    refused = plan(analyst, page)()
    assert refused.status_code == 422
    assert "BUDGET_EXHAUSTED" in refused.text
    assert all(one.held.epsilon_nano == 0 for one in SeriesBook(brand).all())


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"until": "soon"}, "is no day"),
        ({"until": ""}, "is no day"),
        ({"begins": "2020-01-01"}, "is past"),
        ({"at": "25:00"}, "is no time of day"),
        ({"every": "year"}, "every hour, day or week"),
        ({"every": "hour", "until": "2098-01-01"}, "at most 1000 runs"),
        ({"match_rate": "most"}, "number of percent"),
        ({"people-nobody": "7"}, "no other party"),
    ],
)
def test_what_is_typed_wrongly_is_told_on_the_form(brand, analyst, nightly, fields, says):
    page = series_quote(analyst, brand, **fields)
    assert page.status_code == 422
    assert says in page.text
    assert 'name="until"' in page.text


# -- who may --------------------------------------------------------------------------------------


def test_who_only_reads_sees_what_runs_by_itself_and_changes_nothing(brand, signed_in, nightly):
    officer = signed_in(Role.COMPLIANCE)
    page = officer.get(STANDING).text
    assert "nightly" in page
    assert "<button>" not in page.partition("<main")[2].partition("</main>")[0]
    token = hidden(page)["form_token"]
    for path in ("save", "nightly/run", "nightly/schedule", "nightly/cancel", "nightly/remove"):
        data = {"form_token": token}
        assert officer.client.post(f"{STANDING}/{path}", data=data).status_code == 403
        if not path.endswith(("cancel", "remove")):
            assert officer.get(f"{STANDING}/{path}").status_code == 403


def test_a_form_without_its_token_plans_nothing(brand, analyst, nightly):
    values = hidden(series_quote(analyst, brand).text.partition("<main")[2])
    del values["form_token"]
    answer = analyst.client.post(f"{STANDING}/nightly/schedule", data=values)
    assert answer.status_code == 403
    assert not any(one.state == "active" for one in SeriesBook(brand).all())


def test_a_template_that_there_is_not_is_said_so(brand, analyst):
    for path in ("run", "schedule", "schedule/quote"):
        answer = analyst.get(f"{STANDING}/nightly/{path}")
        assert answer.status_code == 422
        assert "no template called nightly" in answer.text


# -- programs -------------------------------------------------------------------------------------


def test_a_program_saves_quotes_runs_plans_and_cancels(parties, brand, nightly, monkeypatch):
    app = make_app(brand, PLACE)
    runner, begun = app.state.console.runner, []
    monkeypatch.setattr(runner, "begin", lambda request, account: begun.append((request, account)))
    _, token = Staff(brand).add_token("planner", Role.ANALYST, 1)
    client = TestClient(app, base_url="https://testserver/api/v1/",
                        headers={"Authorization": f"Bearer {token}"})  # fmt: skip
    contract = brand.contract(None)
    number = next(at for at, one in enumerate(contract.outputs) if str(one.kind) == "reach")
    choice = {"contract": contract.digest, "grant": number}
    saved = client.post("templates", json={"name": "weekly", "choice": choice})
    assert (saved.status_code, saved.json()["kind"]) == (201, "reach")
    assert client.post("templates", json={"name": "weekly", "choice": choice}).status_code == 409
    both = {"name": "x", "choice": choice, "request": "00000000"}
    assert client.post("templates", json=both).status_code == 422
    assert {one["name"] for one in client.get("templates").json()} == {"nightly", "weekly"}
    quoted = client.post("templates/weekly/quotes", json={"people": {"channel": 5000}})
    assert any("5,000 people, as stated" in one for one in quoted.json()["assumptions"])
    key = {"key": "cd" * 16}
    answers = [client.post("templates/weekly/runs", json=key) for _ in range(2)]
    assert [(one.status_code, one.json()["id"]) for one in answers] == [(202, key["key"])] * 2
    assert begun == [(key["key"], "planner~token")]
    copied = client.post("templates", json={"name": "copy", "request": key["key"][:8]})
    assert (copied.status_code, copied.json()["labels"]) == (201, saved.json()["labels"])
    when = {"template": "weekly", "every": "day", "at": "02:00", "begins": day(brand, 1),
            "until": day(brand, 2)}  # fmt: skip
    assert client.post("schedules/quotes", json=when).json()["runs"] == 2
    key = {"key": "ef" * 16}
    planned = [client.post("schedules", json=when | key) for _ in range(2)]
    assert [one.status_code for one in planned] == [201, 201]
    assert planned[0].json() == planned[1].json()
    assert client.post("schedules", json=when).status_code == 409
    assert client.delete("templates/weekly").status_code == 409
    shown = next(one for one in client.get("schedules").json() if one["template"] == "weekly")
    assert (shown["state"], len(shown["runs"])) == ("active", 2)
    cancelled = client.post("schedules/weekly/cancellation")
    assert cancelled.json()["state"] == "cancelled"
    assert client.delete("templates/weekly").status_code == 204
    assert client.post("templates/weekly/runs", json={}).status_code == 404
    Staff(brand).remove("planner~token")
