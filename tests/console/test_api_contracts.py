"""Contracts by program: from what is wished to a contract in force, and its documents.

Covers: the round from a proposal over both signatures to the import; who may do which step; what
does not serve. Does not cover: what a contract means, and how files get to the counterpart.
"""

import io
import zipfile
from hashlib import sha256

import pytest

from audit.entry import Entry
from audit.roles import Role
from client.agreeing import import_contract, sign_contract
from client.console.api.application import PROBLEM
from client.drafts import Drafts
from party.contract_file import parse_contract
from party.contract_terms import Approval, OutputKind
from party.evidence import StoredLog
from party.known_peers import KnownPeers

WISHED = {"kinds": {"reach": "manual"}, "epsilon": "3", "delta": "1e-7", "days": 90}


@pytest.fixture
def proposed(parties, calling):
    """Propose a contract and keep it as a draft; return what the API says of it."""
    peer = KnownPeers(parties["advertiser"]).peers()[0].name
    analyst = calling(Role.ANALYST)
    preview = analyst("POST", "/proposals", json={**WISHED, "peer": peer, "id": "winter"})
    assert preview.status_code == 200, preview.text
    assert "winter" not in {one.name for one in Drafts(parties["advertiser"]).all()}
    kept = analyst("POST", "/drafts", json={"text": preview.json()["text"]})
    assert kept.status_code == 201, kept.text
    assert kept.json()["hash"] == preview.json()["hash"]
    yield kept.json()
    Drafts(parties["advertiser"]).remove("winter")


def as_read(draft):
    """Return what says to the API which text was read."""
    return {"hash": draft["hash"]}


def test_a_proposal_is_signed_by_both_imported_and_in_force(parties, calling, proposed, tmp_path):
    channel, operator = parties["channel"], calling(Role.OPERATOR)
    contract = parse_contract(proposed["text"].encode())
    assert [(one.kind, one.approval) for one in contract.outputs] == [
        (OutputKind.REACH, Approval.MANUAL)
    ]
    early = operator("POST", "/drafts/winter/import")
    assert (early.status_code, early.headers["content-type"]) == (409, PROBLEM)
    signed = operator("POST", "/drafts/winter/signature", json=as_read(proposed)).json()
    assert (signed["signed_by"], signed["missing"]) == (["advertiser"], ["channel"])
    theirs = tmp_path / "winter.yaml"
    theirs.write_bytes(calling(Role.COMPLIANCE)("GET", "/drafts/winter/file").content)
    sign_contract(channel, theirs)
    taken = calling(Role.ANALYST)("POST", "/drafts/received", json={"text": theirs.read_text()})
    assert taken.json()["missing"] == []
    assert not taken.json()["imported"]
    imported = operator("POST", "/drafts/winter/import")
    assert imported.status_code == 200, imported.text
    assert imported.json()["hash"] == proposed["hash"]
    import_contract(channel, theirs)
    read = calling(Role.COMPLIANCE)("GET", f"/contracts/{proposed['hash']}")
    assert (read.json()["state"], read.json()["terms"]) == ("in force", proposed["terms"])
    file = calling(Role.COMPLIANCE)("GET", f"/contracts/{proposed['hash']}/file")
    assert parse_contract(file.content) == channel.contract("winter")
    assert calling(Role.COMPLIANCE)("GET", "/drafts/winter").json()["imported"]
    offered = calling(Role.ANALYST)("GET", "/grants").json()
    assert (proposed["hash"], "reach") in {(one["contract"], one["kind"]) for one in offered}


