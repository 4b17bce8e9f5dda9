"""A contract counts only as all parties signed it: whatever differs is refused, by its name."""

import copy
import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from two_parties import BEFORE, ENDS, NOW, card_of, contract_document, party_called, signed

from party.contract import Contract
from party.contract_draft import draft_contract
from party.contract_file import (
    load_contract,
    merge_signatures,
    parse_contract,
    render_contract,
    sign_contract_file,
)
from party.contract_terms import AccountingFilter, Approval, OutputKind, read_time, write_time
from party.document import Section
from party.errors import ContractError, Refusal, RefusalStatus

AFTER = 1_800_000_000


def leaves(value, path=()):
    """Yield the path of every leaf of a document."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        if isinstance(child, dict | list):
            yield from leaves(child, (*path, key))
        else:
            yield (*path, key)


def mappings(value, path=()):
    """Yield the path of every mapping of a document."""
    if isinstance(value, dict):
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        if isinstance(child, dict | list):
            yield from mappings(child, (*path, key))


def at(document, path):
    for key in path:
        document = document[key]
    return document


def altered(leaf):
    """Return a value of the same type that differs in one place."""
    if isinstance(leaf, bool):
        return not leaf
    if isinstance(leaf, int):
        return leaf + 1
    return leaf[:-2] + ("1" if leaf[-2:-1] != "1" else "2") + leaf[-1:]


def require_refused(document):
    with pytest.raises(ContractError):
        Contract.from_json(document).verify_signatures()


SIGNED = signed(contract_document())
TEXT = ("# Agreed in May.\n" + render_contract(SIGNED)).encode()


def test_a_contract_signed_by_both_is_in_force():
    SIGNED.verify_signatures()
    SIGNED.require_in_force(NOW)


def test_every_altered_value_is_refused():
    document = SIGNED.to_json()
    for path in leaves(document):
        changed = copy.deepcopy(document)
        at(changed, path[:-1])[path[-1]] = altered(at(document, path))
        require_refused(changed)


def test_every_removed_key_is_refused():
    document = SIGNED.to_json()
    for path in mappings(document):
        for key in at(document, path):
            changed = copy.deepcopy(document)
            del at(changed, path)[key]
            require_refused(changed)


def test_every_added_key_is_refused():
    document = SIGNED.to_json()
    for path in mappings(document):
        changed = copy.deepcopy(document)
        at(changed, path)["extra"] = "1"
        require_refused(changed)


def test_every_reordered_list_is_refused():
    document = SIGNED.to_json()
    for path in ("identifiers", "outputs"):
        changed = copy.deepcopy(document)
        changed[path].reverse()
        require_refused(changed)


@settings(max_examples=300, deadline=None)
@given(place=st.integers(0, len(TEXT) - 1), flip=st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_changes_nothing_that_is_signed(place, flip):
    flipped = bytearray(TEXT)
    flipped[place] ^= flip
    try:
        contract = parse_contract(bytes(flipped))
        contract.verify_signatures()
    except ContractError:
        return
    assert contract == SIGNED


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_as_contracts(data):
    with pytest.raises(ContractError):
        parse_contract(data)


def test_an_altered_contract_names_whose_signature_does_not_cover_it():
    document = SIGNED.to_json()
    document["min_match"] = 10
    with pytest.raises(ContractError, match="'advertiser' does not cover this text"):
        Contract.from_json(document).verify_signatures()


def test_a_signature_of_another_party_is_refused():
    document = SIGNED.to_json()
    both = document["signatures"]
    both["advertiser"], both["channel"] = both["channel"], both["advertiser"]
    with pytest.raises(ContractError, match="'advertiser' does not cover"):
        Contract.from_json(document).verify_signatures()


def test_a_signature_under_another_purpose_is_refused():
    identity = party_called("advertiser")
    document = contract_document()
    bare = identity.signer.sign(Contract.from_json(document).canonical).blob
    document["signatures"] = {"advertiser": b64encode(bare).decode()}
    with pytest.raises(ContractError, match="does not cover"):
        Contract.from_json(document).verify_signatures(require_all=False)


def test_an_unsigned_contract_is_not_in_force():
    half = Contract.from_json(contract_document()).sign(party_called("advertiser"))
    half.verify_signatures(require_all=False)
    with pytest.raises(ContractError, match="not signed by 'channel'"):
        half.require_in_force(NOW)


@pytest.mark.parametrize(
    ("now", "says"), [(BEFORE - 1, "starts on 2023-11-15"), (AFTER, f"ended on {ENDS}")]
)
def test_a_contract_outside_its_time_is_not_in_force(now, says):
    with pytest.raises(ContractError, match=says):
        SIGNED.require_in_force(now)


def test_a_contract_ends_in_the_second_that_it_names():
    end = SIGNED.ends
    SIGNED.require_in_force(end - 1)
    with pytest.raises(ContractError, match="ended"):
        SIGNED.require_in_force(end)


def test_an_expired_certificate_ends_the_contract():
    document = contract_document()
    document["ends"] = "2030-01-01T00:00:00Z"
    contract = signed(document)
    with pytest.raises(ContractError, match=r"advertiser\.commonground\.internal expired"):
        contract.require_in_force(AFTER)


def test_a_party_finds_itself_by_key_and_certificate():
    assert SIGNED.me(party_called("channel")) == "channel"
    assert SIGNED.counterparts("channel") == ("advertiser",)


def test_a_contract_for_others_is_refused():
    with pytest.raises(ContractError, match="none of them has this party's identity key"):
        SIGNED.me(party_called("stranger"))
    with pytest.raises(ContractError, match="none of them"):
        SIGNED.sign(party_called("stranger"))


def test_a_contract_that_pins_another_certificate_of_this_party_is_refused():
    document = contract_document()
    other = card_of("advertiser", copy=1)
    document["parties"]["advertiser"] |= {
        "certificate": other.certificate,
        "fingerprint": other.fingerprint,
    }
    with pytest.raises(ContractError, match="pins another certificate for 'advertiser'"):
        Contract.from_json(document).me(party_called("advertiser"))


def test_nobody_signs_what_was_altered_after_a_signature():
    document = Contract.from_json(contract_document()).sign(party_called("advertiser")).to_json()
    document["budgets"]["advertiser"]["epsilon"] = "100"
    with pytest.raises(ContractError, match="'advertiser' does not cover"):
        Contract.from_json(document).sign(party_called("channel"))


def test_the_document_that_is_read_is_the_one_that_is_written():
    document = SIGNED.to_json()
    assert Contract.from_json(document).to_json() == document
    assert parse_contract(render_contract(SIGNED).encode()) == SIGNED


def test_the_hash_is_that_of_the_documents_canonical_json():
    document = contract_document()
    # For ASCII texts and small integers, RFC 8785 is sorted keys without white space.
    plain = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert Contract.from_json(document).digest == sha256(plain.encode()).hexdigest()
    assert SIGNED.digest == sha256(plain.encode()).hexdigest()


def test_budgets_are_exact():
    document = contract_document()
    document["budgets"]["channel"] = {"epsilon": "0.000000001", "delta": "1e-15"}
    budget = Contract.from_json(document).budgets["channel"]
    assert (budget.epsilon_nano, budget.delta_e15) == (1, 1)


def test_terms_are_read_as_types():
    assert SIGNED.filter is AccountingFilter.BASIC
    assert [grant.approval for grant in SIGNED.outputs] == [
        Approval.RULE,
        Approval.MANUAL,
        Approval.RULE,
    ]
    assert SIGNED.datasets["channel"]["receipts"].labels["frequency"] == ("1", "2", "3", "4+")
    assert SIGNED.datasets["channel"]["devices"].labels == {}


def test_terms_cannot_be_changed_in_place():
    with pytest.raises(TypeError):
        SIGNED.budgets["channel"] = SIGNED.budgets["advertiser"]


def test_only_named_datasets_and_outputs_are_granted():
    roles = {"tabulator": "channel", "recipient": "advertiser"}
    assert SIGNED.output(OutputKind.REACH, roles).purpose == "dpv:MarketResearch"
    swapped = {"tabulator": "advertiser", "recipient": "channel"}
    for ask in (
        lambda: SIGNED.output(OutputKind.REACH, swapped),
        lambda: SIGNED.output(OutputKind.MATCH, roles),
        lambda: SIGNED.dataset("channel", "customers"),
        lambda: SIGNED.dataset("stranger", "receipts"),
    ):
        with pytest.raises(Refusal) as refused:
            ask()
        assert refused.value.status is RefusalStatus.NOT_GRANTED


def test_three_parties_may_sign_one_contract_and_four_may_not():
    three = signed(contract_document("vendor"))
    three.require_in_force(NOW)
    assert three.counterparts("channel") == ("advertiser", "vendor")
    with pytest.raises(ContractError, match="parties: expected 2 to 3 entries; found 4"):
        Contract.from_json(contract_document("vendor", "fourth"))


@given(seconds=st.integers(0, 4_000_000_000))
def test_times_are_written_as_they_are_read(seconds):
    section = Section({"t": write_time(seconds)}, "", ContractError, required=("t",))
    assert read_time(section, "t") == seconds


# Files


def test_signing_a_file_keeps_what_its_authors_wrote(tmp_path):
    path = tmp_path / "contract.yaml"
    path.write_text(_draft())
    path.chmod(0o640)
    for name in ("advertiser", "channel"):
        sign_contract_file(path, party_called(name))
    assert load_contract(path).verify_signatures() is None
    assert path.read_text().startswith(_draft())
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "layout",
    [
        lambda text: text.removesuffix("\n"),
        lambda text: text + "...\n",
        lambda text: json.dumps(parse_contract(text.encode()).to_json()),
        lambda text: "signatures: {}\n" + text,
        lambda text: text.replace("\n", "\r\n"),
    ],
    ids=["no last newline", "document end", "one flow mapping", "empty signatures", "CRLF"],
)
def test_a_file_of_any_layout_can_be_signed(tmp_path, layout):
    path = tmp_path / "contract.yaml"
    path.write_bytes(layout(_draft()).encode())
    sign_contract_file(path, party_called("advertiser"))
    signed_by_both = sign_contract_file(path, party_called("channel"))
    assert load_contract(path) == signed_by_both
    signed_by_both.verify_signatures()


def test_a_refused_signing_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "contract.yaml"
    path.write_text(_draft())
    with pytest.raises(ContractError):
        sign_contract_file(path, party_called("stranger"))
    assert path.read_text() == _draft()
    assert list(tmp_path.iterdir()) == [path]


def test_two_signed_copies_become_one_contract():
    draft = Contract.from_json(contract_document())
    mine, theirs = draft.sign(party_called("advertiser")), draft.sign(party_called("channel"))
    merge_signatures(mine, theirs).verify_signatures()


def test_copies_that_differ_do_not_merge():
    document = contract_document()
    document["min_match"] = 999
    with pytest.raises(ContractError, match="differ in more than signatures"):
        merge_signatures(SIGNED, Contract.from_json(document))


def test_a_draft_is_a_valid_unsigned_contract():
    draft = parse_contract(_draft().encode())
    assert draft.signatures == {}
    keys = re.findall(r"^([a-z_]+):", _draft(), flags=re.MULTILINE)
    assert set(keys) == set(SIGNED.to_json()) - {"signatures"} | {"result_days"}


def test_a_draft_of_three_grants_tables_with_the_third_beside_those_of_two():
    cards = {name: card_of(name) for name in ("advertiser", "channel", "vendor")}
    text = draft_contract(cards, contract_id="three", title="Three", starts=BEFORE, ends=AFTER)
    assert "the labels of vendor are an axis of it too" in text
    contract = parse_contract(text.encode())
    two = {"tabulator": "channel", "recipient": "advertiser"}
    for kind in OutputKind:
        with_third = "third" in (*kind.roles, *kind.optional_roles)
        grants = [grant.roles for grant in contract.outputs if grant.kind is kind]
        of_two = [two] if kind.roles == tuple(two) else []
        of_three = [{**two, "third": "vendor"}] if with_third else []
        assert grants == ([*of_two, *of_three] or [{"receiver": "channel", "sender": "advertiser"}])
    assert all(f"TO FILL IN: what {name} offers" in text for name in cards)


@pytest.mark.parametrize("silent", ["channel", "vendor"])
def test_a_draft_of_three_needs_addresses_of_those_who_are_dialled(silent):
    cards = {name: card_of(name) for name in ("advertiser", "channel", "vendor")}
    cards[silent] = replace(cards[silent], address=None)
    with pytest.raises(ContractError, match=f"the card of {silent} has no address"):
        draft_contract(cards, contract_id="three", title="Three", starts=BEFORE, ends=AFTER)


def test_a_draft_takes_texts_that_yaml_would_misread():
    title = "yes: {no} # 'quoted' \"twice\" – 食品 & *more"
    assert parse_contract(_draft(title=title).encode()).title == title


def test_a_draft_with_a_value_that_does_not_serve_is_refused():
    with pytest.raises(ContractError, match="the draft: id: expected a name"):
        _draft(contract_id="two words")


def test_a_missing_contract_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(ContractError, match=r"no contract at .*absent\.yaml"):
        load_contract(tmp_path / "absent.yaml")
    with pytest.raises(ContractError, match="cannot be read"):
        load_contract(tmp_path)


def _draft(*, title="Summer campaign", contract_id="summer-2026"):
    parties = {name: card_of(name) for name in ("advertiser", "channel")}
    return draft_contract(parties, contract_id=contract_id, title=title, starts=BEFORE, ends=AFTER)
