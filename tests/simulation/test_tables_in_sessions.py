"""Insights and tables between two whole parties in memory, either of them as the tabulator.

Covers: labels of several columns and of ranges, from the file to the report; what is refused
before anything is spent. Does not cover: dialling and approval over the wire (tests/e2e).
"""

from collections import Counter
from dataclasses import replace

import pytest
from drafted_contract import agree
from organisations import Wire, make_party, run_both

from client.asking import Choice, TableChoice, table_request
from client.guess import Guess
from client.output import as_text
from client.quoting import quote_for
from client.render_quote import quote_shown
from client.results import result_of
from party.contract_terms import OutputKind
from party.datasets import inspect, load_definition
from party.desk import Desk
from party.errors import ContractError, Refusal
from party.ledger import rows
from reports.costs import Costs

PARTIES = ("advertiser", "channel")
OTHER = dict(zip(PARTIES, reversed(PARTIES), strict=True))
CHOICE = Choice(epsilon="20", epsilon_dummies="9")
STRAY = 2  # by noise of ε 20 a cell is further off once in 10^17 times
SHARED = range(30, 90)
PEOPLE = {"advertiser": range(90), "channel": range(30, 120)}
DESCRIPTION = """dataset: {name}
source: {name}.csv
person: ref
columns: {{email: id.email, region: attribute, age: value, amount: value, consent: consent}}
consent:
  column: consent
  given: ["yes"]
  purposes: [dpv:TargetedAdvertising, dpv:MarketResearch]
  recipients: [advertiser, channel]
labels:
  region: {{column: region, values: [north, south]}}
  age:
    range_of: age
    ranges:
      - {{name: young, from: "18", below: "40"}}
      - {{name: old, from: "40"}}
  region-age: {{all_of: [region, age]}}
  spend: {{buckets_of: amount, bounds: ["0", "10", "20", "40"]}}
  region-spend: {{all_of: [region, spend]}}
  wide: {{column: region, values: {wide}}}
"""
WIDE = [f"v{number}" for number in range(300)]


def region(i):
    return "north" if i % 2 else "south"


def age(i):
    return 10 + i % 50  # some are below 18


def amount(i):
    return 7 * (i % 8)  # 0 to 49: on bounds, between them, and above the top


def band(i):
    return "young" if age(i) < 40 else "old"


def make_pair(folder):
    parties = {name: make_party(folder, name) for name in PARTIES}
    for name, party in parties.items():
        lines = [
            f"r{i},person{i}@example.com,{region(i)},{age(i)},{amount(i)},yes\n"
            for i in PEOPLE[name]
        ]
        (folder / f"{name}.csv").write_text(
            "ref,email,region,age,amount,consent\n" + "".join(lines)
        )
        path = folder / f"{name}.yaml"
        path.write_text(DESCRIPTION.format(name=name, wide=WIDE))
        definition = load_definition(path)
        party.keep_dataset(definition, inspect(definition), None)
    return parties, make_contract(folder, parties)


def make_contract(folder, parties):
    """Draft, widen and sign: tables in both directions, insights for the advertiser alone."""

    def change(document):
        table = next(one for one in document["outputs"] if one["kind"] == "table")
        document["outputs"].append(table | {"recipient": "channel", "tabulator": "advertiser"})

    return agree(folder, parties, change)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    parties, contract = make_pair(tmp_path_factory.mktemp("tables"))
    yield parties, contract
    for party in parties.values():
        party.close()


def carry(pair, asker, table):
    """Ask, run and return the finished request at either side."""
    parties, contract = pair
    request = table_request(parties[asker], contract, table, CHOICE)
    signed = Desk(parties[asker]).make(request, contract, actor="test")
    assert Desk(parties[OTHER[asker]]).submit(asker, signed).state == "approved"
    ended = run_both(parties, signed, Wire())
    assert set(ended.values()) == {None}
    return signed, {name: Desk(party).find(signed.id) for name, party in parties.items()}


