"""A table of three is granted to all three by name, asked for by its recipient, and bounded."""

import json
from dataclasses import replace
from math import sqrt

import pytest
import rfc8785
from two_parties import NOW, THREE, contract_of_three, party_called, signed

from party.contract import Contract
from party.contract_terms import OutputKind
from party.errors import ContractError, Refusal, RefusalStatus
from party.own_side import Own, OwnSide
from party.request import LabelList, Request
from party.terms import Terms
from psi.keys import Keys
from psi.legs import CROSSTAB_OF_THREE
from psi.seed import Seed

WITH_THIRD = [kind for kind in OutputKind if "third" in (*kind.roles, *kind.optional_roles)]
CONTRACT = signed(contract_of_three(*WITH_THIRD))
OF_TWO = {"advertiser": "segment", "channel": "frequency"}
LABELS = {"advertiser": "segment", "channel": "frequency", "vendor": "income"}


def asked(kind=OutputKind.INSIGHTS, contract=CONTRACT, **changes):
    choice = {
        "requester": "advertiser",
        "labels": LABELS,
        "datasets": {"channel": "receipts"},
        "identifier": "email",
        **THREE,
        **changes,
    }
    return Request.crosstab(contract, kind, now=NOW, **choice)


def by(request, **changes):
    return replace(request, **changes).sign(party_called(request.requester))


def refusal_of(request, contract=CONTRACT):
    with pytest.raises(Refusal) as refused:
        request.check(contract, NOW)
    return refused.value


@pytest.mark.parametrize("kind", WITH_THIRD)
def test_every_table_of_people_may_have_a_third(kind):
    labels = {**LABELS, "channel": None} if kind is OutputKind.OVERLAP else LABELS
    request = by(asked(kind, labels=labels))
    request.check(CONTRACT, NOW)
    assert Request.decode(request.encode()) == request
    assert request.participants == ("channel", "advertiser", "vendor")
    assert tuple(request.roles) == ("tabulator", "recipient", "third")
    assert Terms.of(request).table is CROSSTAB_OF_THREE


def test_each_party_sends_one_identifier_of_the_one_type():
    request = asked()
    assert request.identifiers == ("email",)
    assert request.parameters.most_identifiers == dict.fromkeys(THREE.values(), 1)
    assert request.labels["vendor"] == LabelList("income", ("low", "high"))


def test_the_same_kind_may_be_granted_with_the_third_and_without():
    document = contract_of_three(OutputKind.REACH)
    contract = Contract.from_json(document)
    grants = [grant for grant in contract.outputs if grant.kind is OutputKind.REACH]
    assert [len(grant.roles) for grant in grants] == [2, 3]
    assert contract.output(OutputKind.REACH, THREE) is grants[1]
    assert contract.to_json()["outputs"] == document["outputs"]
    two = {role: THREE[role] for role in ("tabulator", "recipient")}
    assert contract.output(OutputKind.REACH, two) is grants[0]
    with pytest.raises(Refusal, match="with tabulator channel, recipient vendor, third advert"):
        contract.output(OutputKind.REACH, {**THREE, "recipient": "vendor", "third": "advertiser"})


@pytest.mark.parametrize(
    ("kind", "changes", "says"),
    [
        ("attribution", {}, "third: attribution is between two parties; remove it"),
        ("delay", {}, "third: delay is between two parties; remove it"),
        ("reach", {"third": "channel"}, "recipient: one party cannot have two roles"),
        ("reach", {"third": "stranger"}, "third: expected one of advertiser, channel, vendor"),
        ("cross-channel", {"third": None}, "third: is missing; a cross-channel names its"),
        ("reach", {"fourth": "vendor"}, "fourth: unknown key"),
    ],
)  # fmt: skip
def test_a_grant_with_a_third_says_what_is_wrong_with_it(kind, changes, says):
    document = contract_of_three(kind)
    changed = {**document["outputs"][-1], **changes}
    document["outputs"][-1] = {key: value for key, value in changed.items() if value is not None}
    with pytest.raises(ContractError, match=rf"outputs\[3\]\.{says}"):
        Contract.from_json(document)


def test_a_third_is_not_named_where_it_has_no_role():
    wire = json.loads(by(asked()).encode())
    wire["kind"] = "attribution"
    with pytest.raises(Refusal, match=r"roles.third: unknown key"):
        Request.decode(rfc8785.dumps(wire))


