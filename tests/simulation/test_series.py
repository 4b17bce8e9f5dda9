"""Templates and standing reports: what is held, what runs, what is missed, and what is never paid.

Covers: planning over windows, the race for the last of a budget, catching up, a kill before and
after each write of the store, cancelling, on both kinds of store. The sessions are the store's side
of real ones: opened, charged, finished. Does not cover: the counterpart (tests/e2e) and kills
within a session (test_session).
"""

import time
from dataclasses import replace

import pytest
import sqlalchemy as sa
from organisations import Killed, copy_pair, make_contract
from organisations import make_pair as make_whole_pair
from store_backends import SQLITE

from audit.errors import VerificationError
from client.asking import Choice, TableChoice, table_request
from client.guess import Guess
from client.output import as_text
from client.render_status import status_document, status_shown
from client.scheduling import quote_series, run_due
from client.templating import asked_before, read_schedule, remove, request_of, save
from party import ledger
from party.balances import balances
from party.contract_terms import OutputKind, write_time
from party.desk import Desk
from party.errors import (
    ContractError,
    InUse,
    PartyError,
    Refusal,
    RefusalStatus,
    SessionSuspended,
)
from party.evidence import StoredLog, verify_log
from party.occupied import running_series
from party.schedule import Schedule
from party.schema import HOLDS, SERIES, TEMPLATES
from party.series import (
    CANCELLED,
    DONE,
    FAILED,
    MISSED,
    PLANNED,
    SKIPPED,
    SeriesBook,
    request_id,
)
from party.session_record import SessionRecord
from party.standing import standing_of
from party.templates import Outputs, template_called, templates
from privacy.accounting import Spend
from psi.seed import Seed
from reports.errors import UnsuitableCosts

DAY = 86_400
EACH = 2 * 10**9  # ε of the recipient of one run: dummies of 2
TABLE = TableChoice(OutputKind.REACH, "advertiser", "channel", "segment", "frequency")


def made_ready(folder, stores):
    """Make a pair whose advertiser has ε 10 a window, 30 days from 2020 on."""
    parties, _ = make_whole_pair(folder, stores, epsilon="10")
    for party in parties.values():
        party.close()
    return folder


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    return made_ready(tmp_path_factory.mktemp("ready"), SQLITE)


@pytest.fixture(scope="module")
def ready_anywhere(tmp_path_factory, stores):
    return made_ready(tmp_path_factory.mktemp("ready"), stores)


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


