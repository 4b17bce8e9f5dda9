"""Overlap by identifier between two whole parties in memory: what it names, costs and refuses.

Covers: planning, admission as a whole, sessions, charges, the stored results and the report. Does
not cover: dialling and approval over the wire (tests/e2e).
"""

import hashlib
from dataclasses import replace

import pytest
import sqlalchemy as sa
from organisations import Killed, Wire, make_contract, make_party, run_both

from client.asking import Choice, TableChoice
from client.by_identifier import (
    carry_all,
    file_all,
    plan,
    quote_all,
    report_of,
    require_room,
    together,
)
from client.carrying import Waiting
from client.guess import Guess
from client.render_by_identifier import quotes_document
from party import ledger
from party.contract_terms import OutputKind
from party.datasets import inspect, load_definition
from party.decision import Decision
from party.desk import Desk
from party.errors import Refusal, RefusalStatus
from party.filing import PENDING
from party.schema import HOLDS
from privacy.accounting import Spend
from reports.by_identifier import Verdict

FEW, MANY = 30, 900
TABLE = TableChoice(OutputKind.OVERLAP)
CHOICE = Choice(epsilon="4", epsilon_dummies="4")
DESCRIPTION = """dataset: {name}
source: {name}.csv
person: ref
columns:
  email: id.email
  phone: {phone}
  {label}: attribute
  consent: consent
consent:
  column: consent
  given: ["yes"]
  purposes: [dpv:TargetedAdvertising, dpv:MarketResearch]
  recipients: [advertiser, channel]
labels:
  {label}: {{column: {label}, values: ["1", "2"]}}
"""


def right(i):
    return f"+1202555{i:04d}"


def with_newline(i):
    return hashlib.sha256(f"{right(i)}\n".encode()).hexdigest()


def register(party, folder, name, label, numbers, phone_of):
    """Write and register people; whose phones are digests delivers all of them so."""
    folder.mkdir()
    lines = [f"r{i},person{i}@example.com,{phone_of(i)},{i % 2 + 1},yes\n" for i in numbers]
    (folder / f"{name}.csv").write_text(f"ref,email,phone,{label},consent\n" + "".join(lines))
    kind = "id.phone" if phone_of is right else "id.phone_sha256"
    path = folder / f"{name}.yaml"
    path.write_text(DESCRIPTION.format(name=name, label=label, phone=kind))
    definition = load_definition(path)
    party.keep_dataset(definition, inspect(definition), None)


