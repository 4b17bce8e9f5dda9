"""A request is granted word for word by the contract, or refused with the status that fits."""

import copy
import json
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from two_parties import NOW, contract_document, party_called, signed

from party.contract import Contract
from party.contract_terms import ListUse, OutputKind
from party.errors import ContractError, Refusal, RefusalStatus
from party.request import MOST_BYTES, LabelList, Request
from party.request_parameters import Parameters

CONTRACT = signed(contract_document())
DAY = 86_400
DATASETS = {"channel": "receipts"}
TABLE = {"tabulator": "channel", "recipient": "advertiser"}


def a_match(**changes):
    request = Request.match(
        CONTRACT,
        requester="channel",
        receiver="channel",
        sender="advertiser",
        now=NOW,
        datasets=DATASETS,
    )
    return replace(request, **changes).sign(party_called("channel"))


def a_table(kind=OutputKind.REACH, **changes):
    labels = {"advertiser": "segment"}
    if kind is OutputKind.REACH:
        labels["channel"] = "frequency"
    request = Request.crosstab(
        CONTRACT,
        kind,
        requester="advertiser",
        now=NOW,
        labels=labels,
        datasets=DATASETS,
        **TABLE,
    )
    return replace(request, **changes).sign(party_called("advertiser"))


def with_parameters(request, **changes):
    return replace(request, parameters=replace(request.parameters, **changes))


def signed_again(request):
    return request.sign(party_called(request.requester))


def refusal_of(request, *, contract=CONTRACT, now=NOW):
    with pytest.raises(Refusal) as refused:
        request.check(contract, now)
    return refused.value


WIRE = a_table().encode()


# What is granted


@pytest.mark.parametrize(
    "request_",
    [
        a_match(),
        a_table(),
        a_table(OutputKind.OVERLAP),
        a_table(identifiers=("email",)),
        a_table(expires=NOW + 30 * DAY),
        a_table(created=NOW + 300, expires=NOW + DAY),
        signed_again(with_parameters(a_table(), epsilon_release_nano=10_000_000)),
        signed_again(with_parameters(a_table(), known_answers=32)),
        signed_again(with_parameters(a_match(), known_answers=4096)),
    ],
    ids=range(9),
)
def test_what_the_contract_grants_is_accepted(request_):
    request_.check(CONTRACT, NOW)
    assert Request.decode(request_.encode()) == request_


def test_either_party_of_a_granted_output_may_ask():
    request = replace(a_table(), requester="channel").sign(party_called("channel"))
    request.check(CONTRACT, NOW)


def test_a_match_is_filled_from_the_contract():
    request = a_match()
    assert request.datasets == {"channel": "receipts", "advertiser": "customers"}
    assert request.identifiers == ("phone", "email")
    assert request.parameters.most_identifiers == {"channel": 3, "advertiser": 2}
    assert request.parameters.epsilon_release_nano == 0
    assert request.labels["channel"] == request.labels["advertiser"] == LabelList(None, ("all",))
    assert (request.min_match, request.purpose) == (1000, "dpv:TargetedAdvertising")
    assert request.participants == ("channel", "advertiser")


def test_a_table_is_filled_from_the_contract():
    request = a_table()
    assert request.parameters.most_identifiers == {"channel": 3, "advertiser": 1}
    assert request.labels == {
        "channel": LabelList("frequency", ("1", "2", "3", "4+")),
        "advertiser": LabelList("segment", ("gold", "silver", "new")),
    }
    assert (request.min_match, request.purpose) == (0, "dpv:MarketResearch")
    assert request.participants == ("channel", "advertiser")
    assert request.parameters == Parameters(most_identifiers={"channel": 3, "advertiser": 1})


def test_every_request_has_an_id_of_its_own():
    assert len({a_match().id for _ in range(50)}) == 50


