"""Reports by program: quoted, asked once a key, shown; and an overlap by identifier as one.

Does not cover: the numbers, which are those of the courses.
"""

import pytest
from organisations import Wire, run_both

from audit.roles import Role
from client.console import running
from client.console.api.application import PROBLEM
from party.desk import Desk

KEY = "4b" * 16


@pytest.fixture
def idle(monkeypatch):
    """Keep the background from dialling anybody: what it was told to carry is in the list."""
    begun = []
    monkeypatch.setattr(
        running.Runner, "begin", lambda self, request, account: begun.append((request, account))
    )
    return begun


@pytest.fixture
def overlap(calling):
    """Return the choice of an overlap, which its tabulator asks for here."""
    grants = calling(Role.COMPLIANCE)("GET", "/grants").json()
    (found,) = [one for one in grants if one["by_identifier"]]
    assert found["kind"] == "overlap"
    choice = {"contract": found["contract"], "grant": found["grant"]}
    return choice | {"options": {"epsilon": "0.5", "match_rate": 0.25}}


def test_an_overlap_by_identifier_is_quoted_asked_once_and_shown_as_one(
    parties, calling, idle, overlap
):
    analyst = calling(Role.ANALYST)
    quoted = analyst("POST", "/quotes/by-identifier", json=overlap).json()
    assert list(quoted["types"]) == ["phone", "email"]
    paid = {one["party"]: one["epsilon"] for one in quoted["charges"]}
    assert paid == {"advertiser": "3", "channel": "2"}
    answers = [
        analyst("POST", "/reports/by-identifier", json=overlap | {"key": KEY}) for _ in range(2)
    ]
    assert [one.status_code for one in answers] == [202, 202]
    first, second = [[one["id"] for one in answer.json()] for answer in answers]
    assert first == second == [request for request, _ in idle]
    assert {account for _, account in idle} == {"t-analyst~token"}
    early = analyst("GET", f"/reports/{first[0]}?types=all")
    assert (early.status_code, early.headers["content-type"]) == (409, PROBLEM)
    for request in first:
        signed = Desk(parties["advertiser"]).find(request).request
        Desk(parties["channel"]).submit("advertiser", signed)
        assert run_both(parties, signed, Wire()) == dict.fromkeys(parties)
    for request in first:
        shown = analyst("GET", f"/reports/{request}?types=all").json()["result"]
        assert shown["report"] == "overlap by identifier"
        assert [one["type"] for one in shown["verdicts"]] == ["phone", "email"]
    alone = analyst("GET", f"/reports/{first[0]}").json()["result"]
    assert alone["report"] == "overlap"
    file = analyst("GET", f"/reports/{first[0]}/files/csv?types=all")
    assert file.text.count("matched") == 2


def test_only_an_overlap_is_made_by_identifier_and_options_are_known_ones(calling, overlap):
    grants = calling(Role.ANALYST)("GET", "/grants").json()
    reach = next(one for one in grants if one["kind"] == "reach")
    asked = {"contract": reach["contract"], "grant": reach["grant"]}
    refused = calling(Role.ANALYST)("POST", "/quotes/by-identifier", json=asked)
    assert refused.status_code == 409
    assert "only an overlap of two parties" in refused.json()["detail"]
    wrong = overlap | {"options": {"epsilonn": "1"}}
    unknown = calling(Role.ANALYST)("POST", "/quotes", json=wrong)
    assert (unknown.status_code, unknown.headers["content-type"]) == (422, PROBLEM)
    assert "epsilonn" in unknown.json()["detail"]
    for path in ("/quotes/by-identifier", "/reports/by-identifier"):
        assert calling(Role.COMPLIANCE)("POST", path, json=overlap).status_code == 403
