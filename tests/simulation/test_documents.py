"""The documents of a contract: filled with its facts, in both languages, new files only, logged."""

import hashlib
import re

import pytest
from far_apart import agree_across
from organisations import copy_pair
from two_parties import card_of

from audit.roles import Role
from client.documents.blocks import Document, Facts, Paragraph, Rows, to_html, to_markdown
from client.documents.parts import BASES, KINDS
from client.documents.writing import write_documents
from languages import language
from party import accounts
from party.contract import Contract
from party.contract_terms import OutputKind
from party.errors import ContractError, PartyError
from party.evidence import StoredLog, verify_log
from party.transfers import Basis

NAMES = ["far-processing-record", "far-impact-assessment"]


@pytest.fixture
def far(ready, tmp_path, stores):
    parties, _ = copy_pair(ready, tmp_path, stores)
    yield parties["advertiser"], agree_across(tmp_path, parties)
    for party in parties.values():
        party.close()


def write(party, contract, folder, code="en"):
    return write_documents(party, contract, folder, code=code, actor="operator")


def made(party):
    log = StoredLog(party.store, party.identity)
    return [entry for entry in log.parsed() if entry.kind == "document.made"]


@pytest.mark.parametrize("code", ["en", "zh"])
def test_each_document_has_the_contracts_facts_and_the_log_its_digest(far, tmp_path, code):
    party, contract = far
    paths = write(party, contract, tmp_path / "papers", code)
    assert [path.name for path in paths] == [
        f"{name}.{code}.{ending}" for name in NAMES for ending in ("md", "html")
    ]
    for path in paths:
        text = re.sub(r"\\(.)", r"\1", path.read_text(encoding="utf-8"))
        for fact in (
            contract.digest, "advertiser.test/log", "dpv:TargetedAdvertising", "customers",
            "备案 2026-17", "segment: gold, silver", "ε = 10", "24", "30", "90",
        ):  # fmt: skip
            assert fact in text, fact
        assert ("GDPR 46(2)(c)" if code == "en" else "GDPR 第46条第2款(c)项") in text
        assert ("To be filled in" if code == "en" else "待填写") in text
        assert ("无" in text) == (code == "zh")
    (entry,) = made(party)
    assert (entry.contract, entry.body.language) == (contract.digest, code)
    assert entry.body.files == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }
    verify_log(StoredLog(party.store, party.identity))


def test_what_people_filled_in_is_not_written_over(far, tmp_path):
    party, contract = far
    *_, last = write(party, contract, tmp_path / "papers")
    last.write_text("filled in", encoding="utf-8")
    for path in last.parent.iterdir():
        if path != last:
            path.unlink()
    with pytest.raises(PartyError, match="exists already"):
        write(party, contract, last.parent)
    assert list(last.parent.iterdir()) == [last]
    assert last.read_text(encoding="utf-8") == "filled in"
    assert len(made(party)) == 1


def test_a_draft_has_documents_before_anybody_signs_and_they_are_not_logged(far, tmp_path):
    party, contract = far
    document = contract.to_json()
    del document["signatures"]
    document["title"] = "Later"
    paths = write(party, Contract.from_json(document), tmp_path / "papers")
    assert all("this is a draft" in path.read_text(encoding="utf-8") for path in paths)
    assert made(party) == []


def test_the_compliance_role_writes_documents_and_the_log_says_who(far, tmp_path, monkeypatch):
    party, contract = far
    monkeypatch.setattr(accounts, "known", lambda account: account)
    monkeypatch.setattr(accounts, "current", lambda: "olga")
    party.access.add("olga", Role.OPERATOR)
    party.access.add("carl", Role.COMPLIANCE)
    monkeypatch.setattr(accounts, "current", lambda: "carl")
    assert len(write(party, contract, tmp_path / "papers")) == 4
    assert [entry.actor for entry in made(party)] == ["carl/compliance"]
    verify_log(StoredLog(party.store, party.identity))


def test_documents_of_a_contract_between_others_are_refused(far, tmp_path):
    party, contract = far
    document = contract.to_json()
    cards = document["parties"]
    cards["advertiser"] = card_of("advertiser").to_json() | {
        key: cards["advertiser"][key] for key in ("jurisdiction", "storage")
    }
    del document["signatures"]
    with pytest.raises(ContractError, match="none of them has this"):
        write(party, Contract.from_json(document), tmp_path / "papers")
    assert not (tmp_path / "papers").exists()


HOSTILE = '<script>x</script> | [a](http://b) **c** `d` ![e](f) & "g"\n# h'


@pytest.mark.parametrize("form", [to_html, to_markdown])
def test_what_a_counterpart_wrote_is_text_and_never_markup(form):
    blocks = [Paragraph(HOSTILE), Facts([(HOSTILE, HOSTILE)]), Rows((HOSTILE,), [(HOSTILE,)], "")]
    text = form(Document("x", HOSTILE, HOSTILE, blocks), language("en"))
    assert "<script" not in text
    if form is to_markdown:
        plain = re.sub(r"\\.", "", text)
        assert not re.search(r"[`*]c|\]\(|!\[", plain)
        assert "\n# h" not in text
        rows = [line for line in plain.split("\n") if line.startswith("|")]
        assert {line.count("|") for line in rows} <= {2, 3}


def test_the_bases_of_the_law_are_named_in_full():
    assert set(BASES) == set(Basis)
    assert set(KINDS) == set(OutputKind)