def test_a_choice_of_datasets_is_asked_for():
    with pytest.raises(ContractError, match=r"2 datasets of 'channel'.*receipts, devices"):
        Request.crosstab(
            CONTRACT, OutputKind.REACH, requester="advertiser", now=NOW, labels={}, **TABLE
        )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tabulator": "advertiser", "recipient": "channel"}, "does not grant 'reach'"),
        ({"datasets": {"channel": "people"}}, "has no dataset 'people' of 'channel'"),
        ({"datasets": {"channel": "devices"}}, "no identifier type in common"),
        ({"labels": {"channel": "age"}}, "no label 'age' of channel.receipts"),
        ({"labels": {"advertiser": "frequency"}}, "no label 'frequency' of advertiser.customers"),
    ],
    ids=range(5),
)
def test_a_request_beyond_the_contract_is_not_even_built(changes, says):
    asked = {"labels": {}, "datasets": DATASETS, **TABLE, **changes}
    with pytest.raises(Refusal, match=says) as refused:
        Request.crosstab(CONTRACT, OutputKind.REACH, requester="advertiser", now=NOW, **asked)
    assert refused.value.status is RefusalStatus.NOT_GRANTED


def test_a_request_says_what_its_list_is_for_and_both_sign_it():
    request = Request.match(
        CONTRACT, requester="channel", receiver="channel", sender="advertiser", now=NOW,
        datasets=DATASETS, use=ListUse.EXCLUDE,
    ).sign(party_called("channel"))  # fmt: skip
    request.check(CONTRACT, NOW)
    assert Request.decode(request.encode()).use is ListUse.EXCLUDE
    assert a_match().use is ListUse.INCLUDE
    assert json.loads(a_match().encode())["use"] == "include"
    document = json.loads(request.encode())
    document["use"] = "include"
    other = Request.decode(rfc8785.dumps(document))
    assert refusal_of(other).status is RefusalStatus.BAD_REQUEST


def test_a_request_from_before_lists_had_a_use_is_to_include():
    older = signed_again(replace(a_match(), use=None))
    assert b'"use"' not in older.encode()
    assert Request.decode(older.encode()) == older
    older.check(CONTRACT, NOW)
    assert refusal_of_use(older, ["exclude"]).status is RefusalStatus.NOT_GRANTED


@pytest.mark.parametrize("uses", [["include"], ["exclude"], ["include", "exclude"], None])
@pytest.mark.parametrize("use", list(ListUse))
def test_a_contract_may_grant_a_match_for_one_use_alone(use, uses):
    refused = refusal_of_use(replace(a_match(), use=use), uses)
    if uses is None or use in uses:
        assert refused is None
    else:
        assert refused.status is RefusalStatus.NOT_GRANTED
        assert f"for lists to {uses[0]}, not to {use.value}" in str(refused)


def refusal_of_use(request, uses):
    document = contract_document()
    if uses is not None:
        document["outputs"][0]["uses"] = uses
    contract = signed(document)
    assert contract.to_json()["outputs"] == document["outputs"]
    under = signed_again(replace(request, contract=contract.digest))
    try:
        under.check(contract, NOW)
    except Refusal as refused:
        return refused
    return None


# What is refused

TOO_MANY = LabelList("segment", tuple(map(str, range(4097))))
GOLD = LabelList("segment", ("gold",))
REORDERED = LabelList("segment", ("silver", "gold", "new"))
REGION = LabelList("region", ("north", "south"))
ALL = LabelList(None, ("all",))
FREQUENCY = a_table().labels["channel"]

