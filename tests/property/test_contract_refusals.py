"""A malformed contract or card is one error that names the place and what belongs there."""

import pytest
from two_parties import card_of, contract_document

from party.card import IdentityCard
from party.contract import Contract
from party.contract_file import parse_contract
from party.errors import ContractError
from party.yaml_text import MOST_BYTES, read_yaml, write_yaml

REMOVED = object()
OTHER = card_of("advertiser", copy=1)

WRONG_VALUES = [
    ("contract", "commonground/2", "contract: this version reads commonground/1 only"),
    ("id", "two words", "id: expected a name of letters"),
    ("id", "", "id: expected a name"),
    ("id", 7, "id: expected a name .*found a whole number; put it in quotes"),
    ("title", "a\u202eb", "title: expected a line of text; found a control or invisible character"),
    ("title", "a\nb", "title: expected a line of text; found a control"),
    ("title", "x" * 201, "title: expected a line of text, 1 to 200 characters; found 201"),
    ("title", None, "title: expected a line of text; found nothing"),
    ("min_mach", 5, "min_mach: unknown key; did you mean 'min_match'"),
    ("min_match", REMOVED, "min_match: is missing; add it"),
    ("min_match", 0, "min_match: expected a whole number from 1 to 1000000000"),
    ("min_match", True, "min_match: expected a whole number .*found a truth value"),
    ("min_match", "1000", "min_match: expected a whole number .*without quotes; found text"),
    ("min_match", 1e3, "min_match: expected a whole number .*found a decimal number"),
    ("min_cell", 0, "min_cell: expected a whole number"),
    ("window_days", 0, "window_days: expected"),
    ("list_expiry_days", 100_000, "list_expiry_days: expected"),
    ("retention_days", -1, "retention_days: expected"),
    ("result_days", 0, "result_days: expected a whole number"),
    ("result_days", 1, "result_days: expected a number not below list_expiry_days"),
    ("replay_days", 0, "replay_days: expected a whole number"),
    ("replay_days", 1, "replay_days: expected a number above retention_days"),
    ("consent_max_age_hours", 0, "consent_max_age_hours: expected"),
    ("filter", "renyi", "filter: expected one of basic, zcdp; found 'renyi'"),
    ("filter", ["basic"], "filter: expected one of basic, zcdp; found a list"),
    ("starts", 2026, "starts: expected a time in UTC.*found a whole number"),
    ("starts", "2026-01-01", "starts: expected a time in UTC"),
    ("starts", "2026-01-01T00:00:00+08:00", "starts: expected a time in UTC"),
    ("starts", "2026-02-30T00:00:00Z", "starts: there is no such time"),
    ("starts", "٢٠٢٦-01-01T00:00:00Z", "starts: expected a time in UTC"),
    ("ends", "2023-11-15T00:00:00Z", "ends: expected a time after 'starts'"),
    ("profile", "2026.1", "profile: expected a mapping of keys to values; found text"),
    ("profile.version", "newest", "profile.version: expected a profile version"),
    ("profile.gmail", "no", "profile.gmail: expected true or false; found text"),
    ("profile.yahoo", True, "profile.yahoo: unknown key; the keys here are version, gmail"),
    ("identifiers", [], "identifiers: expected a list of 1 to 16; found 0"),
    ("identifiers", "email", "identifiers: expected a list; found text"),
    ("identifiers", ["email", "email", "phone", "maid"], "identifiers: 'email' stands twice"),
    ("identifiers", ["email", "fax"], "identifiers: unknown identifier type 'fax'"),
    ("identifiers", ["email", "openid"], "identifiers: openid needs a namespace"),
    ("identifiers", ["email", ["maid"]], r"identifiers\[1\]: expected an identifier type"),
    ("datasets.channel", REMOVED, "datasets.channel: is missing"),
    ("datasets.stranger", {}, "datasets.stranger: unknown key; the keys here are advertiser"),
    ("datasets.channel", {}, "datasets.channel: expected 1 to 64 entries; found 0"),
    ("datasets.channel.devices.identifiers", ["imei"], "devices.identifiers: 'imei' is not in the"),
    ("datasets.channel.receipts.most_identifiers", 65, "receipts.most_identifiers: expected"),
    ("datasets.channel.receipts.most_identifiers", "3", "receipts.most_identifiers: expected"),
    ("datasets.channel.receipts.labels", {}, "receipts.labels: expected 1 to 64 entries"),
    ("datasets.channel.receipts.labels", {"a b": ["x"]}, "labels: the name 'a b' does not serve"),
    ("datasets.channel.receipts.labels.region", [1, 2], r"region\[0\]: .*put it in quotes"),
    ("datasets.channel.receipts.labels.region", ["n", "n"], "labels.region: 'n' stands twice"),
    (
        "datasets.channel.receipts.labels.region",
        [str(number) for number in range(4097)],
        "labels.region: expected a list of 1 to 4096; found 4097",
    ),
    ("outputs", [], "outputs: expected a list of 1 to 64"),
    (
        "outputs.0.kind",
        "sum",
        r"outputs\[0\].kind: expected one of match, reach, overlap, insights, funnel, attribution, "
        r"delay, lift, table, cross-channel",
    ),
    ("outputs.0.receiver", REMOVED, r"outputs\[0\].receiver: is missing; a match names its"),
    ("outputs.0.tabulator", "channel", r"outputs\[0\].tabulator: a match has none; remove it"),
    ("outputs.0.sender", "channel", r"outputs\[0\].sender: one party cannot have two roles"),
    ("outputs.0.sender", "stranger", r"outputs\[0\].sender: expected one of advertiser, channel"),
    ("outputs.0.approval", "never", r"outputs\[0\].approval: expected one of rule, manual"),
    ("outputs.0.purpose", "anything", r"outputs\[0\].purpose: expected a purpose"),
    ("outputs.0.uses", [], r"outputs\[0\].uses: expected a list of 1 to 2"),
    (
        "outputs.0.uses",
        ["lookalike"],
        r"uses: expected some of include, exclude; found 'lookalike'",
    ),
    ("outputs.0.uses", ["exclude", "exclude"], r"outputs\[0\].uses: 'exclude' stands twice"),
    ("outputs.0.export_to", "meta", r"outputs\[0\].export_to: expected a list; found text"),
    ("outputs.0.export_to", ["meta", "fax"], "export_to: expected some of google.*found 'fax'"),
    ("outputs.1.uses", ["include"], r"outputs\[1\].uses: only a match makes a list; remove it"),
    ("outputs.2.export_to", ["meta"], r"outputs\[2\].export_to: only a match makes a list"),
    ("outputs.2.kind", "reach", r"outputs\[2\].kind: 'reach' is granted twice"),
    ("budgets.channel.epsilon", 10, "budgets.channel.epsilon: .*whole number; put it in quotes"),
    ("budgets.channel.epsilon", 0.5, "budgets.channel.epsilon: .*decimal number; put it in quotes"),
    ("budgets.channel.epsilon", "0", "budgets.channel.epsilon: expected a number above 0"),
    ("budgets.channel.epsilon", "1001", "budgets.channel.epsilon: expected a number above 0"),
    ("budgets.channel.epsilon", "-1", "budgets.channel.epsilon: epsilon '-1' is not a decimal"),
    ("budgets.channel.epsilon", "1e-10", "budgets.channel.epsilon: .*more than nine decimals"),
    ("budgets.channel.delta", "0.01", "budgets.channel.delta: expected a number above 0"),
    ("budgets.channel.delta", "1e-16", "budgets.channel.delta: .*more than fifteen decimals"),
    ("budgets.channel.delta", "inf", "budgets.channel.delta: delta 'inf' is not a decimal"),
    ("parties.channel", REMOVED, "parties: expected 2 to 3 entries; found 1"),
    ("parties.Channel", {}, "parties: the name 'Channel' does not serve"),
    ("parties.channel.address", "http://a", "parties.channel.address: expected host:port"),
    ("parties.channel.address", "a:99999999", "parties.channel.address: expected host:port"),
    ("parties.channel.identity", "nobody", "parties.channel.identity: expected a verifier key"),
    (
        "parties.channel.identity",
        card_of("channel").identity.replace("channel", "chancel"),
        "parties.channel.identity: the id in the key of example.com/chancel is not that of the key",
    ),
    ("parties.channel.fingerprint", "sha256:00", "parties.channel.fingerprint: expected sha256:"),
    ("parties.channel.fingerprint", OTHER.fingerprint, "fingerprint: it is not the certificate's"),
    ("parties.channel.certificate", "none", "parties.channel.certificate: The certificate is not"),
    (
        "parties.channel.certificate",
        card_of("channel").certificate + OTHER.certificate,
        "parties.channel.certificate: .*holds more than one certificate",
    ),
    ("signatures", {"stranger": "x"}, "signatures.stranger: unknown key"),
    ("signatures", {"channel": "AAAA"}, "signatures.channel: expected an Ed25519 sig"),
    ("signatures", {"channel": "é" * 88}, "signatures.channel: expected an Ed25519 sig"),
    ("signatures", {"channel": "A" * 85 + "B=="}, "signatures.channel: expected an Ed25519"),
    ("signatures", {"channel": "A" * 86}, "signatures.channel: expected an Ed25519"),
]


