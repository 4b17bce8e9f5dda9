"""A lift between two whole parties in memory: which people it counts, and what is refused.

Covers: from the files to the report, with one identifier type and arms that overlap; the quote;
requests that count people by several identifiers. Does not cover: dialling (tests/e2e).
"""

from dataclasses import replace

import pytest
from drafted_contract import agree
from organisations import Wire, make_party, run_both

from client.asking import Choice, TableChoice, table_request
from client.guess import Guess
from client.quoting import quote_for
from client.render_quote import quote_shown
from client.results import result_of
from client.sdk.results import Report
from party.contract_terms import OutputKind
from party.datasets import inspect, load_definition
from party.desk import Desk
from party.errors import PartyError, Refusal
from party.ledger import rows
from party.terms import Terms
from party.yaml_text import write_yaml
from reports.errors import UnsuitableCosts, UnsuitableLabels

PEOPLE = range(600)
CHOICE = Choice(epsilon="20", epsilon_dummies="9")
STRAY = 8  # of a sum of four cells at these ε it is a matter of billions
LABELS = {
    "advertiser": {
        "bought": {"column": "kind", "values": ["new", "again"]},
        "arm": {"column": "kind", "values": ["new", "again", "test"]},
    },
    "channel": {
        "arm": {"column": "arm", "values": ["test", "held out"]},
        "seen": {"column": "seen", "values": ["exposed", "not exposed"]},
        "arm-seen": {"all_of": ["arm", "seen"]},
        "many": {"column": "arm", "values": ["test", "held out", "third"]},
    },
}


def arm(i):
    return "test" if i % 2 else "held out"


def seen(i):
    return "exposed" if i % 3 else "not exposed"


def has_phone(i):
    return i % 5 != 0


def converts(i):
    return i % (4 if arm(i) == "test" else 8) < 2  # half of the treated, a quarter of the others


def lines_of(name):
    for i in PEOPLE:
        phone = f"+4930{1000000 + i}" if has_phone(i) else ""
        if name == "channel":
            yield f"r{i},person{i}@example.com,{phone},{arm(i)},{seen(i)},,yes"
            if i % 7 == 0:  # sends one of two addresses
                yield f"r{i},second{i}@example.com,{phone},{arm(i)},{seen(i)},,yes"
        elif converts(i):
            yield f"r{i},person{i}@example.com,{phone},,,{'new' if i % 3 else 'again'},yes"
    if name == "channel":  # in both arms
        yield from (f"r{9000 + i // 2},both{i // 2}@example.com,,{arm(i)},,,yes" for i in range(20))


def add_dataset(folder, party, name):
    (folder / f"{name}.csv").write_text(
        "\n".join(["ref,email,phone,arm,seen,kind,consent", *lines_of(name), ""])
    )
    description = {
        "dataset": name,
        "source": f"{name}.csv",
        "person": "ref",
        "columns": {"email": "id.email", "phone": "id.phone", "consent": "consent"},
        "consent": {
            "column": "consent",
            "given": ["yes"],
            "purposes": ["dpv:TargetedAdvertising", "dpv:MarketResearch"],
            "recipients": ["advertiser", "channel"],
        },
        "labels": LABELS[name],
    }
    path = folder / f"{name}.yaml"
    path.write_text(write_yaml(description), encoding="utf-8")
    definition = load_definition(path)
    quality = inspect(definition)
    party.keep_dataset(definition, quality, None)
    return quality


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lift")
    parties = {name: make_party(folder, name) for name in LABELS}
    for name, party in parties.items():
        add_dataset(folder, party, name)
    contract = agree(folder, parties)
    yield parties, contract
    for party in parties.values():
        party.close()


def asked(pair, segment=None, by="arm", identifier=None):
    table = TableChoice(OutputKind.LIFT, segment=segment, by=by, identifier=identifier)
    return table_request(pair[0]["advertiser"], pair[1], table, CHOICE)


def carry(pair, request):
    parties, contract = pair
    signed = Desk(parties["advertiser"]).make(request, contract, actor="test")
    assert Desk(parties["channel"]).submit("advertiser", signed).state == "approved"
    assert set(run_both(parties, signed, Wire()).values()) == {None}
    return {name: Desk(party).find(signed.id) for name, party in parties.items()}