NOT_GRANTED = [
    (a_table, {"purpose": "dpv:Marketing"}, "for dpv:MarketResearch, not for dpv:Marketing"),
    (a_match, {"purpose": "dpv:MarketResearch"}, "for dpv:TargetedAdvertising"),
    (a_match, {"min_match": 999}, "a minimum of 999 people, the contract 1000"),
    (a_table, {"min_match": 1000}, "a minimum of 1000 people, the contract 0"),
    (a_match, {"roles": {"receiver": "advertiser", "sender": "channel"}}, "not grant 'match'"),
    (a_table, {"roles": {"tabulator": "advertiser", "recipient": "channel"}}, "not grant 'reach'"),
    (a_table, {"roles": {**TABLE, "tabulator": "stranger"}}, "'stranger' is no party"),
    (a_table, {"datasets": {"channel": "devices", "advertiser": "customers"}}, "in common"),
    (a_table, {"datasets": {"channel": "people", "advertiser": "customers"}}, "no dataset 'peo"),
    (a_table, {"identifiers": ("email", "phone")}, "grants, in this order, phone, email"),
    (a_table, {"identifiers": ("phone", "email", "maid")}, "grants, in this order, phone, email"),
    (a_table, {"identifiers": ("imei",)}, "grants, in this order, phone, email"),
    (a_table, {"labels": {"channel": FREQUENCY, "advertiser": GOLD}}, "'advertiser' labels"),
    (a_table, {"labels": {"channel": FREQUENCY, "advertiser": REORDERED}}, "'advertiser' labels"),
    (a_table, {"labels": {"channel": FREQUENCY, "advertiser": REGION}}, "no label 'region' of adv"),
    (a_table, {"labels": {"channel": REORDERED, "advertiser": ALL}}, "no label 'segment' of chan"),
    (
        a_table,
        {"labels": {"channel": LabelList(None, ("some",)), "advertiser": ALL}},
        "under which 'channel' labels its records",
    ),
    (a_match, {"labels": {"channel": REGION, "advertiser": ALL}}, "'channel' has no label"),
]


@pytest.mark.parametrize(("make", "changes", "says"), NOT_GRANTED, ids=range(len(NOT_GRANTED)))
def test_what_the_contract_does_not_grant_is_refused(make, changes, says):
    refused = refusal_of(make(**changes))
    assert refused.status is RefusalStatus.NOT_GRANTED
    assert says in str(refused)


def test_the_tabulator_of_an_overlap_has_no_label():
    granted = a_table(OutputKind.OVERLAP)
    labels = {**granted.labels, "channel": REGION}
    refused = refusal_of(signed_again(replace(granted, labels=labels)))
    assert refused.status is RefusalStatus.NOT_GRANTED
    assert "In overlap 'channel' has no label" in str(refused)


@pytest.mark.parametrize("most", [{"channel": 2}, {"channel": 4}, {"advertiser": 2}])
def test_identifiers_a_person_are_the_contracts(most):
    """Too few would shrink the tabulator's noise, too many would waste it."""
    request = a_table()
    stated = {**request.parameters.most_identifiers, **most}
    refused = refusal_of(signed_again(with_parameters(request, most_identifiers=stated)))
    assert refused.status is RefusalStatus.NOT_GRANTED
    assert "identifiers a person" in str(refused)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epsilon_release_nano", 0),
        ("epsilon_release_nano", 9_999_999),
        ("epsilon_release_nano", 10**12 + 1),
        ("epsilon_dummies_nano", 0),
        ("epsilon_dummies_nano", 9_999_999),
        ("delta_dummies_e15", 0),
        ("delta_dummies_e15", 10**12 + 1),
        ("known_answers", 31),
        ("known_answers", 4097),
        ("records_per_person", 0),
        ("records_per_person", 2),
    ],
)
def test_a_parameter_outside_its_bounds_is_refused(name, value):
    refused = refusal_of(signed_again(with_parameters(a_table(), **{name: value})))
    assert refused.status is RefusalStatus.LIMIT_EXCEEDED
    assert name in str(refused)


def test_a_match_has_no_release():
    refused = refusal_of(signed_again(with_parameters(a_match(), epsilon_release_nano=1)))
    assert refused.status is RefusalStatus.LIMIT_EXCEEDED