@pytest.mark.parametrize(("asker", "recipient"), [("advertiser",) * 2, ("advertiser", "channel")])
def test_any_labels_are_counted_with_either_party_as_the_tabulator(pair, asker, recipient):
    parties, _ = pair
    table = TableChoice(OutputKind.TABLE, recipient, OTHER[recipient], "age", "region-age")
    _, filed = carry(pair, asker, table)
    numbers = result_of(parties[recipient], filed[recipient], private=True).numbers
    truth = Counter((f"{region(i)} × {band(i)}", band(i)) for i in SHARED if age(i) >= 18)
    assert {cell.label for cell in numbers.cells} >= {label for label, _ in truth}
    for cell in numbers.cells:
        if None not in (cell.label, cell.segment):
            assert abs(cell.matched.value - truth[cell.label, cell.segment]) <= STRAY
    tabulator = OTHER[recipient]
    shared = result_of(parties[tabulator], filed[tabulator], private=False)
    assert len(list(shared.rows())) == len(list(result_of(
        parties[recipient], filed[recipient], private=False
    ).rows()))  # fmt: skip


def test_a_funnel_is_the_recipients_and_a_table_at_the_tabulator(pair):
    parties, _ = pair
    _, filed = carry(pair, "advertiser", TableChoice(OutputKind.FUNNEL, segment="age", by="region"))
    numbers = result_of(parties["advertiser"], filed["advertiser"], private=True).numbers
    assert [stage.name for stage in numbers.tabulator_stages] == ["north", "south"]
    assert [stage.name for stage in numbers.recipient_stages] == ["young", "old"]
    old = sum(age(i) >= 40 for i in SHARED)
    assert abs(numbers.recipient_stages[1].reached.value - old) <= 2 * STRAY
    assert result_of(parties["channel"], filed["channel"], private=False).title() == "table"


def test_insights_of_a_combined_label_say_what_the_matched_are_like(pair):
    parties, _ = pair
    table = TableChoice(OutputKind.INSIGHTS, segment="region", by="region-age")
    request, filed = carry(pair, "advertiser", table)
    numbers = result_of(parties["advertiser"], filed["advertiser"], private=True).numbers
    counted = [i for i in SHARED if age(i) >= 18]
    found = {(one.group, one.segment): one for one in numbers.profiles}
    young = found["any × young", None]
    assert abs(young.matched.value - sum(band(i) == "young" for i in counted)) <= 4 * STRAY
    assert found["south × any", "north"].matched.value <= 2 * STRAY
    assert 190 < found["north × any", "north"].index.value < 210
    result = Desk(parties["channel"]).result(request.id)
    steps = {step["name"]: (step["before"], step["after"]) for step in result["steps"]}
    minors = sum(age(i) < 18 for i in PEOPLE["channel"])
    assert steps["people whose value is in a range"] == (90, 90 - minors)


def value_of(pair, recipient, segment, private=True, costs=None):
    """Ask for a table of values, and return its numbers by metric, label and segment."""
    parties, _ = pair
    table = TableChoice(OutputKind.TABLE, recipient, OTHER[recipient], segment, "age")
    _, filed = carry(pair, "advertiser", table)
    report = result_of(parties[recipient], filed[recipient], private=private, costs=costs)
    return filed, {(row.metric, row.label, row.segment): row.estimate for row in report.rows()}


@pytest.mark.parametrize("recipient", PARTIES)
def test_a_table_of_value_buckets_says_what_the_matched_are_worth(pair, recipient):
    costs = Costs.of_campaigns({"young": "100"})
    filed, found = value_of(pair, recipient, "region-spend", costs=costs)
    for label, segment in (("young", "north"), ("old", None), (None, None)):
        met = [
            i for i in SHARED
            if age(i) >= 18 and label in (None, band(i)) and segment in (None, region(i))
        ]  # fmt: skip
        truth = sum(min(amount(i), 40) for i in met)
        value = found["value", label, segment]
        assert abs(value.value - truth) < 4.5 * value.standard_error
        buyers = found["with a value", label, segment].value
        assert buyers <= sum(amount(i) > 0 for i in met) + 4 * STRAY
    mine = list(PEOPLE[recipient])
    assert found["own people above the top", None, None].value == sum(amount(i) > 40 for i in mine)
    cut = sum(max(amount(i) - 40, 0) for i in mine) / sum(map(amount, mine))
    assert found["own value cut off", None, None].value == pytest.approx(cut)
    assert found["ROAS", "young", None].value == pytest.approx(
        found["value", "young", None].value / 100
    )
    tabulator = OTHER[recipient]
    theirs = result_of(pair[0][tabulator], filed[tabulator], private=False)
    assert not {row.metric for row in theirs.rows()} & {"value", "own value cut off", "ROAS"}


