"""What a signature stands under: the text that whoever signs has read, and no other."""

import pytest
from interleaved import doing
from organisations import copy_pair, make_pair

import client.agreeing
import client.drafts
from client.agreeing import sign_contract
from client.drafts import Drafts
from party.contract_file import load_contract, parse_contract
from party.errors import ContractError, InUse
from party.yaml_text import write_yaml


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signing")
    for party in make_pair(folder)[0].values():
        party.close()
    return folder


@pytest.fixture
def parties(ready, tmp_path):
    parties, _ = copy_pair(ready, tmp_path)
    yield parties
    for party in parties.values():
        party.close()


@pytest.fixture
def party(parties):
    return parties["advertiser"]


def text_of(party, **terms):
    """Return a contract that nobody has signed, called winter, with other terms."""
    document = party.contract("test").to_json()
    del document["signatures"]
    return write_yaml(document | {"id": "winter"} | terms)


@pytest.fixture
def drafts(party):
    drafts = Drafts(party)
    drafts.write(text_of(party))
    return drafts


def refused(step):
    """Return a step that is refused, since somebody else writes the draft."""

    def refuse():
        with pytest.raises(InUse, match=r"winter\.yaml is being changed"):
            step()

    return refuse


def test_the_text_that_was_checked_is_signed_also_when_the_file_changes(
    party, tmp_path, monkeypatch
):
    file, checked = tmp_path / "winter.yaml", parse_contract(text_of(party).encode())
    file.write_text(text_of(party), encoding="utf-8")
    other = text_of(party, min_cell=1)
    doing(monkeypatch, client.agreeing, "require_declared", lambda: file.write_text(other))
    signed = sign_contract(party, file)
    assert signed.digest == checked.digest
    assert load_contract(file) == signed


def test_a_draft_that_changed_since_it_was_read_is_not_signed(party, drafts):
    read = drafts.find("winter").contract.digest
    drafts.write(text_of(party, min_cell=1), replace="winter")
    with pytest.raises(ContractError, match="winter has changed since you read it"):
        drafts.sign("winter", read)
    assert not drafts.find("winter").contract.signatures
    signed = drafts.sign("winter", drafts.find("winter").contract.digest)
    assert list(signed.contract.signatures) == ["advertiser"]


def test_nobody_signs_a_draft_whose_text_is_being_changed(party, drafts, monkeypatch):
    read = drafts.find("winter").contract.digest
    file = party.folder / "drafts" / "winter.yaml"
    for sign in (lambda: drafts.sign("winter", read), lambda: sign_contract(party, file)):
        with monkeypatch.context() as patch:
            doing(patch, client.drafts, "settle", refused(sign))
            drafts.write(text_of(party, min_cell=7), replace="winter")
        drafts.write(text_of(party), replace="winter")


def test_no_signature_is_lost_to_one_that_comes_at_the_same_time(
    parties, party, drafts, tmp_path, monkeypatch
):
    read = drafts.find("winter").contract.digest
    theirs = tmp_path / "theirs.yaml"
    theirs.write_text(text_of(party), encoding="utf-8")
    sign_contract(parties["channel"], theirs)
    with monkeypatch.context() as patch:
        doing(patch, client.drafts, "settle", refused(lambda: drafts.sign("winter", read)))
        drafts.take(theirs.read_bytes())
    drafts.sign("winter", read)
    assert drafts.find("winter").missing == ()


@pytest.mark.parametrize("step", ["write", "rename", "take", "remove"])
def test_a_draft_that_is_being_signed_stays(party, drafts, monkeypatch, step):
    steps = {
        "write": lambda: drafts.write(text_of(party, min_cell=7), replace="winter"),
        "rename": lambda: drafts.write(text_of(party, id="spring"), replace="winter"),
        "take": lambda: drafts.take(text_of(party).encode()),
        "remove": lambda: drafts.remove("winter"),
    }
    doing(monkeypatch, client.agreeing, "require_declared", refused(steps[step]))
    signed = drafts.sign("winter", drafts.find("winter").contract.digest)
    assert list(signed.contract.signatures) == ["advertiser"]
    assert [one.name for one in drafts.all()] == ["winter"]