def test_too_many_labels_or_cells_are_refused():
    labels = {"channel": FREQUENCY, "advertiser": TOO_MANY}
    refused = refusal_of(a_table(labels=labels))
    assert refused.status is RefusalStatus.LIMIT_EXCEEDED
    assert "the labels of 'advertiser': 4097" in str(refused)
    wide = LabelList("segment", tuple(map(str, range(256))))
    refused = refusal_of(a_table(labels={"channel": wide, "advertiser": wide}))
    assert refused.status is RefusalStatus.LIMIT_EXCEEDED
    assert f"the cells of the table: {257 * 257 - 1}" in str(refused)


@pytest.mark.parametrize(
    ("changes", "now", "status", "says"),
    [
        ({}, NOW + DAY, RefusalStatus.EXPIRED, "has expired"),
        ({"created": NOW + 301}, NOW, RefusalStatus.EXPIRED, "301 seconds ahead"),
        ({"expires": NOW + 30 * DAY + 1}, NOW, RefusalStatus.LIMIT_EXCEEDED, "lifetime"),
        ({"created": NOW + 200, "expires": NOW + 100}, NOW, RefusalStatus.LIMIT_EXCEEDED, "-100"),
        ({"expires": CONTRACT.ends + DAY}, CONTRACT.ends, RefusalStatus.EXPIRED, "ended on"),
        ({}, CONTRACT.starts - 1, RefusalStatus.EXPIRED, "starts on"),
    ],
    ids=range(6),
)
def test_a_request_outside_its_time_is_refused(changes, now, status, says):
    refused = refusal_of(a_table(**changes), now=now)
    assert refused.status is status
    assert says in str(refused)


def test_a_request_under_another_contract_is_refused():
    document = contract_document()
    document["min_cell"] = 11
    refused = refusal_of(a_table(), contract=signed(document))
    assert refused.status is RefusalStatus.CONTRACT_UNKNOWN


def test_a_request_under_an_unsigned_contract_is_refused():
    refused = refusal_of(a_table(), contract=Contract.from_json(contract_document()))
    assert refused.status is RefusalStatus.CONTRACT_UNKNOWN
    assert "not signed by 'advertiser'" in str(refused)


def test_one_that_has_no_role_cannot_ask():
    three = signed(contract_document("vendor"))
    request = Request.crosstab(
        three, OutputKind.REACH, requester="vendor", now=NOW, labels={}, datasets=DATASETS, **TABLE
    ).sign(party_called("vendor"))
    refused = refusal_of(request, contract=three)
    assert refused.status is RefusalStatus.NOT_GRANTED
    assert "'vendor' asks, and has no role" in str(refused)


def test_a_request_that_another_signed_is_refused():
    refused = refusal_of(a_table().sign(party_called("channel")))
    assert refused.status is RefusalStatus.BAD_REQUEST
    assert "not signed by the identity key of 'advertiser'" in str(refused)


def test_an_unsigned_request_is_refused():
    assert refusal_of(replace(a_table(), signature="")).status is RefusalStatus.BAD_REQUEST


def test_a_signature_has_one_spelling():
    """Stray bits in the last letter would make a second request of the same statement."""
    document = json.loads(WIRE)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    number = letters.index(document["signature"][85])
    document["signature"] = document["signature"][:85] + letters[number + 1] + "=="
    with pytest.raises(Refusal, match="signature: expected an Ed25519 signature"):
        Request.from_json(document)


def test_a_signature_of_the_bare_text_is_refused():
    """A request's signature cannot be had by having its text signed as something else."""
    request = replace(a_table(), signature="")
    bare = party_called("advertiser").sign(request.encode())
    forged = replace(request, signature=b64encode(bare).decode())
    assert refusal_of(forged).status is RefusalStatus.BAD_REQUEST


# On the wire


@settings(max_examples=500, deadline=None)
@given(place=st.integers(0, len(WIRE) - 1), flip=st.integers(1, 255))
def test_a_flipped_byte_is_refused(place, flip):
    flipped = bytearray(WIRE)
    flipped[place] ^= flip
    with pytest.raises(Refusal):
        Request.decode(bytes(flipped)).check(CONTRACT, NOW)


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=300))
def test_arbitrary_bytes_are_refused(data):
    with pytest.raises(Refusal) as refused:
        Request.decode(data)
    assert refused.value.status is RefusalStatus.BAD_REQUEST