def test_the_document_that_the_refusals_start_from_is_accepted():
    Contract.from_json(contract_document())


@pytest.mark.parametrize(
    ("path", "value", "says"),
    WRONG_VALUES,
    ids=[f"{path}-{number}" for number, (path, *_) in enumerate(WRONG_VALUES)],  # keys are random
)
def test_a_wrong_value_is_named_by_its_path(path, value, says):
    document = contract_document()
    *parents, last = path.split(".")
    place = document
    for key in parents:
        place = place[int(key) if isinstance(place, list) else key]
    if value is REMOVED:
        del place[last]
    else:
        place[last] = value
    with pytest.raises(ContractError, match=f"^contract may.yaml: .*{says}"):
        Contract.from_json(document, source="contract may.yaml")


def test_two_parties_with_one_identity_are_refused():
    document = contract_document()
    document["parties"]["channel"] = document["parties"]["advertiser"]
    with pytest.raises(ContractError, match="parties: two parties have one identity"):
        Contract.from_json(document)


def test_two_parties_with_one_certificate_are_refused():
    document = contract_document()
    shared = {key: document["parties"]["advertiser"][key] for key in ("certificate", "fingerprint")}
    document["parties"]["channel"] |= shared
    with pytest.raises(ContractError, match="parties: two parties have one certificate"):
        Contract.from_json(document)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "expected a mapping of keys to values; found nothing"),
        (b"- a\n", "expected a mapping of keys to values; found a list"),
        (b"1: 2\n", "the key '1' is a whole number; put it in quotes"),
        (b"a: 1\nb: 2\na: 3\n", "line 3: the key 'a' stands twice; keep one"),
        (b"a: {b: 1, b: 2}\n", "line 1: the key 'b' stands twice"),
        (b"a: &x [1]\nb: 2\n", "line 1: anchors and aliases"),
        (b"a: 1\nb: *x\n", "line 2: anchors and aliases"),
        (b"a: !!python/object/apply:os.system ['true']\n", "line 1: tags"),
        (b"a: !!binary aGk=\n", "line 1: tags"),
        (b"? [a]\n: 1\n", "line 1: a key must be text"),
        (b"a: 1\n---\nb: 2\n", "is not valid YAML: line 2: but found another document"),
        (b"a: [1, 2\n", "is not valid YAML: line 2"),
        (b"a:\n\t- 1\n", "is not valid YAML: line 2"),
        (b"a: \x00\n", "is not valid YAML"),
        (b"title: Caf\xe9\n", "is not UTF-8 at byte 10; save it as UTF-8"),
        (b"[" * 100_000, "line 1: nested deeper than 8 levels"),
        (b"- " * 100_000, "line 1: nested deeper than 8 levels"),
        (b"a" * (MOST_BYTES + 1), "has more than 1048576 bytes, and is not read"),
    ],
    ids=range(18),
)
def test_a_text_that_is_no_plain_yaml_mapping_is_refused(data, says):
    with pytest.raises(ContractError, match=says):
        parse_contract(data)


