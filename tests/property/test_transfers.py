"""Transfers across borders: a contract states exactly those that its outputs make."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from two_parties import BEFORE, NOW, contract_document, party_called, signed

from party.card import IdentityCard
from party.contract import Contract
from party.contract_draft import draft_contract
from party.contract_file import parse_contract, render_contract
from party.errors import ContractError
from party.places import EEA, Places, area_of
from party.transfers import Basis, Transfer, bases_of

COUNTRIES = ["CN", "HK", "NL", "FR", "GB", "SG"]
PLACES = st.builds(
    Places.of, st.sampled_from(COUNTRIES), st.lists(st.sampled_from(COUNTRIES), unique=True)
)


def placed(places, transfers=(), names=()):
    """Return a contract's document whose parties declare `places`, by name."""
    document = contract_document(*names)
    for name, declared in places.items():
        document["parties"][name] |= declared.to_json()
    if transfers:
        document["transfers"] = list(transfers)
    return document


def stated(sender, receiver, out_of, basis=None, **more):
    basis = basis or bases_of(out_of)[0].value
    return {
        "from": sender, "to": receiver, "out_of": out_of, "basis": basis, "reference": "No. 17",
    } | more  # fmt: skip


CHINA = Places.of("CN")
EUROPE = Places.of("NL", ["NL", "FR"])
ACROSS = {"advertiser": CHINA, "channel": EUROPE}
BOTH_WAYS = (
    stated("advertiser", "channel", "CN", "standard-contract"),
    stated("channel", "advertiser", EEA, "standard-clauses"),
)


def refused(document):
    with pytest.raises(ContractError) as error:
        Contract.from_json(document)
    return str(error.value)


@given(PLACES, PLACES)
def test_exactly_the_borders_that_data_crosses_must_be_stated(first, second):
    # The law as a person would count it, apart from the product: each way, each area of origin.
    crossings = {
        (sender, receiver, area_of(origin))
        for (sender, mine), (receiver, theirs) in permutations(
            [("advertiser", first), ("channel", second)]
        )
        for origin in (mine.jurisdiction, *mine.storage)
        for goal in (theirs.jurisdiction, *theirs.storage)
        if area_of(origin) != area_of(goal)
    }
    places = {"advertiser": first, "channel": second}
    whole = [stated(*crossing) for crossing in sorted(crossings)]
    contract = Contract.from_json(placed(places, whole))
    assert {
        (one.crossing.sender, one.crossing.receiver, one.crossing.out_of)
        for one in contract.transfers
    } == crossings
    assert contract.to_json() == placed(places, whole)
    for left_out in whole:
        rest = [one for one in whole if one is not left_out]
        assert "without a stated basis" in refused(placed(places, rest))


def test_the_refusal_says_which_transfer_lacks_which_basis():
    said = refused(placed(ACROSS, BOTH_WAYS[:1]))
    assert "transfers: data of people crosses 1 border" in said
    assert "{from: channel, to: advertiser, out_of: EEA}" in said
    assert "adequacy, standard-clauses" in said
    assert "--transfer" in said


def test_within_the_european_economic_area_nothing_is_a_transfer():
    places = {"advertiser": Places.of("DE"), "channel": Places.of("NO", ["IS", "RE"])}
    assert Contract.from_json(placed(places)).transfers == ()


def test_storing_abroad_is_a_transfer_of_what_comes_in():
    places = {"advertiser": CHINA, "channel": Places.of("CN", ["CN", "SG"])}
    said = refused(placed(places))
    assert "{from: advertiser, to: channel, out_of: CN}" in said
    assert "{from: channel, to: advertiser, out_of: SG}" in said


def test_parties_that_no_output_brings_together_pass_nothing_to_each_other():
    places = {"advertiser": CHINA, "channel": CHINA, "vendor": EUROPE}
    assert Contract.from_json(placed(places, names=["vendor"])).transfers == ()
    document = placed(places, names=["vendor"])
    document["outputs"].append(
        {
            "kind": "insights", "recipient": "advertiser", "tabulator": "channel",
            "third": "vendor", "purpose": "dpv:MarketResearch", "approval": "rule",
        }
    )  # fmt: skip
    assert "crosses 4 borders" in refused(document)


