"""What people may ask for, by program: consent written down and taken back, and what follows.

Covers: records with their receipts, the runs that lists owe, over a real connection; who may do
which; what does not serve. Who it is about stands in no address and in no entry.
"""

import json
from functools import partial

import pytest
from consent_notices import document, notice
from disclosed_list import RECEIVER, SENDER, Disclosed
from starlette.testclient import TestClient
from visitors import PLACE, bearer

from audit.roles import Role
from client import carrying
from client.console.api.application import PROBLEM
from client.console.app import make_app
from client.dial import Dialler
from party.consent.events import Act, State
from party.consent.receipt import check_receipt
from party.evidence import StoredLog
from party.staff.accounts import Staff

WHO = "somebody-4711"


@pytest.fixture(scope="module")
def known(parties):
    """Make a notice known, as the first record with its file does."""
    party = parties["advertiser"]
    said = Act("somebody-else", State.GIVEN, party.consent.now - 1_000_000)
    party.consent.record(notice(document()), [said], actor="test")
    return party


def test_what_somebody_says_is_recorded_shown_taken_back_and_proven(known, calling):
    operator, officer = calling(Role.OPERATOR), calling(Role.COMPLIANCE)
    assert officer("GET", "/people/notices").json() == ["loyalty"]
    given = operator("POST", "/people/records", json={"who": WHO, "notice": "loyalty"})
    assert given.status_code == 201, given.text
    assert [one["state"] for one in given.json()["statements"]] == ["given"]
    shown = officer("POST", "/people/consent", json={"who": WHO}).json()["records"]
    assert {one["says"] for one in shown["standing"]} == {"given"}
    taken = operator("POST", "/people/withdrawals", json={"who": WHO, "recipient": "channel"})
    assert taken.status_code == 201, taken.text
    shown = officer("POST", "/people/consent", json={"who": WHO}).json()["records"]
    says = {one["recipient"]: one["says"] for one in shown["standing"]}
    assert says == {"channel": "refused", "vendor": "given"}
    receipt = officer("POST", "/people/receipts", json={"who": WHO}).json()
    assert receipt["statements"] == taken.json()["receipt"]["statements"]
    checked = check_receipt(json.dumps(receipt).encode(), WHO, key=known.identity.vkey)
    assert [one["state"] for one in checked.statements] == ["withdrawn"]
    log = b"".join(StoredLog(known.store, known.identity).entries())
    assert WHO.encode() not in log
    assert b"t-operator~token" in log


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("records", {"who": WHO, "notice": "nowhere"}, 404, "no notice nowhere"),
        ("records", {"who": WHO, "notice": "/etc/passwd.yaml"}, 404, "no notice"),
        ("records", {"who": WHO, "notice": "loyalty", "state": "withdrawn"}, 422, "state"),
        ("records", {"who": WHO, "notice": "loyalty", "at": "yesterday"}, 409, "ISO 8601"),
        ("records", {"notice": "loyalty"}, 422, "who"),
        ("withdrawals", {"who": "never-seen"}, 409, None),
        ("receipts", {"who": "never-seen"}, 404, "nothing is recorded"),
        ("owed-runs/00000000", None, 404, "no request"),
        ("owed-runs/nonsense", None, 422, "request"),
    ],
)
def test_what_does_not_serve_is_a_problem_that_names_nobody(
    known, calling, path, body, status, said
):
    answer = calling(Role.OPERATOR)("POST", f"/people/{path}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    assert said is None or said in answer.json()["detail"]
    assert WHO not in answer.text
    assert "never-seen" not in answer.text


def test_an_operator_alone_records_and_carries_runs(known, calling):
    for path, body in (
        ("records", {"who": WHO, "notice": "loyalty"}),
        ("withdrawals", {"who": WHO}),
        ("owed-runs/00000000", None),
    ):
        for role in (Role.ANALYST, Role.COMPLIANCE):
            assert calling(role)("POST", f"/people/{path}", json=body).status_code == 403, path


def test_a_run_that_a_list_owes_is_carried_out_once_somebody_answers(tmp_path, monkeypatch):
    one = Disclosed(tmp_path, RECEIVER, beside="suppression_days: 2\n")
    sender = one.parties[SENDER]
    said = Act("elsewhere", State.GIVEN, sender.consent.now - 1_000_000)
    sender.consent.record(notice(document()), [said], actor="test")
    _, token = Staff(sender).add_token("officer", Role.OPERATOR, 1)
    client = TestClient(make_app(sender, PLACE), base_url="https://testserver")

    def call(method, path, **options):
        return client.request(method, f"/api/v1/people{path}", headers=bearer(token), **options)

    assert call("GET", "/owed-runs").json() == []
    taken = call("POST", "/withdrawals", json={"who": "elsewhere"}).json()
    assert taken["lists"] == [{"request": one.request.id, "peer": RECEIVER}]
    (owed,) = call("GET", "/owed-runs").json()
    assert (owed["request"], owed["recipient"]) == (one.request.id, RECEIVER)
    with monkeypatch.context() as impatient:
        impatient.setattr(carrying, "Dialler", partial(Dialler, connect_seconds=0.3))
        away = call("POST", f"/owed-runs/{one.request.id}")
    assert (away.status_code, away.headers["content-type"]) == (409, PROBLEM)
    with one.serving():
        done = call("POST", f"/owed-runs/{one.request.id}")
        assert done.status_code == 200, done.text
        left = done.json()["runs_left"]
        assert done.json() == {
            "request": one.request.id, "did": "sent", "runs": 1, "runs_left": left,
        }  # fmt: skip
        again = call("POST", f"/owed-runs/{one.request.id}").json()
        assert (again["runs"], again["runs_left"]) == (0, left)
    assert call("GET", "/owed-runs").json() == []
    one.close()