@settings(max_examples=200, deadline=None)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    ),
    key=st.sampled_from(sorted(json.loads(WIRE))),
)
def test_a_value_of_another_shape_is_refused(value, key):
    document = json.loads(WIRE)
    if document[key] == value:
        return
    document[key] = value
    with pytest.raises(Refusal):
        Request.decode(rfc8785.dumps(document)).check(CONTRACT, NOW)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", RefusalStatus.BAD_REQUEST),
        (b"[" * 500_000, RefusalStatus.BAD_REQUEST),
        (b"9" * 5000, RefusalStatus.BAD_REQUEST),
        (b"NaN", RefusalStatus.BAD_REQUEST),
        (b'"\\ud800"', RefusalStatus.BAD_REQUEST),
        (b" " + WIRE, RefusalStatus.BAD_REQUEST),
        (WIRE + b"\n", RefusalStatus.BAD_REQUEST),
        (b'{"a":1,"a":1}', RefusalStatus.BAD_REQUEST),
        (json.dumps(json.loads(WIRE)).encode(), RefusalStatus.BAD_REQUEST),
        (b" " * (MOST_BYTES + 1), RefusalStatus.LIMIT_EXCEEDED),
    ],
    ids=range(10),
)
def test_only_the_canonical_text_of_a_request_is_read(data, status):
    with pytest.raises(Refusal) as refused:
        Request.decode(data)
    assert refused.value.status is status


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("request", "commonground/2", "request: this version reads commonground/1"),
        ("id", "A" * 32, "id: expected 32 lower-case hex digits"),
        ("contract", "00", "contract: expected 64 lower-case hex digits"),
        ("kind", "sum", "kind: expected one of match, reach, overlap"),
        ("kind", "match", "roles.recipient: unknown key"),
        ("requester", "", "requester: expected a party's name"),
        ("roles.tabulator", "advertiser", "roles: one party cannot have two roles"),
        ("roles.fourth", "vendor", "roles.fourth: unknown key"),
        ("datasets.channel", "a b", "datasets.channel: expected a name"),
        ("labels.channel.name", 1, "labels.channel.name: expected a name"),
        ("labels.channel.values", [], "labels.channel.values: expected a list of 1 to"),
        ("labels.channel.values", ["x", "x"], "labels.channel.values: 'x' stands twice"),
        ("identifiers", ["fax"], "identifiers: unknown identifier type"),
        ("parameters.known_answers", -1, "parameters.known_answers: expected a whole number"),
        ("parameters.known_answers", 128.5, "parameters.known_answers: expected a whole number"),
        ("parameters.most_identifiers.channel", 0, "most_identifiers.channel: expected a whole"),
        ("parameters.debug", True, "parameters.debug: unknown key"),
        ("purpose", "x", "purpose: expected a purpose"),
        ("min_match", -1, "min_match: expected a whole number"),
        ("created", "now", "created: expected a whole number"),
        ("use", "include", "use: only a match makes a list; remove it"),
        ("signature", "A" * 87 + "=", "signature: expected an Ed25519 signature"),
    ],
)
def test_a_malformed_field_is_named_by_its_path(path, value, says):
    document = copy.deepcopy(json.loads(WIRE))
    *parents, last = path.split(".")
    place = document
    for key in parents:
        place = place[key]
    place[last] = value
    with pytest.raises(Refusal, match=f"The request is malformed: .*{says}") as refused:
        Request.from_json(document)
    assert refused.value.status is RefusalStatus.BAD_REQUEST


def test_the_digest_is_that_of_the_text_without_its_signature():
    document = json.loads(WIRE)
    del document["signature"]
    plain = json.dumps(document, sort_keys=True, separators=(",", ":"))
    assert Request.decode(WIRE).digest == sha256(plain.encode()).hexdigest()