def test_as_soon_as_one_party_declares_all_do():
    said = refused(placed({"advertiser": CHINA}))
    assert "parties.channel.jurisdiction: is missing: advertiser declared" in said
    assert Contract.from_json(placed({})).transfers == ()


@pytest.mark.parametrize(
    ("transfer", "problem"),
    [
        (stated("advertiser", "channel", "CN", "adequacy"), "basis: expected one of security-ass"),
        (stated("channel", "advertiser", EEA, "security-assessment"), "basis: expected one of ade"),
        (stated("channel", "advertiser", "NL", "adequacy"), "NL is in the European Economic Area"),
        (stated("channel", "advertiser", "XX"), "out_of: there is no 'XX'"),
        (stated("channel", "channel", EEA), "to: a party passes nothing to itself"),
        (stated("channel", "vendor", EEA), "to: expected one of advertiser, channel"),
        (stated("advertiser", "channel", "SG"), "nothing goes from advertiser to channel"),
        (stated("advertiser", "channel", "CN"), "is stated twice"),
        (stated("advertiser", "channel", "CN", reference=""), "reference: expected a line of text"),
        (stated("advertiser", "channel", "CN", until="soon"), "until: expected a time"),
        (stated("advertiser", "channel", "CN", level="high"), "unknown key"),
    ],
)
def test_a_transfer_that_does_not_serve_is_refused_by_its_key(transfer, problem):
    assert problem in refused(placed(ACROSS, [*BOTH_WAYS, transfer]))


def test_what_no_declaration_makes_necessary_cannot_be_stated():
    assert "nothing goes from advertiser" in refused(placed({}, BOTH_WAYS))


def test_a_basis_that_has_lapsed_ends_the_contract():
    lapses = [BOTH_WAYS[0] | {"until": "2023-12-01T00:00:00Z"}, BOTH_WAYS[1]]
    contract = signed(placed(ACROSS, lapses))
    contract.require_in_force(NOW)
    december = 1_701_388_800
    contract.require_in_force(december - 1)
    with pytest.raises(ContractError, match=r"advertiser to channel, out of CN.*lapsed on 2023-12"):
        contract.require_in_force(december)


def test_the_transfers_are_part_of_what_is_signed():
    contract = signed(placed(ACROSS, BOTH_WAYS))
    contract.verify_signatures()
    assert parse_contract(render_contract(contract).encode()) == contract
    other = contract.to_json()
    other["transfers"][0]["reference"] = "No. 18"
    with pytest.raises(ContractError, match="does not cover this text"):
        Contract.from_json(other).verify_signatures()


def draft(*texts):
    cards = {
        name: IdentityCard.of(
            party_called(name), organisation=name, address="127.0.0.1:7443", places=places
        )
        for name, places in ACROSS.items()
    }
    return draft_contract(
        cards, contract_id="far", title="Far", starts=BEFORE, ends=BEFORE + 86_400,
        transfers=[Transfer.parse(text) for text in texts],
    )  # fmt: skip


def test_a_draft_across_a_border_needs_its_bases_and_then_says_them():
    with pytest.raises(ContractError, match="crosses 2 borders"):
        draft()
    text = draft(
        "advertiser:channel:CN:standard-contract:CAC filing: 2026-17",
        "channel:advertiser:EEA:derogation:explicit consent, GDPR 49(1)(a)",
    )
    first, second = parse_contract(text.encode()).transfers
    assert (first.basis, first.reference) == (Basis.STANDARD_CONTRACT, "CAC filing: 2026-17")
    assert second.basis is Basis.DEROGATION
    assert "What leaves a country" in text


@pytest.mark.parametrize(
    "text", ["", "advertiser:channel:CN:adequacy:x", "a:b:CN:certification", "a:a:CN:exemption:x"]
)
def test_a_transfer_on_the_command_line_that_does_not_serve_is_refused(text):
    with pytest.raises(ContractError, match="the transfer"):
        Transfer.parse(text)


def test_every_country_has_a_basis_and_every_basis_a_country():
    assert {basis for area in ("CN", EEA, "GB", "SG") for basis in bases_of(area)} == set(Basis)
