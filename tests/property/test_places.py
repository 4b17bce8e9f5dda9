"""Where data lies: what a party declares is read strictly, and countries are those of the norm."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from two_parties import card_of, party_called

from party.card import IdentityCard
from party.document import Section
from party.errors import ContractError
from party.places import CODES, EEA, PLACE_KEYS, Places, area_of

REGISTER = Path("/usr/share/zoneinfo/iso3166.tab")


def read(**said):
    return Places.read(Section(said, "", ContractError, required=(), optional=PLACE_KEYS))


@pytest.mark.skipif(not REGISTER.exists(), reason="no register of countries on this machine")
def test_the_countries_are_those_of_the_norm():
    lines = REGISTER.read_text(encoding="utf-8").splitlines()
    assert {line[:2] for line in lines if not line.startswith("#")} == CODES


@given(st.sampled_from(sorted(CODES)), st.lists(st.sampled_from(sorted(CODES)), unique=True))
def test_what_is_declared_is_read_as_it_was_written(jurisdiction, storage):
    places = Places.of(jurisdiction, storage[:16])
    assert read(**places.to_json()) == places
    assert set(places.areas) == {area_of(code) for code in (jurisdiction, *places.storage)}


def test_data_lies_where_the_party_is_established_unless_it_says_otherwise():
    assert Places.of("CN") == Places("CN", ("CN",))
    assert read() is None


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"jurisdiction": "NL"}, "storage: is missing beside 'jurisdiction'"),
        ({"storage": ["NL"]}, "jurisdiction: is missing beside 'storage'"),
        ({"jurisdiction": "nl", "storage": ["NL"]}, "jurisdiction: expected a country"),
        ({"jurisdiction": "XX", "storage": ["NL"]}, "jurisdiction: ISO 3166-1 has no 'XX'"),
        ({"jurisdiction": "NL", "storage": ["NL", "UK"]}, "storage: ISO 3166-1 has no 'UK'"),
        ({"jurisdiction": "NL", "storage": ["NL", "NL"]}, "stands twice"),
        ({"jurisdiction": "NL", "storage": []}, "expected a list of 1 to 16"),
        ({"jurisdiction": "NL", "storage": "NL"}, "expected a list"),
        ({"jurisdiction": EEA, "storage": ["NL"]}, "jurisdiction: expected a country"),
    ],
)
def test_a_declaration_that_does_not_serve_is_refused_by_its_key(said, problem):
    with pytest.raises(ContractError, match=problem):
        read(**said)


def test_the_area_of_the_gdpr_is_one_and_chinas_regions_are_not():
    members = [code for code in CODES if area_of(code) == EEA]
    assert len(members) == 37
    assert {"NO", "IS", "LI", "RE", "AX"} <= set(members)
    assert not {"CH", "GB", "SJ", "GL"} & set(members)
    assert len({area_of(code) for code in ("CN", "HK", "MO", "TW")}) == 4


def test_a_card_carries_the_declaration_and_one_of_before_still_reads():
    places = Places("CN", ("CN", "SG"))
    identity = party_called("channel")
    card = IdentityCard.of(identity, organisation="Channel", address=None, places=places)
    assert IdentityCard.parse(card.to_yaml().encode()) == card
    assert "jurisdiction: CN" in card.to_yaml()
    silent = card_of("channel")
    assert silent.places is None
    assert IdentityCard.parse(silent.to_yaml().encode()) == silent
