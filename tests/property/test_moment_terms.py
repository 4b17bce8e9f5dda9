"""How far a request about conversions may go stands in the contract, and beyond it is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from two_parties import NOW, contract_document, party_called, signed

from client.output import as_text
from client.render_contract import contract_in_words
from client.timing import TimingChoice
from party.contract import Contract
from party.contract_terms import OutputKind
from party.errors import ContractError, Refusal, RefusalStatus
from party.moment_check import MOST_SLOT_SECONDS
from party.moment_terms import MOST_KEYS_A_PERSON, MomentTerms
from party.request import Request
from party.request_parameters import Parameters
from psi.journey import list_journeys
from psi.windows import Timing, Window

DAY, SLOT = 86_400, 3_600
IDENTIFIERS = 3  # that the channel has of a person
WINDOW = Window(NOW // SLOT * SLOT - 10 * DAY, SLOT, 24)
JOURNEYS = [one.text for one in list_journeys(["A", "B"], 1)]


def document(moments, kind="attribution"):
    found = contract_document()
    channel = found["datasets"]["channel"]["receipts"]
    channel["labels"] = {"journey": JOURNEYS, "age": ["A × 0 h", "A × 24 h"]}
    granted = {**found["outputs"][1], "kind": kind, "approval": "rule"}
    found["outputs"][1] = granted if moments is None else {**granted, "moments": moments}
    return found


def contract_of(terms, kind="attribution"):
    return signed(document(None if terms is None else terms.to_json(), kind))


def asked(contract, conversions, keys, lookback, kind=OutputKind.ATTRIBUTION, window=WINDOW):
    timing = Timing(window, lookback, keys, room=10)
    return Request.crosstab(
        contract,
        kind,
        requester="advertiser",
        tabulator="channel",
        recipient="advertiser",
        now=NOW,
        labels={"channel": "journey" if kind is OutputKind.ATTRIBUTION else "age"},
        datasets={"channel": "receipts"},
        parameters=Parameters(timing=timing, records_per_person=conversions),
    ).sign(party_called("advertiser"))


TERMS = st.builds(
    MomentTerms, st.integers(1, 255), st.integers(1, MOST_KEYS_A_PERSON), st.integers(0, 3660)
)


@given(TERMS)
def test_terms_are_read_as_they_were_written(terms):
    written = document(terms.to_json())
    contract = Contract.from_json(written)
    assert contract.outputs[1].moment_terms == terms
    assert contract.to_json() == written


@pytest.mark.parametrize("kind", ["attribution", "delay"])
@pytest.mark.parametrize("terms", [None, MomentTerms(3, 5, 2), MomentTerms(1, 64, 0)])
def test_the_most_that_is_granted_may_be_asked_for_and_no_more(terms, kind):
    contract, of = contract_of(terms, kind), OutputKind(kind)
    granted = terms or MomentTerms(4, 64, 30)
    most = granted.most_conversions
    keys, slots = granted.keys_a_conversion * most * IDENTIFIERS, granted.lookback_days * 24
    asked(contract, most, keys, slots, of).check(contract, NOW)
    for conversions, keys_, lookback, says in (
        (most + 1, keys, slots, f"of at most {most} conversions a person; .* for {most + 1}"),
        (most, keys + 1, slots, f"so {keys:,} in all; the request asks for {keys + 1:,}"),
        (most, keys, slots + 1, f"of at most {granted.lookback_days} days before"),
    ):
        with pytest.raises(Refusal, match=f"summer-2026 grants {kind} .*{says}") as refused:
            asked(contract, conversions, keys_, lookback, of).check(contract, NOW)
        assert refused.value.status is RefusalStatus.NOT_GRANTED


def test_keys_are_granted_for_the_conversions_that_count():
    contract = contract_of(MomentTerms(4, 64, 30))
    with pytest.raises(Refusal, match="so 192 in all; the request asks for 193"):
        asked(contract, 1, 64 * IDENTIFIERS + 1, 0).check(contract, NOW)


def test_a_lookback_is_granted_in_days_whatever_a_slot_is():
    contract = contract_of(MomentTerms(4, 64, 30))
    months = Window(NOW - 3 * MOST_SLOT_SECONDS, MOST_SLOT_SECONDS, 2)
    asked(contract, 1, 64, 1, window=months).check(contract, NOW)
    with pytest.raises(Refusal, match=r"at most 30 days .* asks for 60"):
        asked(contract, 1, 64, 2, window=months).check(contract, NOW)


@given(TERMS, st.integers(1, 8))
def test_what_a_person_leaves_out_is_granted(terms, identifiers):
    choice = TimingChoice("2026-01-01", "2026-02-01", 10, most_conversions=terms.most_conversions)
    timing = choice.applied(Parameters(), identifiers, terms).timing
    every = terms.keys_a_conversion * terms.most_conversions * identifiers
    assert timing.most_keys == min(every, MOST_KEYS_A_PERSON)


@pytest.mark.parametrize(
    ("kind", "moments", "says"),
    [
        ("reach", MomentTerms().to_json(), "only attribution and delay count moments; remove it"),
        ("delay", {}, r"moments\.most_conversions: is missing"),
        ("delay", 4, r"moments: expected a mapping"),
        ("delay", {**MomentTerms().to_json(), "room": 9}, r"moments\.room: unknown key"),
        ("delay", {**MomentTerms().to_json(), "most_conversions": 256}, "most_conversions: .*255"),
        ("delay", {**MomentTerms().to_json(), "most_conversions": 0}, "most_conversions: exp"),
        ("delay", {**MomentTerms().to_json(), "keys_a_conversion": 65_537}, "keys_a_conversion: "),
        ("delay", {**MomentTerms().to_json(), "lookback_days": -1}, "lookback_days: expected"),
        ("delay", {**MomentTerms().to_json(), "lookback_days": 0.5}, "lookback_days: .*decimal"),
    ],
)
def test_terms_that_do_not_serve_are_named_by_their_path(kind, moments, says):
    with pytest.raises(ContractError, match=rf"outputs\[1\]\.{says}|outputs\[1\]\.moments.*{says}"):
        Contract.from_json(document(moments, kind))


def test_who_reads_a_contract_reads_how_far_a_request_may_go():
    said = " ".join(as_text(*contract_in_words(contract_of(MomentTerms(3, 48, 7)), NOW)).split())
    assert (
        "At most 3 conversions of a person count, with 48 keys for each and each identifier, and "
        "touches of 7 days." in said
    )
