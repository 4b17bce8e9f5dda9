"""A top bound from a party's own data: what is counted, what it costs, and when it is charged."""

from hashlib import sha256

import numpy as np
import pytest
import sqlalchemy as sa
from organisations import copy_pair, make_pair

from client.bounds import take_top_bound
from party import top_bound
from party.datasets import inspect, load_definition
from party.errors import ContractError, DatasetError, PartyError, Refusal
from party.evidence import StoredLog, verify_log
from party.ledger import rows
from party.schema import BOUNDS
from party.top_bound import Question, choose_top_bound, taken
from privacy.errors import PrivacyError
from psi.buckets import ValueBuckets
from psi.errors import BucketError

CANDIDATES = ValueBuckets.of(["0", "10", "20", "40", "80", "160", "320"])
HEAD = "ref,email,amount,consent,segment\n"
DESCRIPTION = """dataset: customers
source: customers.csv
person: ref
columns: {email: id.email, amount: value, consent: consent}
consent:
  column: consent
  given: ["yes"]
  purposes: [dpv:MarketResearch]
  recipients: [channel]
labels: {segment: {column: segment, values: [gold, silver]}}
"""


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """A pair of which the advertiser has 1,000 people of values 0.1 to 100.

    50 more with larger values do not consent.
    """
    folder = tmp_path_factory.mktemp("ready")
    parties, contract = make_pair(folder)
    lines = [f"r{i},p{i}@example.com,{i / 10},yes,gold\n" for i in range(1, 1001)]
    lines += [f"n{i},n{i}@example.com,{300 + i},no,gold\n" for i in range(50)]
    hold(parties["advertiser"], folder, lines)
    yield folder, parties["advertiser"], contract
    for one in parties.values():
        one.close()


@pytest.fixture
def pair(ready, tmp_path):
    """Return a copy of the advertiser that may spend, and the contract."""
    folder, _, _ = ready
    parties, contract = copy_pair(folder, tmp_path)
    yield parties["advertiser"], contract
    for one in parties.values():
        one.close()


@pytest.fixture
def unspent(ready):
    """Return the advertiser itself, of which nothing is to be spent."""
    _, party, contract = ready
    yield party, contract
    assert not party.store.write(rows)


def hold(party, folder, lines):
    (folder / "customers.csv").write_text(HEAD + "".join(lines))
    (folder / "customers.yaml").write_text(DESCRIPTION)
    definition = load_definition(folder / "customers.yaml")
    party.keep_dataset(definition, inspect(definition), None)


def asked(**changes):
    usual = {
        "dataset": "customers", "column": "amount", "candidates": CANDIDATES, "share": 0.9,
        "epsilon_nano": 5 * 10**9,
    }  # fmt: skip
    return Question(**usual | changes)


def test_the_smallest_bound_that_holds_the_share_is_chosen(pair):
    for share, top in ((0.09, "10"), (0.39, "40"), (0.7, "80"), (0.9, "160")):
        found = choose_top_bound(*pair, asked(share=share, epsilon_nano=2 * 10**9), actor="test")
        assert found.buckets.labels[-1] == top
        true = sum(i / 10 > float(top) for i in range(1, 1001)) / 1000
        assert abs(found.above - true) < 0.02


def test_a_person_is_in_one_count_and_only_who_consents_is(ready, pair, tmp_path):
    party, contract = pair
    before = top_bound._counted(party, contract, asked())
    assert before == [100, 100, 200, 400, 200, 0, 0]
    lines = (ready[0] / "customers.csv").read_text().splitlines(keepends=True)[1:]
    several = [f"one,one@example.com,{value},yes,gold\n" for value in (30, 55, 0)]
    hold(party, tmp_path, lines + several)
    after = top_bound._counted(party, contract, asked())
    assert np.subtract(after, before).tolist() == [0, 0, 0, 0, 1, 0, 0]
    hold(party, tmp_path, [*lines, "big,big@example.com,321,yes,gold\n"])
    assert top_bound._counted(party, contract, asked())[-1] == 1