@pytest.mark.parametrize("identifier", [None, "phone"])
def test_each_person_of_an_arm_counts_once_by_the_one_identifier(pair, identifier):
    parties, _ = pair
    request = asked(pair, "bought", "arm-seen", identifier)
    assert request.identifiers == (identifier or "email",)
    assert set(request.parameters.most_identifiers.values()) == {1}
    assert Terms.of(request).tabulator_bound == 1
    filed = carry(pair, request)
    counted = [i for i in PEOPLE if identifier is None or has_phone(i)]
    for private in (True, False):
        numbers = result_of(parties["advertiser"], filed["advertiser"], private=private).numbers
        people = dict(numbers.people)
        for name in ("test", "held out"):
            own = [i for i in counted if arm(i) == name]
            assert abs(people[name].value - len(own)) <= STRAY
            exposed = people[f"{name} × exposed"].value
            assert abs(exposed - sum(seen(i) == "exposed" for i in own)) <= STRAY
        assert numbers.whole.lift.value == pytest.approx(0.25, abs=0.06)
        assert not numbers.whole.lift.noise_dominated
        assert "raised" in numbers.findings()[0]
    assert result_of(parties["channel"], filed["channel"], private=False).title() == "lift"
    result = Desk(parties["channel"]).result(request.id)
    steps = {step["name"]: (step["before"], step["after"]) for step in result["steps"]}
    assert steps["people whose rows agree on the label"] == (610, 600)  # ten are in both arms
    assert steps["people with an identifier"] == (600, len(counted))
    assert steps["keys, each once"] == (len(counted), len(counted))


def test_people_in_both_arms_are_told_when_a_dataset_is_registered(pair):
    quality = pair[0]["channel"].dataset("channel").quality
    label = next(one for one in quality["labels"] if one["name"] == "arm")
    assert label["conflicting"] == 10


def test_a_cost_is_one_number_and_changes_nothing_that_is_stored(pair):
    filed = carry(pair, asked(pair))["advertiser"]
    report = Report(pair[0]["advertiser"], filed)
    priced = report.with_cost("750")
    for reading in (priced, priced.private):
        found = reading.to_pandas().query("segment.isna() and label.isna()").set_index("metric")
        each, incremental = (
            found["value"][name]
            for name in ("cost per incremental conversion", "incremental conversions")
        )
        assert each == pytest.approx(750 / incremental)
    assert not any("cost" in metric for metric in report.to_pandas()["metric"])
    with pytest.raises(UnsuitableCosts, match="a cost is given for 'test'"):
        report.with_cost({"test": 750})


def test_one_identifier_is_chosen_for_a_lift_alone(pair):
    table = TableChoice(OutputKind.TABLE, segment="bought", by="arm", identifier="email")
    with pytest.raises(PartyError, match="only a lift"):
        table_request(pair[0]["advertiser"], pair[1], table, CHOICE)


def test_the_quote_says_who_is_counted_and_which_arm_is_which(pair):
    request = asked(pair, by="arm-seen")
    quoted = quote_for(pair[0]["advertiser"], pair[1], request, Guess())
    said = "".join(part for part in quote_shown(quoted) if isinstance(part, str))
    assert "people are counted who have the identifier type email, and each sends one" in said
    assert "treatment is 'test' and control 'held out'" in said


def refused_there(pair, **changes):
    """Return what the counterpart answers to a request that the asker's own program forbids."""
    parties = pair[0]
    before = {name: party.store.write(rows) for name, party in parties.items()}
    request = asked(pair)
    if "most" in changes:
        most = {**request.parameters.most_identifiers, "channel": changes.pop("most")}
        changes["parameters"] = replace(request.parameters, most_identifiers=most)
    signed = replace(request, **changes).sign(parties["advertiser"].identity)
    with pytest.raises(Refusal) as refused:
        Desk(parties["channel"]).submit("advertiser", signed)
    assert {name: party.store.write(rows) for name, party in parties.items()} == before
    return refused.value.message


def test_a_lift_by_several_identifiers_is_refused_by_the_counterpart(pair):
    assert "one identifier type" in refused_there(pair, identifiers=("email", "phone"))
    assert "it is 1" in refused_there(pair, most=2)


@pytest.mark.parametrize(
    ("asking", "refusal", "says"),
    [
        ({"by": "many"}, UnsuitableLabels, "two arms"),
        ({"by": "income"}, Refusal, "no label 'income'"),
        ({"identifier": "maid"}, Refusal, "identifier type 'maid'"),
    ],
)
def test_bad_input_is_refused_before_anything_is_spent(pair, asking, refusal, says):
    before = {name: party.store.write(rows) for name, party in pair[0].items()}
    with pytest.raises(refusal, match=says):
        asked(pair, **asking)
    assert {name: party.store.write(rows) for name, party in pair[0].items()} == before
