"""Laws and charges of a session follow from the signed request, the same for whoever computes."""

from dataclasses import replace

import pytest
from two_parties import NOW, contract_document, signed

from party.contract_terms import OutputKind
from party.request import Request
from party.request_parameters import Parameters
from party.terms import Terms
from privacy.accounting import Spend
from psi.legs import CROSSTAB_OF_THREE, CROSSTAB_OF_TWO, MATCH

PARAMETERS = Parameters(10**9, 5 * 10**8, 10**6, records_per_person=2)
SIZES = Spend(5 * 10**8, 125 * 10**6, 10**6)
TABLE = Spend(10**9, 5 * 10**8, 0)


@pytest.fixture(scope="module")
def contract():
    return signed(contract_document())


@pytest.fixture(scope="module")
def table(contract):
    return Terms.of(
        Request.crosstab(
            contract,
            OutputKind.REACH,
            requester="advertiser",
            tabulator="channel",
            recipient="advertiser",
            datasets={"channel": "receipts"},
            labels={"channel": "frequency", "advertiser": "segment"},
            parameters=PARAMETERS,
            now=NOW,
        )
    )


@pytest.fixture(scope="module")
def match(contract):
    return Terms.of(
        Request.match(
            contract,
            requester="advertiser",
            receiver="channel",
            sender="advertiser",
            datasets={"channel": "receipts"},
            parameters=PARAMETERS,
            now=NOW,
        )
    )


def test_the_tabulator_pays_for_table_and_sizes(table):
    assert table.spend_of("channel") == TABLE + SIZES


def test_the_recipient_of_a_table_and_both_sides_of_a_match_pay_for_sizes_alone(table, match):
    assert table.spend_of("advertiser") == SIZES
    assert match.spend_of("channel") == match.spend_of("advertiser") == SIZES


def test_everyone_but_the_tabulator_of_three_pays_for_sizes_alone(table):
    three = replace(
        table,
        table=CROSSTAB_OF_THREE,
        parties=("channel", "advertiser", "panel"),
        most_keys=(2, 2, 2),
    )
    assert three.spend_of("channel") == TABLE + SIZES
    assert three.spend_of("advertiser") == three.spend_of("panel") == SIZES


def test_whoever_takes_no_part_is_charged_nothing_and_has_no_noise(table):
    for ask in (table.spend_of, table.own_noise):
        with pytest.raises(ValueError, match="tuple"):
            ask("vendor")


def test_noise_covers_every_identifier_of_every_record(table, match):
    assert table.table is CROSSTAB_OF_TWO
    assert table.tabulator_bound == table.own_noise("channel").sensitivity == 2 * 3
    assert table.own_noise("advertiser").sensitivity == 2
    assert match.table is MATCH
    assert match.own_noise("channel").sensitivity == 2 * 3
    assert match.own_noise("advertiser").sensitivity == 2 * 2


def test_reports_are_given_the_laws_that_the_session_draws_by(table):
    laws = table.table_laws
    assert laws.tabulator_fillers is table.own_noise("channel")
    assert laws.dummies is laws.recipient_fillers is table.own_noise("advertiser")
    assert laws.release.scale == table.tabulator_bound == 6
    assert 2 * laws.dummies.mean == table.agreed_dummies("advertiser")


def test_a_match_has_no_laws_of_a_table(match):
    with pytest.raises(ValueError, match="tuple"):
        _ = match.table_laws


def test_equal_terms_make_each_law_once(table):
    assert replace(table).own_noise("channel") is table.own_noise("channel")