def test_the_ledger_and_the_log_have_the_charge(pair):
    party, contract = pair
    found = choose_top_bound(party, contract, asked(epsilon_nano=10**8), actor="test")
    (row,) = party.store.write(rows)
    assert (row.request, row.what, row.spend.epsilon_nano) == (found.charge, "bounds", 10**8)
    assert row.account.coalition == "channel.test/log"
    log = StoredLog(party.store, party.identity)
    verify_log(log)
    assert [entry.kind for entry in log.parsed()][-2:] == ["budget.spent", "bound.chosen"]
    assert taken(party) == [found]
    again = choose_top_bound(party, contract, asked(epsilon_nano=10**8), actor="test")
    assert again.charge != found.charge
    assert len(party.store.write(rows)) == 2
    assert {one.charge: one for one in taken(party)} == {one.charge: one for one in (found, again)}
    verify_log(log)


def test_what_is_stored_is_what_the_log_has_the_digest_of(pair):
    party, contract = pair
    choose_top_bound(party, contract, asked(), actor="test")
    ((body,),) = party.store.rows(sa.select(BOUNDS.c.body))
    entry = list(StoredLog(party.store, party.identity).parsed())[-1]
    assert entry.body.result == sha256(body.encode()).hexdigest()
    assert (entry.body.dataset, entry.contract) == ("customers", contract.digest)


def test_the_charge_is_durable_before_the_noise_is_drawn(pair, monkeypatch):
    party, contract = pair
    seen = []

    def drawn(*_):
        seen.extend(party.store.write(rows))
        raise KeyboardInterrupt

    monkeypatch.setattr(top_bound, "discrete_laplace", drawn)
    with pytest.raises(KeyboardInterrupt):
        choose_top_bound(party, contract, asked(), actor="test")
    assert [row.spend.epsilon_nano for row in seen] == [5 * 10**9]
    assert len(party.store.write(rows)) == 1


def test_nothing_is_drawn_where_the_budget_does_not_suffice(pair, monkeypatch):
    party, contract = pair
    choose_top_bound(party, contract, asked(epsilon_nano=9 * 10**9), actor="test")
    monkeypatch.setattr(top_bound, "discrete_laplace", lambda *_: pytest.fail("it was drawn"))
    with pytest.raises(Refusal, match="does not suffice"):
        choose_top_bound(party, contract, asked(epsilon_nano=2 * 10**9), actor="test")
    assert len(party.store.write(rows)) == 1


def test_noise_is_of_one_persons_scale(pair, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        top_bound, "discrete_laplace", lambda *given: drawn.append(given[1:]) or list(given[0])
    )
    choose_top_bound(*pair, asked(epsilon_nano=10**8), actor="test")
    assert drawn == [(10**8, 1)]


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"column": "income"}, DatasetError, "does not name the column"),
        ({"dataset": "receipts"}, Refusal, "no dataset 'receipts'"),
        ({"purpose": "dpv:Marketing"}, ContractError, "dpv:MarketResearch"),
    ],
)
def test_what_does_not_serve_is_refused_before_anything_is_spent(unspent, changes, error, says):
    with pytest.raises(error, match=says):
        choose_top_bound(*unspent, asked(**changes), actor="test")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"share": 0.0}, PartyError),
        ({"share": 1.0}, PartyError),
        ({"epsilon": "0.001"}, PartyError),
        ({"epsilon": "much"}, PrivacyError),
        ({"lowest": "x"}, BucketError),
        ({"highest": "1"}, BucketError),
    ],
)
def test_numbers_are_checked(unspent, changes, error):
    usual = {"lowest": "10", "highest": "320"}
    with pytest.raises(error):
        take_top_bound(unspent[0], "customers", "amount", **usual | changes, actor="test")


def test_too_few_people_tell_nothing_and_have_paid(pair, tmp_path):
    party, contract = pair
    hold(party, tmp_path, [f"r{i},p{i}@example.com,15,yes,gold\n" for i in range(3)])
    with pytest.raises(PartyError, match="the charge stands"):
        choose_top_bound(party, contract, asked(epsilon_nano=10**8), actor="test")
    assert len(party.store.write(rows)) == 1


def test_nobody_with_a_value_is_refused_for_free(pair, tmp_path):
    party, contract = pair
    hold(party, tmp_path, [f"r{i},p{i}@example.com,0,yes,gold\n" for i in range(3)])
    with pytest.raises(DatasetError, match="nobody"):
        choose_top_bound(party, contract, asked(), actor="test")
    assert not party.store.write(rows)
