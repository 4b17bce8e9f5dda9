"""A charge and its entries in the log have one time, so ledger and audit count the same windows.

Covers: charges about the end of a window, with a clock that runs on or is set back between one
reading and the next; a consent snapshot about its greatest age. Sessions are in test_session.
"""

import time
from datetime import UTC, datetime

import pytest
from organisations import make_contract, make_pair, make_party

from audit.entry import format_time
from party.desk import Desk
from party.errors import Refusal, RefusalStatus
from party.evidence import StoredLog, verify_log
from party.ledger import DAY_SECONDS, rows, window_start
from party.request import Request
from party.session_record import SessionRecord
from psi.seed import Seed

CONSENT_SECONDS = 24 * 3600
ROOT = bytes(32)


class Clock:
    """Shows `now`, and a second more each time that it is read."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        shown, self.now = self.now, self.now + 1
        return shown


class Payer:
    """A party whose budget pays for one session in each window of its contract."""

    def __init__(self, party, contract):
        self.party, self.contract = party, contract
        length = contract.window_days
        begun = window_start(contract.starts, length, int(time.time()))
        self.boundary = begun + length * DAY_SECONDS  # after all that the log says as yet

    def open(self, at):
        """Open a session: return its record, and what it rests on."""
        self.party.clock = Clock(at)
        request = Request.match(
            self.contract,
            requester="channel",
            receiver="channel",
            sender="advertiser",
            now=int(at),
        )
        party, signed = self.party, Desk(self.party).make(request, self.contract, actor="test")
        record = SessionRecord(
            party.store, party.journal, party.identity, self.contract, signed, me="channel"
        )
        return record, record.open(Seed.generate(), ROOT, ROOT, ROOT, int(party.clock()))

    def charge(self, session, at):
        """Charge a session at `at`, with one reading of the clock, as sessions do."""
        record, opening = session
        self.party.clock.now = at
        record.charge(opening, int(self.party.clock()))

    def refuses(self, session, at, status):
        before = self.charges
        with pytest.raises(Refusal) as caught:
            self.charge(session, at)
        assert caught.value.status is status
        assert self.charges == before

    @property
    def charges(self):
        return self.party.store.write(rows)

    @property
    def verified(self):
        """How many charges the audit finds right."""
        return verify_log(StoredLog(self.party.store, self.party.identity)).spends


@pytest.fixture
def payer(tmp_path, stores):
    parties, contract = make_pair(tmp_path, stores, epsilon="1")
    yield Payer(parties["channel"], contract)
    for party in parties.values():
        party.close()


def test_a_charge_in_the_last_second_of_a_window_leaves_the_next_window_whole(payer):
    first, second = (payer.open(payer.boundary - 100) for _ in range(2))
    payer.charge(first, payer.boundary - 0.5)
    assert [charge.spent_at for charge in payer.charges] == [payer.boundary - 1]
    payer.charge(second, payer.boundary)
    assert payer.verified == 2


@pytest.mark.parametrize("at", [-0.5, -100, 0])
def test_one_window_pays_for_one_session(payer, at):
    first, second = (payer.open(payer.boundary - 200) for _ in range(2))
    payer.charge(first, payer.boundary + at)
    payer.refuses(second, payer.boundary + at, RefusalStatus.BUDGET_EXHAUSTED)
    assert payer.verified == 1


def test_a_clock_that_was_set_back_charges_the_window_that_the_log_has_reached(payer):
    first, second = (payer.open(payer.boundary + 5) for _ in range(2))
    payer.charge(first, payer.boundary - 50)
    assert [charge.account.window_start for charge in payer.charges] == [payer.boundary]
    payer.refuses(second, payer.boundary + 100, RefusalStatus.BUDGET_EXHAUSTED)
    assert payer.verified == 1


def test_the_entries_of_a_charge_have_its_time(payer):
    payer.charge(payer.open(payer.boundary - 100), payer.boundary - 0.5)
    moment = datetime.fromtimestamp(payer.boundary - 1, UTC)
    log = StoredLog(payer.party.store, payer.party.identity)
    times = {entry.kind: entry.time for entry in log.parsed()}
    assert times["budget.spent"] == times["session.started"] == format_time(moment)


def test_consent_as_old_as_the_contract_allows_will_do(payer):
    session = payer.open(payer.boundary)
    payer.charge(session, session[1].consent.taken_at + CONSENT_SECONDS)
    assert payer.verified == 1


def test_consent_that_grew_too_old_while_the_session_waited_ends_it_before_a_charge(payer):
    session = payer.open(payer.boundary)
    too_late = session[1].consent.taken_at + CONSENT_SECONDS + 1
    payer.refuses(session, too_late, RefusalStatus.CONSENT_STALE)
    assert payer.verified == 0


@pytest.mark.parametrize("rule", ["basic", "zcdp"])
def test_the_log_says_by_which_filter_charges_add_up(tmp_path, rule):
    parties = {name: make_party(tmp_path, name) for name in ("advertiser", "channel")}
    labels = {"advertiser": ["gold"], "channel": ["1"]}
    make_contract(tmp_path, parties, labels, accounting_filter=rule)
    for party in parties.values():
        log = StoredLog(party.store, party.identity)
        assert [e.body.filter for e in log.parsed() if e.kind == "contract.signed"] == [rule]
        party.close()