def test_a_draft_is_changed_compared_and_removed_until_somebody_has_signed(calling, proposed):
    analyst, officer = calling(Role.ANALYST), calling(Role.COMPLIANCE)
    text = proposed["text"].replace("min_cell: 10", "min_cell: 25")
    changed = analyst("PUT", "/drafts/winter", json={"text": text})
    assert changed.status_code == 200, changed.text
    assert changed.json()["hash"] != proposed["hash"]
    stored = officer("GET", "/contracts").json()[0]["hash"]
    differs = officer("GET", f"/contracts/{stored}/changes/draft:winter").json()
    assert any("25" in (one["after"] or "") for one in differs)
    assert officer("GET", "/contracts/draft:winter/changes/draft:winter").json() == []
    operator = calling(Role.OPERATOR)
    unread = operator("POST", "/drafts/winter/signature", json=as_read(proposed))
    assert unread.status_code == 409
    assert "has changed since you read it" in unread.json()["detail"]
    assert officer("GET", "/drafts/winter").json()["signed_by"] == []
    signed = operator("POST", "/drafts/winter/signature", json=as_read(changed.json()))
    assert signed.json()["signed_by"] == ["advertiser"]
    late = analyst("PUT", "/drafts/winter", json={"text": proposed["text"]})
    assert late.status_code == 409
    assert "somebody has signed" in late.json()["detail"]
    again = analyst("POST", "/drafts", json={"text": proposed["text"]})
    assert "there is a draft winter already" in again.json()["detail"]
    assert analyst("DELETE", "/drafts/winter").status_code == 204
    assert analyst("GET", "/drafts/winter").status_code == 404
    assert analyst("POST", "/drafts", json={"text": proposed["text"]}).status_code == 201


def test_who_drafts_does_not_sign_and_who_reads_does_not_draft(calling, proposed):
    text = {"text": proposed["text"]}
    for method, path, body in (
        ("POST", "/proposals", {"peer": "channel"}),
        ("POST", "/drafts", text),
        ("POST", "/drafts/received", text),
        ("PUT", "/drafts/winter", text),
        ("DELETE", "/drafts/winter", None),
    ):
        assert calling(Role.COMPLIANCE)(method, path, json=body).status_code == 403, path
    for step, body in (("signature", as_read(proposed)), ("import", None)):
        answer = calling(Role.ANALYST)("POST", f"/drafts/winter/{step}", json=body)
        assert answer.status_code == 403
    assert calling(Role.COMPLIANCE)("GET", "/drafts/winter").json()["signed_by"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("POST", "/proposals", {"peer": "nobody"}, 409, "nobody is known here"),
        ("POST", "/proposals", {"peer": "channel", "kinds": {}}, 409, "grant something"),
        ("POST", "/proposals", {"peer": "channel", "kinds": {"nonsense": "rule"}}, 422, "kinds"),
        ("POST", "/proposals", {"peer": "channel", "days": 0}, 422, "days"),
        ("POST", "/drafts", {"text": "nonsense: 1"}, 409, "the contract"),
        ("POST", "/drafts/received", {"text": ": : :"}, 409, "the contract"),
        ("PUT", "/drafts/nowhere", {"text": ""}, 404, "no draft called nowhere"),
        ("POST", "/drafts/nowhere/signature", {"hash": "0" * 64}, 404, "no draft called nowhere"),
        ("POST", "/drafts/nowhere/signature", None, 422, "body"),
        ("POST", "/drafts/..%2Fkeys/import", None, 404, None),
        ("GET", "/contracts/draft:nowhere/changes/draft:nowhere", None, 404, "no draft"),
        ("POST", "/contracts/00000000/documents", {"language": "en"}, 404, None),
    ],
)
def test_what_does_not_serve_is_a_problem_that_says_why(calling, method, path, body, status, said):
    answer = calling(Role.OPERATOR)(method, path, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    assert said is None or said in answer.json()["detail"]


def test_documents_are_those_whose_digests_the_log_has(parties, calling):
    party = parties["advertiser"]
    digest = party.contract("test").digest
    answer = calling(Role.COMPLIANCE)(
        "POST", f"/contracts/{digest}/documents", json={"language": "zh"}
    )
    assert answer.headers["content-type"] == "application/zip"
    files = zipfile.ZipFile(io.BytesIO(answer.content))
    made = {name: sha256(files.read(name)).hexdigest() for name in files.namelist()}
    log = [Entry.parse(one) for one in StoredLog(party.store, party.identity).entries()]
    (written,) = [one for one in log if one.kind == "document.made"]
    assert (written.body.files, written.body.language) == (made, "zh")
    assert written.actor.startswith("t-compliance~token")
    assert not list(party.folder.glob(".documents-*"))
