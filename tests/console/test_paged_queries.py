"""What pages read of a long store: each request once, and days that add up to what was spent."""

import re
from types import SimpleNamespace

import pytest
from organisations import make_pair

from client.page.budget_chart import DISCLOSED, HELD, SPENT, BudgetChart
from party import ledger, ledger_history
from party.balances import balances
from party.filing import APPROVED, PENDING, Filing, Wanted
from party.holds import Hold, place
from party.ledger import DAY_SECONDS, DISCLOSURE, SESSION
from party.request import Request
from privacy.accounting import Spend

FILED = 23


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return an advertiser with requests of either side, and charges of three windows."""
    parties, contract = make_pair(tmp_path_factory.mktemp("paged"))
    party = parties["advertiser"]
    for number in range(FILED):
        mine = number % 3 != 0
        request = Request.match(
            contract,
            requester="advertiser" if mine else "channel",
            receiver="channel",
            sender="advertiser",
            now=party.now,
        ).sign(parties["advertiser" if mine else "channel"].identity)
        state = APPROVED if number % 2 else PENDING
        Filing(party).file(
            request, contract, mine=mine, peers=("channel",), state=state, actor="test"
        )
    yield SimpleNamespace(party=party, contract=contract)
    for one in parties.values():
        one.close()


@pytest.mark.parametrize(
    "wanted", [Wanted(), Wanted(states=(PENDING,)), Wanted(mine=False), Wanted(lists=True)]
)
@pytest.mark.parametrize("most", [1, 4, FILED, 50])
def test_pages_hold_each_request_once_newest_first(made, wanted, most):
    filing = Filing(made.party)
    seen, before = [], None
    while True:
        page = filing.page(wanted, before=before, most=most)
        assert len(page.requests) <= most
        seen += [one.id for one in page.requests]
        before = page.older
        if before is None:
            break
    expected = [
        one.id
        for one in filing.all()
        if (not wanted.states or one.state in wanted.states)
        and (wanted.mine is None or one.mine == wanted.mine)
    ]
    assert seen == expected
    assert filing.count(wanted) == len(expected)
    assert filing.page(Wanted(lists=False)).requests == ()


def _charged(made):
    """Charge reports and lists in three windows, and hold for one to come; return the balance."""
    party = made.party
    (balance,) = balances(party)
    account = balance.account
    length = balance.allowance.window_days * DAY_SECONDS

    def work(connection):
        for number in range(40):
            at = account.window_start - 2 * length + number * (2 * length // 40) + 1
            what = DISCLOSURE if number % 10 == 0 else SESSION
            spend = Spend() if what == DISCLOSURE else Spend.pure(50_000_000)
            ledger.charge(connection, f"{number:032x}", what, account, spend, at)
        due = party.now + 1
        hold = Hold("f" * 32, account, Spend.pure(70_000_000), due, due + DAY_SECONDS, "weekly")
        place(connection, [hold])

    party.store.write(work)
    return balances(party)[0]


def test_days_add_up_to_what_was_spent_and_disclosed(made):
    balance = _charged(made)
    party, account, allowance = made.party, balance.account, balance.allowance
    windows = party.store.read(lambda c: ledger_history.windows(c, account, allowance))
    rows = party.store.read(ledger.rows)
    assert sum(one.spend.epsilon_nano for one in windows) == sum(
        row.spend.epsilon_nano for row in rows
    )
    assert sum(one.disclosures for one in windows) == sum(row.what == DISCLOSURE for row in rows)
    assert windows[-1].start == account.window_start
    assert windows[-1].spend == party.store.read(lambda c: ledger.spent(c, account))
    for window in windows:
        assert all(window.start <= day.start < window.end for day in window.days)

    due = party.store.read(lambda c: ledger_history.due(c, account, party.now))
    chart = BudgetChart(balance, windows, due, party.now)
    points = chart.points()
    for window in windows:
        tops = [
            one["used"]
            for one in points
            if one["kind"] == SPENT and one["window"] == str(window.start)
        ]
        assert tops == sorted(tops)
        assert tops[0] == 0
        assert tops[-1] == pytest.approx(window.spend.epsilon_nano / 1e9)
    assert sum(int(one["lists"]) for one in points if one["kind"] == DISCLOSED) == 4
    held = [one["used"] for one in points if one["kind"] == HELD]
    assert held[-1] - held[0] == pytest.approx(0.07)
    drawing = chart.svg()
    assert re.findall(r">budget: ε 10 in 30 days<", drawing) == [">budget: ε 10 in 30 days<"]


def test_charges_are_listed_each_once(made):
    read, before, seen = made.party.store.read, None, []
    while True:
        at = before
        rows, before = read(lambda c, at=at: ledger_history.charges(c, before=at, most=7))
        seen += [row.request for row in rows]
        if before is None:
            break
    assert seen == [row.request for row in reversed(read(ledger.rows))]
