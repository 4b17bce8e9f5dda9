"""A contract from the form to the last signature, and two versions in plain words."""

import html
import re

import pytest

from audit.roles import Role
from client.contract_words import changes_between, terms_of
from client.drafts import Drafts
from languages import ENGLISH, language
from party.contract_file import parse_contract
from party.known_peers import KnownPeers


@pytest.fixture
def draft(parties, signed_in):
    """Propose a contract by the form; return its name."""
    analyst = signed_in(Role.ANALYST)
    peer = KnownPeers(parties["advertiser"]).peers()[0].name
    values = {
        "peer": peer, "contract_id": "winter", "kind-reach": "manual", "epsilon": "3",
        "delta": "1e-7", "days": "90", "window_days": "30", "min_match": "500",
        "min_cell": "20", "list_expiry_days": "14", "they_measure": "",
    }  # fmt: skip
    preview = analyst.send("/contracts/new", "/contracts/new/preview", **values)
    assert preview.status_code == 200, preview.text
    assert "At most ε 3 and δ 1e-7 in 30 days" in preview.text
    assert "if there are at least" not in preview.text  # a match was not granted
    assert not [one for one in Drafts(parties["advertiser"]).all() if one.name == "winter"]
    text = html.unescape(re.findall(r'name="text" value="(.*?)">', preview.text, re.S)[0])
    token = re.findall(r'name="form_token" value="([^"]*)"', preview.text)[-1]
    kept = analyst.client.post("/contracts/drafts", data={"text": text, "form_token": token})
    assert kept.status_code == 200
    yield "winter"
    Drafts(parties["advertiser"]).remove("winter")


def test_a_draft_is_previewed_kept_and_signed_by_an_operator(parties, signed_in, draft):
    path = f"/contracts/drafts/{draft}"
    assert "Sign it" not in signed_in(Role.ANALYST).get(path).text
    signed = signed_in(Role.OPERATOR).send(path, f"{path}/sign")
    assert signed.status_code == 200
    found = Drafts(parties["advertiser"]).find(draft)
    assert list(found.contract.signatures) == ["advertiser"]
    handed = signed_in(Role.COMPLIANCE).get(f"{path}/file")
    assert parse_contract(handed.content) == found.contract


def test_a_draft_that_changed_since_the_page_was_shown_is_shown_again_and_not_signed(
    parties, signed_in, draft
):
    path, operator = f"/contracts/drafts/{draft}", signed_in(Role.OPERATOR)
    drafts = Drafts(parties["advertiser"])
    shown = drafts.find(draft)
    changed = shown.text.replace("min_cell: 20", "min_cell: 1")
    drafts.write(changed, replace=draft)
    answer = operator.send(path, f"{path}/sign", hash=shown.contract.digest)
    assert answer.status_code == 422
    assert "has changed since you read it" in answer.text
    assert "min_cell: 1\n" in answer.text
    assert "Sign it" in answer.text
    assert not drafts.find(draft).contract.signatures
    assert operator.send(path, f"{path}/sign", hash="").status_code == 422
    assert operator.send(path, f"{path}/sign").status_code == 200
    assert drafts.find(draft).contract.signatures


def test_a_signed_text_stays(signed_in, draft):
    path = f"/contracts/drafts/{draft}"
    operator = signed_in(Role.OPERATOR)
    operator.send(path, f"{path}/sign")
    assert f"{path}/text" not in operator.get(path).text


def test_what_differs_is_said_and_nothing_else(parties):
    before = parties["advertiser"].contracts()[0]
    document = before.to_json()
    del document["signatures"]
    document["min_cell"] = before.min_cell + 7
    after = type(before).from_json(document)
    for spoken in (ENGLISH, language("zh")):
        (change,) = changes_between(before, after, spoken)
        assert str(after.min_cell) in change.after
        assert str(before.min_cell) in change.before
    assert changes_between(before, before, ENGLISH) == []


def test_every_term_has_a_name_of_its_own(parties):
    terms = terms_of(parties["advertiser"].contracts()[0], ENGLISH)
    assert len({(one.heading, one.name) for one in terms}) == len(terms)
    assert {one.heading for one in terms} >= {"What it may cost", "When it holds"}