def opened(ready, tmp_path, stores):
    """Yield the advertiser, ten days before its window renews, at noon; nothing is saved yet."""
    parties, contract = copy_pair(ready, tmp_path, stores)
    party = parties["advertiser"]
    begun = ledger.window_start(contract.starts, 30, int(time.time())) + 30 * DAY
    party.clock = Clock(begun + 20 * DAY + DAY // 2)
    party.renews = begun + 30 * DAY
    yield party
    for one in parties.values():
        one.close()


@pytest.fixture
def brand(ready, tmp_path):
    yield from opened(ready, tmp_path, SQLITE)


@pytest.fixture
def anywhere(ready_anywhere, tmp_path, stores):
    """The advertiser on each kind of store."""
    yield from opened(ready_anywhere, tmp_path, stores)


def template_of(party, name="nightly", epsilon_dummies="2", epsilon="1", **outputs):
    choice = Choice(epsilon=epsilon, epsilon_dummies=epsilon_dummies)
    request = table_request(party, party.contract(None), TABLE, choice)
    return save(party, name, request, Outputs(**outputs))


def day(party, offset):
    return write_time(party.now + offset * DAY)[:10]


def scheduled(party, days, name="nightly", every="day"):
    """Plan a run at 02:00 on each of so many days from tomorrow."""
    template, schedule = read_schedule(party, name, every, "02:00", day(party, days), None)
    return SeriesBook(party).make(template, schedule)


class Sessions:
    """Carries a party's requests as the store sees it, against the counterpart that `answers`."""

    def __init__(self, party, answers=lambda request: None):
        self.party, self.answers, self.charges = party, answers, 0

    def ask(self, request, contract, *, actor):
        signed = Desk(self.party).make(request, contract, actor=actor)
        return self.go_on(Desk(self.party).find(signed.id))

    def go_on(self, filed):
        if filed.decision.refusal is not None:
            raise filed.decision.refusal
        self.answers(filed)
        party, request = self.party, filed.request
        contract = party.contract(request.contract)
        record = SessionRecord(
            party.store, party.journal, party.identity, contract, request, me="advertiser"
        )
        root = bytes(32)
        opening = record.opening() or record.open(Seed.generate(), root, root, root, party.now)
        record.charge(opening, party.now)
        record.agree(bytes.fromhex(request.id * 2))
        record.finish(bytes(32), {"role": "recipient"}, party.now)
        return Desk(party).find(request.id)


@pytest.fixture(autouse=True)
def results_are_written(monkeypatch):
    """The sessions here have no table: what is written is which request it was."""

    def write(files, party, filed):
        if files.out is not None:
            files.out.write_text(filed.id)
        return [files.out] if files.out else []

    monkeypatch.setattr("client.templating.Files.write", write)


def states(party, name="nightly"):
    found = next(one for one in SeriesBook(party).all() if one.name == name)
    return [run.state for run in found.runs]


def spends(party):
    return [row.spend.epsilon_nano for row in party.store.write(ledger.rows)]


def held(party):
    return len(party.store.rows(sa.select(HOLDS.c.request)))


def kinds(party):
    return [entry.kind for entry in StoredLog(party.store, party.identity).parsed()]


# -- templates ------------------------------------------------------------------------------


def test_a_template_asks_for_what_was_saved(brand, tmp_path):
    template_of(brand, out=str(tmp_path / "reach-{date}-{time}.csv"))
    template = template_called(brand, "nightly")
    request, contract = request_of(brand, template)
    asked = table_request(brand, contract, TABLE, Choice(epsilon="1", epsilon_dummies="2"))
    new = {"id": request.id, "created": brand.now, "expires": brand.now + DAY}
    assert replace(asked, **new, signature="") == request
    outputs = template.outputs.at(1_767_225_600 + 2 * 3600)
    assert outputs.out == str(tmp_path / "reach-2026-01-01-0200.csv")
    assert [one.name for one in templates(brand)] == ["nightly"]
    remove(brand, "nightly")
    assert templates(brand) == []


def test_a_template_is_saved_from_a_request(brand):
    filed = Sessions(brand).ask(*request_of(brand, template_of(brand)), actor="operator")
    brand.clock.now += 3 * DAY  # the request has ended since
    again = save(brand, "again", asked_before(brand, filed.id[:8]), Outputs())
    assert again.request.parameters == filed.request.parameters
    assert again.request.labels == filed.request.labels


@pytest.mark.parametrize(
    ("name", "outputs", "says"),
    [
        ("a name", {}, "no name for a template"),
        ("x" * 65, {}, "no name for a template"),
        ("nightly", {"out": "/nowhere/at/all.csv"}, "there is no folder"),
        ("nightly", {"out": "reach.txt"}, "write to a file that ends in"),
        ("nightly", {"out": "reach-{day}.csv"}, "only {date} and {time}"),
        ("nightly", {"out": "reach-{date.csv"}, "only {date} and {time}"),
        ("nightly", {"html": "{date!r}.html"}, "only {date} and {time}"),
    ],
)
def test_a_template_that_would_not_serve_is_refused(brand, name, outputs, says):
    with pytest.raises(PartyError, match=says):
        template_of(brand, name, **outputs)
    assert templates(brand) == []


def test_a_name_is_taken_once(brand):
    template_of(brand)
    with pytest.raises(PartyError, match="there is a template called nightly already"):
        template_of(brand)
    with pytest.raises(PartyError, match="there is no template called weekly"):
        template_called(brand, "weekly")
    with pytest.raises(PartyError, match="there is no template called weekly"):
        remove(brand, "weekly")


def test_a_template_that_was_changed_in_the_store_is_refused(brand):
    template_of(brand)
    body = sa.func.replace(TEMPLATES.c.body, "MarketResearch", "MarketResearcH")
    brand.store.write(lambda c: c.execute(sa.update(TEMPLATES).values(body=body)))
    with pytest.raises(PartyError, match="was changed after it was saved"):
        templates(brand)


# -- planning -------------------------------------------------------------------------------


def test_the_budget_of_all_runs_is_held_in_the_windows_that_they_fall_in(anywhere):
    template_of(anywhere)
    series = scheduled(anywhere, 14, every="week")
    assert [run.slot % DAY for run in series.runs] == [2 * 3600] * 2
    template_of(anywhere, "more", epsilon_dummies="8")
    with pytest.raises(Refusal, match="Epsilon 4 is held for planned reports") as refused:
        scheduled(anywhere, 2, "more", every="week")
    assert refused.value.status is RefusalStatus.BUDGET_EXHAUSTED
    [balance] = balances(anywhere)
    assert (balance.held.epsilon_nano, balance.left[0]) == (2 * EACH, 10**10 - 2 * EACH)
    assert series.held.epsilon_nano == 2 * EACH
    assert spends(anywhere) == []


def test_a_partys_standing_says_what_is_due_next_and_what_is_held_for_it(brand):
    def standing():
        found = standing_of(brand)
        shown = " ".join(as_text(status_shown(brand, found)).split())
        return status_document(brand, found)["schedules"], shown

    assert standing()[0] == []
    for name, days in (("weekly", 14), ("nightly", 2)):
        template_of(brand, name, epsilon_dummies="1")
        scheduled(brand, days, name, every=name.removesuffix("ly").replace("night", "day"))
    first, second = standing()[0]
    assert [one["template"] for one in (first, second)] == ["nightly", "weekly"]
    assert (first["runs_left"], first["due"]) == (2, False)
    assert first["held"] == {"epsilon": "2", "delta": "2e-9"}
    brand.clock.now = first["next_run"]
    (first, _), shown = standing()
    assert first["due"] is True
    assert "nightly, every day, due since" in shown
    assert "2 runs left, which hold ε 2," in shown
    SeriesBook(brand).cancel("nightly")
    assert [one["template"] for one in standing()[0]] == ["weekly"]


def test_a_series_fits_every_window_or_is_not_made(brand):
    template_of(brand)
    quote = quote_series(
        brand, *read_schedule(brand, "nightly", "day", "02:00", day(brand, 9), None), Guess()
    )
    assert [(one.runs, one.spend.epsilon_nano) for one in quote.windows] == [(9, 9 * EACH)]
    assert quote.charges["advertiser"].epsilon_nano == 9 * EACH
    assert quote.charges["channel"].epsilon_nano == 9 * (10**9 + EACH)
    with pytest.raises(Refusal, match="9 tables fall in the window from") as refused:
        scheduled(brand, 9)
    for part in ("customers", "channel.test/log", "epsilon 10", write_time(brand.renews)):
        assert part in refused.value.message
    assert SeriesBook(brand).all() == []
    assert held(brand) == 0


def test_a_series_that_the_counterparts_allowance_does_not_bear_is_not_made(brand):
    template_of(brand)
    with pytest.raises(Refusal, match=r"what contract test allows channel .* dataset receipts"):
        scheduled(brand, 4)  # 4 times 2 here, and 4 times 3 there
    assert held(brand) == 0


def test_each_window_has_its_own_share(brand):
    template_of(brand)
    brand.clock.now = brand.renews - 3 * DAY + DAY // 2
    quoted = quote_series(
        brand, *read_schedule(brand, "nightly", "day", "02:00", day(brand, 5), None), Guess()
    )
    assert [one.runs for one in quoted.windows] == [2, 3]
    series = scheduled(brand, 5)
    assert [run.slot < brand.renews for run in series.runs] == [True, True, False, False, False]
    assert balances(brand)[0].held.epsilon_nano == 2 * EACH
    brand.clock.now = brand.renews + 3600
    assert balances(brand)[0].held.epsilon_nano == 3 * EACH


@pytest.mark.parametrize(
    ("every", "at", "until", "begins", "says"),
    [
        ("month", "02:00", 5, None, "every hour, day or week"),
        ("day", "25:00", 5, None, "no time of day"),
        ("day", "2 am", 5, None, "no time of day"),
        ("day", "02:00", 0, None, "nothing would run"),
        ("day", "02:00", -3, None, "nothing would run"),
        ("day", "02:00", 5, -2, "is past"),
        ("day", "02:00", 3, 4, "nothing would run"),
        ("day", "02:00", "soon", None, "is no day"),
        ("hour", "00:30", 100, None, "at most 1000 runs"),
    ],
)
def test_a_schedule_that_would_not_serve_is_refused(brand, every, at, until, begins, says):
    template_of(brand)
    days = [day(brand, one) if isinstance(one, int) else one for one in (until, begins)]
    with pytest.raises(PartyError, match=says):
        read_schedule(brand, "nightly", every, at, *days)


def test_slots_are_24_hours_apart_and_hours_begin_at_their_minute():
    noon = 1_774_699_200  # 2026-03-28, the day before summer time in Europe
    daily = Schedule.read("day", "02:00", "2026-03-31", None, noon)
    assert [write_time(slot) for slot in daily.slots] == [
        f"2026-03-{number}T02:00:00Z" for number in (29, 30, 31)
    ]
    hourly = Schedule.read("hour", "00:15", "2026-03-28", None, noon)
    assert [write_time(slot)[11:16] for slot in hourly.slots][:2] == ["12:15", "13:15"]
    assert len(hourly.slots) == 12
    weekly = Schedule.read("week", "02:00", "2026-04-30", "2026-04-01", noon)
    assert [write_time(slot)[:10] for slot in weekly.slots] == [
        f"2026-04-{number}" for number in ("01", "08", "15", "22", "29")
    ]


def test_a_contract_that_ends_before_the_last_run_is_named(ready, tmp_path):
    parties, _ = copy_pair(ready, tmp_path)
    brand = parties["advertiser"]
    brand.clock = Clock((int(time.time()) // DAY + 1) * DAY + DAY // 2)  # at noon: past 02:00
    labels = {"advertiser": ["gold", "silver"], "channel": ["1", "2", "3"]}
    short = make_contract(tmp_path, parties, labels, contract_id="short", ends=brand.now + 2 * DAY)
    request = table_request(brand, short, TABLE, Choice(epsilon_dummies="0.1"))
    save(brand, "nightly", request, Outputs())
    with pytest.raises(ContractError, match=r"before the last run on .* earlier last day"):
        scheduled(brand, 5)
    assert len(scheduled(brand, 1).runs) == 1
    for one in parties.values():
        one.close()


def test_one_template_has_one_schedule_and_is_kept_as_long(brand):
    template_of(brand)
    scheduled(brand, 1)
    with pytest.raises(PartyError, match="has a schedule already"):
        scheduled(brand, 1)
    with pytest.raises(PartyError, match="cancel it first"):
        remove(brand, "nightly")
    SeriesBook(brand).cancel("nightly")
    remove(brand, "nightly")


def test_a_schedule_that_was_changed_in_the_store_is_refused(brand):
    template_of(brand)
    scheduled(brand, 1)
    body = sa.func.replace(SERIES.c.body, "MarketResearch", "MarketResearcH")
    brand.store.write(lambda c: c.execute(sa.update(SERIES).values(body=body)))
    with pytest.raises(PartyError, match="was changed after it was made"):
        SeriesBook(brand).all()


# -- running --------------------------------------------------------------------------------


def test_each_run_is_charged_once_and_writes_its_file(anywhere, tmp_path):
    template_of(anywhere, out=str(tmp_path / "reach-{date}.csv"))
    series = scheduled(anywhere, 3)
    assert run_due(Sessions(anywhere)) == []
    for number, run in enumerate(series.runs, 1):
        anywhere.clock.now = run.slot + 60
        assert [went.state for went in run_due(Sessions(anywhere))] == [DONE]
        assert run_due(Sessions(anywhere)) == []
        assert len(spends(anywhere)) == number
        assert held(anywhere) == 3 - number
        assert (tmp_path / f"reach-{write_time(run.slot)[:10]}.csv").read_text() == run.request
    done = SeriesBook(anywhere).all()[0]
    assert (done.state, done.spent.epsilon_nano) == ("ended", 3 * EACH)
    assert {entry.actor for entry in StoredLog(anywhere.store, anywhere.identity).parsed()} >= {
        "schedule"
    }
    assert verify_log(StoredLog(anywhere.store, anywhere.identity)).spends == 3


def test_runs_that_were_missed_are_made_up_for_by_one(brand):
    template_of(brand)
    series = scheduled(brand, 3)
    brand.clock.now = series.runs[2].slot + 7 * 3600
    assert [went.run.slot for went in run_due(Sessions(brand))] == [series.runs[2].slot]
    assert states(brand) == [MISSED, MISSED, DONE]
    assert spends(brand) == [EACH]
    assert held(brand) == 0


def test_a_run_that_waits_is_gone_on_with_and_not_asked_again(brand):
    template_of(brand)
    series = scheduled(brand, 2)
    brand.clock.now = series.runs[0].slot

    def is_gone(filed):
        raise SessionSuspended("channel is not there")

    for _ in range(2):
        [went] = run_due(Sessions(brand, is_gone))
        assert (went.state, went.said) == (PLANNED, "channel is not there")
    assert len(Desk(brand).filed()) == 1
    brand.clock.now = series.runs[1].slot  # within the day of the first request
    assert [went.state for went in run_due(Sessions(brand))] == [DONE, DONE]
    assert spends(brand) == [EACH, EACH]


def test_a_run_that_is_cancelled_while_another_runs_is_not_asked(brand):
    for name in ("nightly", "other"):
        template_of(brand, name)
        slot = scheduled(brand, 1, name).runs[0].slot
    brand.clock.now = slot

    def cancels_the_other(filed):
        found = [one for one in SeriesBook(brand).all() if one.runs[0].request != filed.id]
        SeriesBook(brand).cancel(found[0].name)

    went = run_due(Sessions(brand, cancels_the_other))
    assert [one.state for one in went] == [DONE, CANCELLED]
    assert len(Desk(brand).filed()) == 1
    assert spends(brand) == [EACH]
    assert held(brand) == 0


def spend_elsewhere(party, epsilon_nano):
    """Charge the same people, as a contract that allows more may; the smaller does not bind it."""

    def work(connection):
        population = ledger.population_of(connection, "customers")
        account = ledger.Account.of(party.contract(None), "advertiser", population, party.now)
        spend = Spend.pure(epsilon_nano)
        ledger.charge(connection, "f" * 32, ledger.SESSION, account, spend, party.now)

    party.store.write(work)


def test_a_run_that_would_overdraw_is_skipped_and_the_log_says_why(brand):
    template_of(brand)
    series = scheduled(brand, 2)
    brand.clock.now = series.runs[0].slot
    spend_elsewhere(brand, 9 * 10**9)
    [went] = run_due(Sessions(brand))
    assert went.state == SKIPPED
    assert "the budget of customers towards channel.test/log does not suffice" in went.said
    assert run_due(Sessions(brand)) == []
    assert spends(brand) == [9 * 10**9]
    assert kinds(brand).count("report.skipped") == 1
    assert Desk(brand).filed() == []
    [found] = SeriesBook(brand).all()
    assert found.last_run.reason.startswith("BUDGET_EXHAUSTED")
    assert found.held.epsilon_nano == EACH
    with pytest.raises(VerificationError, match="never logged"):  # what was spent elsewhere
        verify_log(StoredLog(brand.store, brand.identity))


def test_costs_that_name_something_else_by_the_day_of_a_run_spend_nothing(brand, tmp_path):
    costs = tmp_path / "costs.csv"
    costs.write_text("campaign,cost\n1,5\n")
    template_of(brand, cost=str(costs))
    costs.write_text("campaign,cost\nC9,5\n")
    with pytest.raises(UnsuitableCosts, match="which this report does not have"):
        template_of(brand, "other", cost=str(costs))
    [run] = scheduled(brand, 1).runs
    brand.clock.now = run.slot
    [went] = run_due(Sessions(brand))
    assert (went.state, spends(brand)) == (PLANNED, [])
    assert "'C9', which this report does not have" in went.said


def test_a_refusal_of_the_counterpart_skips_a_run_before_and_fails_it_after_the_charge(brand):
    template_of(brand)
    series = scheduled(brand, 2)

    def out_of_budget(filed):
        raise Refusal(RefusalStatus.BUDGET_EXHAUSTED, "the budget of receipts does not suffice")

    brand.clock.now = series.runs[0].slot
    assert [one.state for one in run_due(Sessions(brand, out_of_budget))] == [SKIPPED]

    class Fails(Sessions):
        def go_on(self, filed):
            super().go_on(filed)
            raise Refusal(RefusalStatus.WRONG_ANSWER, "a known answer did not come back")

    brand.clock.now = series.runs[1].slot
    assert [one.state for one in run_due(Fails(brand))] == [FAILED]
    assert states(brand) == [SKIPPED, FAILED]
    assert kinds(brand).count("report.skipped") == 1
    assert spends(brand) == [EACH]
    verify_log(StoredLog(brand.store, brand.identity))


def test_a_run_of_the_window_before_is_charged_to_the_window_that_it_is_made_in(brand):
    template_of(brand, epsilon_dummies="3", epsilon="0.1")
    brand.clock.now = brand.renews - 3 * DAY
    series = scheduled(brand, 2)
    brand.clock.now = brand.renews + 60
    assert states(brand) == [PLANNED] * 3
    assert [went.state for went in run_due(Sessions(brand))] == [DONE]
    [row] = brand.store.write(ledger.rows)
    assert row.account.window_start == brand.renews
    assert max(run.slot for run in series.runs) < brand.renews


def test_what_is_cancelled_runs_no_more_and_what_was_spent_stays_spent(brand):
    template_of(brand)
    series = scheduled(brand, 3)
    brand.clock.now = series.runs[0].slot
    run_due(Sessions(brand))
    cancelled = SeriesBook(brand).cancel("nightly")
    assert (cancelled.state, cancelled.spent.epsilon_nano) == (CANCELLED, EACH)
    assert states(brand) == [DONE, CANCELLED, CANCELLED]
    assert held(brand) == 0
    brand.clock.now = series.runs[2].slot
    assert run_due(Sessions(brand)) == []
    assert spends(brand) == [EACH]
    with pytest.raises(PartyError, match="no schedule that goes on"):
        SeriesBook(brand).cancel("nightly")


def test_one_process_at_a_time_runs_what_is_due(brand):
    with running_series(brand.folder), pytest.raises(InUse):
        run_due(Sessions(brand))


# -- kills ----------------------------------------------------------------------------------


class Dying:
    """A store whose process ends at its n-th write: before it, or once it is on disk."""

    def __init__(self, store, number, *, after):
        self._store, self._left, self._after = store, number, after

    def __getattr__(self, name):
        return getattr(self._store, name)

    def write(self, work):
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Killed
        done = self._store.write(work)
        if self._left == 0:
            raise Killed
        return done


def killed_in(party, act, number, *, after):
    """Do something in a process that ends at its n-th write; say whether it did end."""
    store = party.store
    party.store = Dying(store, number, after=after)
    party.journal._store = party.store
    try:
        act()
    except Killed:
        return True
    finally:
        party.store = party.journal._store = store
    return False


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_at_any_write_of_a_run_charges_it_once(anywhere, tmp_path, after):
    template_of(anywhere, epsilon_dummies="0.2", epsilon="0.1", out=str(tmp_path / "{date}.csv"))
    series = scheduled(anywhere, 25)
    number = 0
    for run in series.runs:
        number += 1
        anywhere.clock.now = run.slot
        died = killed_in(anywhere, lambda: run_due(Sessions(anywhere)), number, after=after)
        assert run_due(Sessions(anywhere)) == [] or died
        one = next(one for one in SeriesBook(anywhere).all()[0].runs if one.slot == run.slot)
        assert one.state == DONE
        assert (tmp_path / f"{write_time(run.slot)[:10]}.csv").read_text() == run.request
        assert spends(anywhere) == [2 * 10**8] * number
        if not died:
            break
    assert not died
    assert number > 6
    SeriesBook(anywhere).cancel("nightly")
    assert held(anywhere) == 0
    assert verify_log(StoredLog(anywhere.store, anywhere.identity)).spends == number


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_while_a_series_is_made_makes_it_whole_or_not_at_all(anywhere, after):
    template_of(anywhere)
    died, number = True, 0
    while died:
        number += 1
        died = killed_in(anywhere, lambda: scheduled(anywhere, 2), number, after=after)
        active = [one for one in SeriesBook(anywhere).all() if one.state == "active"]
        assert held(anywhere) == 2 * len(active)
        if active:
            SeriesBook(anywhere).cancel("nightly")
        assert held(anywhere) == 0
    assert number > 1


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_while_a_run_is_skipped_logs_it_once(anywhere, after):
    template_of(anywhere)
    [run] = scheduled(anywhere, 1).runs
    anywhere.clock.now = run.slot
    spend_elsewhere(anywhere, 9 * 10**9)
    number = 1
    while killed_in(anywhere, lambda: run_due(Sessions(anywhere)), number, after=after):
        number += 1
    assert states(anywhere) == [SKIPPED]
    assert kinds(anywhere).count("report.skipped") == 1
    assert held(anywhere) == 0


def test_a_request_has_the_same_id_however_often_it_is_tried():
    assert request_id("ab" * 16, 7) == request_id("ab" * 16, 7)
    assert len({request_id("ab" * 16, slot) for slot in range(100)}) == 100
    assert request_id("ab" * 16, 7) != request_id("cd" * 16, 7)


def test_a_template_keeps_the_language_of_its_page_and_refuses_one_that_is_none(brand, tmp_path):
    page = str(tmp_path / "{date}.html")
    template_of(brand, html=page, language="zh")
    assert template_called(brand, "nightly").outputs.language == "zh"
    for name, outputs, says in (
        ("french", {"html": page, "language": "fr"}, "choose en or zh"),
        ("nowhere", {"language": "zh"}, "--html"),
    ):
        with pytest.raises(PartyError, match=says):
            template_of(brand, name=name, **outputs)