def make_pair(folder, phone_of=right, *, people=FEW, **contract):
    """Return both parties and their contract; two thirds of the people are shared."""
    parties = {name: make_party(folder, name) for name in ("advertiser", "channel")}
    register(parties["advertiser"], folder / "a", "customers", "segment", range(people), right)
    other = range(people // 3, people // 3 + people)
    register(parties["channel"], folder / "c", "receipts", "frequency", other, phone_of)
    labels = {"advertiser": ["1", "2"], "channel": ["1", "2"]}
    return parties, make_contract(folder, parties, labels, **contract)


class MemoryCarrier:
    """Carries the channel's requests to the advertiser and back, as a `Carrier` would."""

    def __init__(self, parties):
        self.parties, self.asked = parties, []
        self.party = parties["channel"]

    def ask(self, request, contract, *, actor):
        desk = Desk(self.parties["channel"])
        signed = desk.make(request, contract, actor=actor)
        self.asked.append(signed.identifiers)
        return self.go_on(desk.find(signed.id))

    def go_on(self, filed):
        ours, theirs = Desk(self.parties["channel"]), Desk(self.parties["advertiser"])
        try:
            decision = theirs.submit("channel", filed.request)
        except Refusal as refusal:
            refused = Decision("refused", refusal.status, refusal.message)
            ours.decide("advertiser", filed.request.id, refused)
            raise
        if decision.state == "pending":
            raise Waiting(f"request {filed.request.id[:8]} waits")
        ended = run_both(self.parties, filed.request, Wire())
        assert set(ended.values()) == {None}
        return ours.find(filed.request.id)


def carry(parties, contract, *, resume=False):
    """Do what the command does; return the finished requests and the carrier."""
    asked = plan(parties["channel"], contract, TABLE, CHOICE, resume=resume)
    require_room(parties["channel"], asked)
    carrier = MemoryCarrier(parties)
    return carry_all(carrier, asked, actor="operator"), carrier


def spent(parties):
    return {
        name: [row.spend.epsilon_nano // 10**9 for row in party.store.write(ledger.rows)]
        for name, party in parties.items()
    }


def verdicts(report):
    return {one.type: one.verdict for one in report.verdicts}


def test_phones_that_one_side_hashed_with_a_newline_are_named(tmp_path):
    parties, contract = make_pair(tmp_path, with_newline, people=MANY, epsilon="100")
    finished, _ = carry(parties, contract)
    for private in (False, True):
        report = report_of(parties["channel"], finished, private=private)
        assert verdicts(report) == {"phone": Verdict.DIFFERS, "email": Verdict.FINDS}
        assert report.notes()[0].startswith("phone: the digests differ")
        matched = next(one for one in report.types if one.type == "email").matched
        assert abs(matched.value - MANY * 2 / 3) < 30
    assert report.own_share == {"phone": 1.0, "email": 1.0}
    assert spent(parties) == {"advertiser": [8, 8], "channel": [4, 4]}


def test_the_quote_of_the_whole_is_what_both_sides_are_charged(tmp_path):
    parties, contract = make_pair(tmp_path, epsilon="100")
    asked = plan(parties["channel"], contract, TABLE, CHOICE)
    document = quotes_document(quote_all(parties["channel"], asked, Guess()))
    charged = {one["party"]: one["epsilon"] for one in document["charges"]}
    assert charged == {"advertiser": "16", "channel": "8"}
    assert list(document["types"]) == ["phone", "email"]
    assert document["wire_bytes"] == sum(one["wire_bytes"] for one in document["types"].values())
    carry(parties, contract)
    assert {name: sum(rows) for name, rows in spent(parties).items()} == {
        "advertiser": 16,
        "channel": 8,
    }


def test_the_tabulator_may_ask_for_the_quote_too(tmp_path):
    parties, contract = make_pair(tmp_path, epsilon="100")
    table = replace(TABLE, recipient="channel")
    asked = plan(parties["advertiser"], contract, table, CHOICE)
    document = quotes_document(quote_all(parties["advertiser"], asked, Guess()))
    charged = {one["party"]: one["epsilon"] for one in document["charges"]}
    assert charged == {"advertiser": "16", "channel": "8"}


@pytest.mark.parametrize(
    ("rule", "epsilon", "says"),
    [
        ("basic", "7", "the budget of receipts"),
        ("basic", "12", "allows advertiser in a window"),
        ("zcdp", "40", "the budget of receipts"),
        ("zcdp", "50", "allows advertiser in a window"),
    ],
)
def test_a_whole_that_does_not_fit_is_refused_before_its_first_table(tmp_path, rule, epsilon, says):
    parties, contract = make_pair(tmp_path, epsilon=epsilon, accounting_filter=rule)
    with pytest.raises(Refusal, match=says) as refused:
        carry(parties, contract)
    assert refused.value.status is RefusalStatus.BUDGET_EXHAUSTED
    assert Desk(parties["channel"]).filed() == []
    assert spent(parties) == {"advertiser": [], "channel": []}


def test_what_an_earlier_table_has_cost_the_counterpart_is_counted(tmp_path):
    parties, contract = make_pair(tmp_path, epsilon="16")
    asked = plan(parties["channel"], contract, TABLE, CHOICE)
    MemoryCarrier(parties).ask(asked.requests["email"], contract, actor="operator")
    with pytest.raises(Refusal, match=r"2 tables fall .* less what sessions with it have cost"):
        carry(parties, contract)
    finished, carrier = carry(parties, contract, resume=True)
    assert carrier.asked == [("phone",)]
    assert set(verdicts(report_of(parties["channel"], finished, private=False))) == {
        "phone",
        "email",
    }
    assert spent(parties) == {"advertiser": [8, 8], "channel": [4, 4]}


def spend_unseen(parties, name, contract, epsilon_nano):
    """Charge a party's account for a session that the counterpart was no part of."""
    party = parties[name]

    def work(connection):
        population = ledger.population_of(connection, next(iter(contract.datasets[name])))
        account = ledger.Account.of(contract, name, population, party.now)
        spend = Spend.pure(epsilon_nano)
        ledger.charge(connection, "f" * 32, ledger.SESSION, account, spend, party.now)

    party.store.write(work)


def held(party):
    return party.store.rows(sa.select(HOLDS.c.request))


def test_a_table_that_the_counterpart_refuses_leaves_the_others_done_and_says_so(tmp_path):
    parties, contract = make_pair(tmp_path, epsilon="16")
    spend_unseen(parties, "advertiser", contract, 8 * 10**9)
    with pytest.raises(Refusal, match=r"email: .*Done: phone; not done: email") as refused:
        carry(parties, contract)
    assert refused.value.status is RefusalStatus.BUDGET_EXHAUSTED
    assert "--resume" in str(refused.value)
    assert held(parties["channel"]) == []
    assert spent(parties) == {"advertiser": [8, 8], "channel": [4]}


def test_a_type_that_was_refused_is_asked_for_anew(tmp_path):
    parties, contract = make_pair(tmp_path, epsilon="32")
    spend_unseen(parties, "advertiser", contract, 24 * 10**9)
    with pytest.raises(Refusal, match=r"email: .*Done: phone; not done: email"):
        carry(parties, contract)
    channel = parties["channel"]
    refused = next(one for one in Desk(channel).filed() if one.request.identifiers == ("email",))
    asked = plan(channel, contract, TABLE, CHOICE, resume=True)
    (again,) = asked.to_ask
    assert again.identifiers == ("email",)
    assert again.id != refused.id


def test_the_requests_of_a_report_lead_to_each_other_and_are_filed_once_a_key(tmp_path):
    parties, contract = make_pair(tmp_path, epsilon="16")
    channel, key = parties["channel"], "5a" * 16
    for _ in range(2):
        file_all(channel, plan(channel, contract, TABLE, CHOICE, key=key), actor="operator")
    asked = {one.request.identifiers[0]: one for one in Desk(channel).filed()}
    assert set(asked) == {"phone", "email"}
    assert len(held(channel)) == 2
    for one in asked.values():
        assert together(channel, one) == asked
        assert list(together(channel, one)) == ["phone", "email"]
    for one in asked.values():
        refusal = Decision("refused", RefusalStatus.DECLINED, "not now")
        Desk(channel).decide("advertiser", one.id, refusal)
    assert held(channel) == []


def test_a_request_of_another_report_is_not_shown_with_them(tmp_path):
    parties, contract = make_pair(tmp_path, epsilon="100")
    channel = parties["channel"]
    for _ in range(2):
        file_all(channel, plan(channel, contract, TABLE, CHOICE), actor="operator")
    alone = plan(channel, contract, TABLE, CHOICE).requests["email"]
    Desk(channel).make(alone, contract, actor="operator")
    found = [set(together(channel, one)) for one in Desk(channel).filed()]
    assert sorted(map(sorted, found)) == [["email"]] + 4 * [["email", "phone"]]


class Robbed(MemoryCarrier):
    """While it carries, somebody else tries to have what the report has not yet been charged."""

    def ask(self, request, contract, *, actor):
        desk = Desk(self.party)
        choice = replace(CHOICE, epsilon_dummies="9")
        other = next(iter(plan(self.party, contract, TABLE, choice).requests.values()))
        with pytest.raises(Refusal, match="is held for planned reports") as refused:
            desk.make(other, contract, actor="operator")
        assert refused.value.status is RefusalStatus.BUDGET_EXHAUSTED
        return super().ask(request, contract, actor=actor)


def test_what_a_report_still_needs_is_held_until_it_is_charged(tmp_path):
    parties, contract = make_pair(tmp_path, epsilon="16")
    asked = plan(parties["channel"], contract, TABLE, CHOICE)
    carry_all(Robbed(parties), asked, actor="operator")
    assert held(parties["channel"]) == []
    assert spent(parties) == {"advertiser": [8, 8], "channel": [4, 4]}


class Dies(MemoryCarrier):
    """The process ends before anything is asked."""

    def ask(self, request, contract, *, actor):
        raise Killed


def test_a_report_that_was_killed_does_not_stand_in_its_own_way(tmp_path, monkeypatch):
    parties, contract = make_pair(tmp_path, epsilon="16")
    spend_unseen(parties, "channel", contract, 8 * 10**9)
    asked = plan(parties["channel"], contract, TABLE, CHOICE)
    with monkeypatch.context() as dead:
        dead.setattr("party.holds.let_go", lambda connection, requests: None)
        with pytest.raises(Killed):
            carry_all(Dies(parties), asked, actor="operator")
    assert len(held(parties["channel"])) == 2
    carry(parties, contract)
    assert spent(parties) == {"advertiser": [8, 8], "channel": [8, 4, 4]}


def test_requests_that_wait_for_a_person_are_all_put_to_them_and_go_on_later(tmp_path):
    parties, contract = make_pair(tmp_path, epsilon="100", approval="manual")
    with pytest.raises(Waiting, match="not done: phone, email"):
        carry(parties, contract)
    desk = Desk(parties["advertiser"])
    waiting = [one for one in desk.filed() if one.state == PENDING]
    assert {one.request.identifiers for one in waiting} == {("phone",), ("email",)}
    assert spent(parties) == {"advertiser": [], "channel": []}
    for one in waiting:
        desk.approve(one.request.id, actor="operator")
    finished, carrier = carry(parties, contract, resume=True)
    assert carrier.asked == []
    assert set(finished) == {"phone", "email"}
    assert spent(parties) == {"advertiser": [8, 8], "channel": [4, 4]}


def test_what_is_taken_up_again_has_asked_for_the_same(tmp_path):
    parties, contract = make_pair(tmp_path, epsilon="100", approval="manual")
    with pytest.raises(Waiting):
        carry(parties, contract)
    channel = parties["channel"]
    assert set(plan(channel, contract, TABLE, CHOICE, resume=True).filed) == {"phone", "email"}
    assert plan(channel, contract, TABLE, CHOICE).filed == {}
    other = Choice(epsilon="2", epsilon_dummies="4")
    assert plan(channel, contract, TABLE, other, resume=True).filed == {}