def test_a_quote_tells_the_noise_of_a_value(pair):
    parties, contract = pair
    table = TableChoice(OutputKind.TABLE, "advertiser", "channel", "region-spend", "age")
    request = table_request(parties["advertiser"], contract, table, Choice())
    quoted = quote_for(parties["advertiser"], contract, request, Guess())
    private, shareable = quoted.value_errors
    one = quoted.figures.private.standard_error * (2 * (10**2 + 20**2 + 40**2)) ** 0.5
    assert private == pytest.approx(one)
    assert shareable > private
    assert f"± {1.96 * private:,.0f}" in as_text(*quote_shown(quoted))
    plain = replace(table, segment="region")
    request = table_request(parties["advertiser"], contract, plain, Choice())
    assert quote_for(parties["advertiser"], contract, request, Guess()).value_errors is None


def test_values_are_placed_alike_in_every_session(pair):
    """By noise of ε 20 alone: another placing would move dozens of people to other bounds."""
    filed, first = value_of(pair, "advertiser", "spend")
    _, again = value_of(pair, "advertiser", "region-spend")
    stored = Desk(pair[0]["advertiser"]).result(filed["advertiser"].id)
    assert set(stored["values"]) == {"rounding", "amount", "cut", "above"}
    difference = first["value", None, None].value - again["value", None, None].value
    assert abs(difference) <= 6 * STRAY * 40
    audience = {bound: first["audience", None, bound].value for bound in ("0", "10", "20", "40")}
    for bound, people in audience.items():
        parts = sum(again["audience", None, f"{one} × {bound}"].value for one in ("north", "south"))
        assert people == parts


def test_a_quote_knows_the_sizes_of_combined_labels(pair):
    parties, contract = pair
    table = TableChoice(OutputKind.TABLE, "channel", "advertiser", "age", "region-age")
    request = table_request(parties["advertiser"], contract, table, CHOICE)
    quoted = quote_for(parties["advertiser"], contract, request, Guess())
    held = Counter(f"{region(i)} × {band(i)}" for i in PEOPLE["advertiser"] if age(i) >= 18)
    assert quoted.holding.by_label == tuple(
        held[value] for value in request.labels["advertiser"].values
    )
    assert quoted.figures.cells == 8


@pytest.mark.parametrize(
    ("table", "refusal", "says"),
    [
        (TableChoice(OutputKind.TABLE, segment="income", by="age"), Refusal, "no label 'income'"),
        (TableChoice(OutputKind.TABLE, segment="age", by="income"), Refusal, "no label 'income'"),
        (TableChoice(OutputKind.TABLE, by="age"), ContractError, "say with --segment which label"),
        (TableChoice(OutputKind.INSIGHTS), ContractError, "say with --by which label of channel"),
        (TableChoice(OutputKind.INSIGHTS, "channel", by="age"), Refusal, "insights"),
        (TableChoice(OutputKind.TABLE, segment="wide", by="wide"), Refusal, "cells of the table"),
    ],
)
def test_bad_input_is_refused_before_anything_is_spent(pair, table, refusal, says):
    parties, contract = pair
    before = {name: party.store.write(rows) for name, party in parties.items()}

    def ask():
        request = table_request(parties["advertiser"], contract, table, CHOICE)
        Desk(parties["advertiser"]).make(request, contract, actor="test")

    with pytest.raises(refusal, match=says):
        ask()
    assert {name: party.store.write(rows) for name, party in parties.items()} == before