def test_dates_and_words_stay_text():
    text = b"a: 2026-01-01\nb: yes\nc: 12:30:00\nd: 0x1F\ne: 1_000\nf: on\ng: =\nh: <<\n"
    values = read_yaml(text, "text", ContractError)
    assert list(values.values()) == [
        "2026-01-01",
        "yes",
        "12:30:00",
        "0x1F",
        "1_000",
        "on",
        "=",
        "<<",
    ]


@pytest.mark.parametrize(
    "text", ["1", "1e-6", "010", "0.5", "true", "null", "~", "", "- a", "a: b"]
)
def test_text_that_looks_like_something_else_is_written_so_that_it_stays_text(text):
    assert read_yaml(write_yaml({"a": text}).encode(), "text", ContractError) == {"a": text}


# Cards


def test_a_card_is_read_as_it_was_written():
    card = card_of("channel")
    assert IdentityCard.parse(card.to_yaml().encode()) == card
    assert "PRIVATE" not in card.to_yaml()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace("card: ", "contract: "), "it is no identity card"),
        (lambda text: text.replace("ground/1", "ground/2"), "it is no identity card"),
        (lambda text: "card: commonground/1\n", "organisation: is missing"),
        (lambda text: text + "secret: 1\n", "secret: unknown key"),
        (lambda text: text.replace(OTHER.fingerprint, "sha256:" + "0" * 64), "not the certif"),
        (lambda text: "- " + text.replace("\n", "\n  "), "it is no identity card"),
    ],
    ids=["another kind", "another version", "empty", "more", "fingerprint", "a list"],
)
def test_a_card_that_was_changed_is_refused(change, says):
    with pytest.raises(ContractError, match=f"public.yaml.*{says}"):
        IdentityCard.parse(change(OTHER.to_yaml()).encode(), source="public.yaml")