@pytest.mark.parametrize("requester", ["channel", "vendor"])
def test_only_the_recipient_asks_since_it_connects_the_others(requester):
    refused = refusal_of(by(asked(), requester=requester))
    assert refused.status is RefusalStatus.NOT_GRANTED
    assert "asked for by its recipient, 'advertiser'" in str(refused)


@pytest.mark.parametrize("name", ["channel", "vendor"])
def test_those_who_are_dialled_have_an_address(name):
    document = contract_of_three("insights")
    del document["parties"][name]["address"]
    contract = signed(document)
    refused = refusal_of(by(asked(contract=contract)), contract)
    assert refused.status is RefusalStatus.NOT_GRANTED
    assert f"has no address of '{name}'" in str(refused)


def test_the_recipient_needs_no_address():
    document = contract_of_three("insights")
    del document["parties"]["advertiser"]["address"]
    contract = signed(document)
    by(asked(contract=contract)).check(contract, NOW)


def test_labels_and_datasets_of_a_party_without_a_role_are_not_left_out_silently():
    for changes in ({}, {"labels": {}, "datasets": {"channel": "receipts", "vendor": "panel"}}):
        with pytest.raises(Refusal, match="'vendor' has no role in this request"):
            asked(OutputKind.REACH, third=None, **changes)


def test_one_identifier_type_is_named_where_three_parties_share_several():
    with pytest.raises(ContractError, match="Say which of them: phone, email"):
        asked(identifier=None)
    two_types = by(asked(), identifiers=("phone", "email"))
    assert "table of three parties counts each person once" in str(refusal_of(two_types))
    document = contract_of_three("insights")
    document["datasets"]["vendor"]["panel"]["identifiers"] = ["email"]
    assert asked(contract=signed(document), identifier=None).identifiers == ("email",)
    document["datasets"]["vendor"]["panel"]["identifiers"] = ["maid"]
    with pytest.raises(Refusal, match="no identifier type in common"):
        asked(contract=signed(document), identifier=None)


@pytest.mark.parametrize(
    ("party", "label", "says"),
    [
        ("vendor", LabelList("age", ("low", "high")), "no label 'age' of vendor.panel"),
        ("vendor", LabelList("income", ("high", "low")), "'vendor' labels its records are not"),
    ],
)
def test_the_labels_of_the_third_are_those_of_the_contract(party, label, says):
    request = asked()
    refused = refusal_of(by(request, labels={**request.labels, party: label}))
    assert refused.status is RefusalStatus.NOT_GRANTED
    assert says in str(refused)


def test_a_table_beyond_its_cells_or_points_is_refused_before_anything():
    def labelled(rows, columns, layers, **parameters):
        sizes = {"channel": rows, "advertiser": columns, "vendor": layers}
        labels = {p: LabelList("x", tuple(map(str, range(n)))) for p, n in sizes.items()}
        request = asked()
        changed = replace(request.parameters, **parameters)
        return refusal_of(by(request, labels=labels, parameters=changed))

    refused = labelled(63, 31, 32)
    assert refused.status is RefusalStatus.LIMIT_EXCEEDED
    assert "the cells of the table: 67583 is outside" in str(refused)
    refused = labelled(62, 30, 31, epsilon_dummies_nano=100_000_000)
    assert refused.status is RefusalStatus.LIMIT_EXCEEDED
    assert "The request adds about" in str(refused)
    refused = labelled(62, 30, 31)  # neither is too much: what follows is its labels
    assert refused.status is RefusalStatus.NOT_GRANTED


@pytest.mark.parametrize("kind", [OutputKind.REACH, OutputKind.INSIGHTS], ids=["two", "three"])
def test_the_points_that_a_party_adds_are_about_those_that_terms_say(kind):
    third = {} if kind is OutputKind.INSIGHTS else {"third": None, "labels": OF_TWO}
    terms = Terms.of(asked(kind, **third))
    for number, party in enumerate(terms.parties):
        own = OwnSide(
            terms, Own(party, Seed(bytes([number]) * 32), Keys.empty(), [], []), bytes(32)
        )
        dummies = sum(map(len, own.dummies()))
        points = dummies + sum(len(pile.secrets) for pile in own.fillers())
        draws = len(own.drawn_dummies) + len(own.label_names)
        assert abs(points - terms.added_points(party)) < 6 * sqrt(
            draws * terms.own_noise(party).variance
        )
