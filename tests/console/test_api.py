"""The HTTP API: its description holds (schemathesis), tokens have roles, errors are problems.

Covers: each call that the description has, with what a program that reads it would send and with
what it would not; that a token reaches its role's calls alone, ends, and is slowed.
"""

import measured_tables
import pytest
import schemathesis
from fastapi.routing import iter_route_contexts
from hypothesis import HealthCheck, given, settings
from organisations import Wire, file_match, run_both
from visitors import PLACE, bearer

from audit.entry import Entry
from audit.roles import Role
from client.console.api import pace
from client.console.api.application import PROBLEM
from client.console.app import make_app
from client.console.visit import RANK
from party.evidence import StoredLog
from party.staff.accounts import Staff

EXAMPLES = 4


def calls(app):
    """Return each call of the API: method, path and the role that it takes."""
    (api,) = (route.app for route in app.routes if getattr(route, "name", "") == "api")
    for route in iter_route_contexts(api.routes):
        if route.path == "/openapi.json":
            continue
        (role,) = (
            one.call.role for one in route.dependant.dependencies if hasattr(one.call, "role")
        )
        for method in route.methods:
            yield method, route.path, role


def test_the_description_is_whole_and_says_how_to_sign_in(client):
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            assert call["security"], (method, path)
            assert call["summary"], (method, path)
            assert PROBLEM in call["responses"]["401"]["content"], (method, path)


def test_each_call_is_for_its_roles_alone(app, client, tokens, monkeypatch):
    monkeypatch.setattr(pace, "BURST", 1_000_000)
    found = list(calls(app))
    assert len(found) >= 4
    rows = []
    for method, path, needed in sorted(found, key=lambda one: (one[1], one[0])):
        address = "/api/v1" + path.replace("{request}", "00000000").replace("{", "").replace(
            "}", ""
        )
        assert client.request(method, address).status_code == 401, path
        for role, token in tokens.items():
            answer = client.request(method, address, headers=bearer(token))
            refused = RANK[role] < RANK[needed]
            assert (answer.status_code == 403) == refused, (method, path, role)
            if answer.status_code >= 400:
                assert answer.headers["content-type"] == PROBLEM
                assert answer.json()["status"] == answer.status_code
        rows.append((method, path, *("yes" if RANK[one] >= RANK[needed] else "no" for one in Role)))
    measured_tables.keep(
        "roles-api",
        "Which call of the API is for which role",
        "Each was asked with a token of each role: one that may not is refused with 403.",
        ("method", "call", *(role.value for role in Role)),
        rows,
    )


def test_a_session_of_the_pages_opens_no_call(signed_in):
    assert signed_in(Role.OPERATOR).get("/api/v1/status").status_code == 401


def test_a_request_is_read_approved_and_refused_by_whom_it_is_for(parties, client, tokens):
    request = file_match(parties, parties["advertiser"].contract("test"))
    read = client.get(f"/api/v1/requests/{request.id[:8]}", headers=bearer(tokens[Role.ANALYST]))
    assert (read.json()["id"], read.json()["kind"]) == (request.id, "match")
    again = f"/api/v1/requests/{request.id}/approval"
    assert client.post(again, headers=bearer(tokens[Role.ANALYST])).status_code == 403
    approved = client.post(again, headers=bearer(tokens[Role.OPERATOR]))
    assert approved.status_code == 200, approved.text
    assert approved.json()["state"] == "approved"
    refusal = f"/api/v1/requests/{request.id}/refusal"
    late = client.post(refusal, json={"reason": "no"}, headers=bearer(tokens[Role.OPERATOR]))
    assert late.status_code == 409
    assert "only a pending one" in late.json()["detail"]
    assert run_both(parties, request, Wire()) == dict.fromkeys(parties)


def test_what_a_token_does_is_in_the_log_under_its_name(parties, client, tokens):
    party = parties["advertiser"]
    client.post("/api/v1/requests/00000000/approval", headers=bearer(tokens[Role.COMPLIANCE]))
    made = Staff(party).find("t-operator~token")
    assert made is not None
    request = file_match(parties, party.contract("test"))
    client.post(
        f"/api/v1/requests/{request.id}/refusal",
        json={"reason": "not now"},
        headers=bearer(tokens[Role.OPERATOR]),
    )
    entries = [Entry.parse(one) for one in StoredLog(party.store, party.identity).entries()]
    actors = {one.actor for one in entries}
    granted = {one.body.account for one in entries if one.kind == "access.granted"}
    assert "t-operator~token" in granted
    assert not {actor for actor in actors if tokens[Role.OPERATOR] in actor}


def test_a_token_that_was_revoked_or_has_ended_opens_nothing(parties, client):
    party = parties["advertiser"]
    _, token = Staff(party).add_token("short", Role.COMPLIANCE, 1)
    assert client.get("/api/v1/status", headers=bearer(token)).status_code == 200
    clock = party.clock
    party.clock = lambda: clock() + 86_400
    try:
        assert client.get("/api/v1/status", headers=bearer(token)).status_code == 401
    finally:
        party.clock = clock
    Staff(party).remove("short~token")
    assert client.get("/api/v1/status", headers=bearer(token)).status_code == 401


def test_who_calls_too_often_is_told_when_to_call_again(client, tokens, monkeypatch):
    monkeypatch.setattr(pace, "A_SECOND", 0.01)  # however slow the calls are
    answers = [
        client.get("/api/v1/requests/00000000", headers=bearer(tokens[Role.COMPLIANCE]))
        for _ in range(pace.BURST + 40)
    ]
    slowed = [one for one in answers if one.status_code == 429]
    assert slowed
    assert all(int(one.headers["retry-after"]) >= 1 for one in slowed)
    other = client.get("/api/v1/requests/00000000", headers=bearer(tokens[Role.ANALYST]))
    assert other.status_code == 404


def test_a_bucket_fills_again_with_time_and_no_further_than_its_size():
    now = 0.0
    kept = pace.Pace(lambda: now)
    assert [kept.take("a") for _ in range(pace.BURST)] == [0.0] * pace.BURST
    assert kept.take("a") == pytest.approx(1 / pace.A_SECOND)
    assert kept.take("b") == 0.0
    now = 1000.0
    assert sum(kept.take("a") == 0.0 for _ in range(2 * pace.BURST)) == pace.BURST


def test_each_call_answers_as_the_description_says(parties, tokens, monkeypatch):
    monkeypatch.setattr(pace, "BURST", 1_000_000)
    app = make_app(parties["advertiser"], PLACE)
    host = {"Host": "testserver"}
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, headers=host)
    operations = [one.ok() for one in schema.get_all_operations()]
    for operation in operations:

        @settings(max_examples=EXAMPLES, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy())
        def ask(case):
            case.call_and_validate(headers=host | bearer(tokens[Role.OPERATOR]))

        ask()
    assert len(operations) == len(list(calls(app)))  # each is described, and none stands twice
