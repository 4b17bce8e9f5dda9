"""The ledger: charged once, never above the budget, whoever races."""

import multiprocessing
from types import SimpleNamespace

import pytest

from party.errors import Refusal, RefusalStatus
from party.holds import Hold, held, let_go, place
from party.ledger import (
    MOST_STOPS,
    STOP,
    Account,
    Allowance,
    admit,
    charge,
    require_stops_left,
    rows,
    spent,
    window_start,
)
from party.store import Store
from privacy.accounting import Spend

ACCOUNT = Account("customers", "other.test/log", 1_000)
ONE = Spend.pure(10**9)
ALLOWANCE = Allowance(3 * 10**9, 10**6, "basic", 30)


@pytest.fixture
def url(tmp_path, stores):
    url = stores.new_url(tmp_path)
    Store.create(url).close()
    return url


def spend_one(url, request, account=ACCOUNT, now=2_000):
    """Admit and charge as a session does, in one transaction; say how it went."""
    store = Store.open(url)

    def work(connection):
        admit(connection, account, ALLOWANCE, ONE)
        return charge(connection, request, "session", account, ONE, now)

    try:
        return "charged" if store.write(work) else "known"
    except Refusal as refusal:
        return refusal.status.value
    finally:
        store.close()


def total(url, account=ACCOUNT):
    store = Store.open(url)
    try:
        return store.write(lambda c: spent(c, account))
    finally:
        store.close()


def test_a_budget_is_never_overdrawn(url):
    outcomes = [spend_one(url, f"r{i}") for i in range(5)]
    assert outcomes == ["charged"] * 3 + ["BUDGET_EXHAUSTED"] * 2
    assert total(url).epsilon_nano == 3 * 10**9


def test_a_request_is_charged_once(url):
    assert spend_one(url, "same") == "charged"
    assert spend_one(url, "same") == "known"
    assert total(url).epsilon_nano == 10**9


def test_processes_that_race_for_the_last_of_a_budget_do_not_both_win(url):
    for request in ("r1", "r2"):
        spend_one(url, request)
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(4) as pool:
        racers = [pool.apply_async(spend_one, (url, f"race{i}")) for i in range(8)]
        outcomes = sorted(racer.get(60) for racer in racers)
    assert outcomes == ["BUDGET_EXHAUSTED"] * 7 + ["charged"]
    assert total(url).epsilon_nano == 3 * 10**9


def test_a_refusal_says_whose_budget_is_out_what_is_left_and_when_it_renews(url):
    for request in ("r1", "r2", "r3"):
        spend_one(url, request)
    store = Store.open(url)
    with pytest.raises(Refusal) as caught:
        store.write(lambda c: admit(c, ACCOUNT, ALLOWANCE, ONE))
    store.close()
    assert caught.value.status is RefusalStatus.BUDGET_EXHAUSTED
    for part in ("customers", "other.test/log", "left epsilon 0", "1970-01-31T00:16:40Z"):
        assert part in caught.value.message


def test_other_people_and_other_counterparts_have_budgets_of_their_own(url):
    for request in ("r1", "r2", "r3"):
        spend_one(url, request)
    assert spend_one(url, "r4", Account("subscribers", ACCOUNT.coalition, 1_000)) == "charged"
    assert spend_one(url, "r5", Account("customers", "third.test/log", 1_000)) == "charged"


@pytest.mark.parametrize(("first", "second"), [("b, c", "b"), ("c", "b, c"), ("a, b", "b, c")])
def test_coalitions_that_share_a_member_share_what_they_have_learnt(url, first, second):
    for request in ("r1", "r2", "r3"):
        assert spend_one(url, request, Account("customers", first, 1_000)) == "charged"
    assert spend_one(url, "r4", Account("customers", second, 1_000)) == "BUDGET_EXHAUSTED"
    assert spend_one(url, "r5", Account("customers", "bc", 1_000)) == "charged"


def test_all_counterparts_of_a_contract_are_one_coalition():
    cards = {
        name: SimpleNamespace(verifier=SimpleNamespace(name=f"{name}.test/log")) for name in "cab"
    }
    contract = SimpleNamespace(
        parties=cards,
        counterparts=lambda me: tuple(name for name in cards if name != me),
        starts=1_000,
        window_days=30,
    )
    account = Account.of(contract, "a", "customers", 2_000)
    assert account == Account("customers", "b.test/log, c.test/log", 1_000)


def test_what_is_held_for_others_is_not_admitted(url):
    store = Store.open(url)
    hold = Hold("h1", ACCOUNT, ONE, due_at=2_000, ends_at=3_000, holder="nightly")

    def room(connection, now, *, account=ACCOUNT, but=None):
        kept = held(connection, account, ALLOWANCE, now, but=but)
        admit(connection, account, ALLOWANCE, Spend.pure(3 * 10**9), kept)

    store.write(lambda c: place(c, [hold]))
    with pytest.raises(Refusal, match="Epsilon 1 is held for planned reports"):
        store.write(lambda c: room(c, 2_500))
    store.write(lambda c: room(c, 2_500, but="h1"))
    store.write(lambda c: room(c, 3_000))  # it has ended
    other = Account("customers", ACCOUNT.coalition, 1_000 + 30 * 86_400)
    store.write(lambda c: room(c, 2_500, account=other))  # it is due in the window before
    store.write(lambda c: let_go(c, ["h1"]))
    store.write(lambda c: room(c, 2_500))
    store.close()


def test_a_window_renews(url):
    for request in ("r1", "r2", "r3"):
        spend_one(url, request)
    later = window_start(1_000, 30, 1_000 + 31 * 86_400)
    assert later == 1_000 + 30 * 86_400
    renewed = Account("customers", ACCOUNT.coalition, later)
    assert spend_one(url, "r4", renewed, now=later + 1) == "charged"


def test_three_stops_at_the_minimum_are_all_that_a_window_allows(url):
    store = Store.open(url)

    def stop(connection, number):
        require_stops_left(connection, ACCOUNT, 3_000)
        charge(connection, f"m{number}", STOP, ACCOUNT, Spend(), 2_000)

    for number in range(MOST_STOPS):
        store.write(lambda c, number=number: stop(c, number))
    with pytest.raises(Refusal) as caught:
        store.write(lambda c: stop(c, MOST_STOPS))
    assert caught.value.status is RefusalStatus.BUDGET_EXHAUSTED
    assert len(store.write(rows)) == MOST_STOPS
    store.close()
