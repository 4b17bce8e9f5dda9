"""Going on by oneself: which sessions `serve` takes up, and what a command does that waits.

The sessions are the store's side of real ones: opened, charged, ended. Processes that are killed,
and taken up by `serve`, are in tests/e2e/test_kills and tests/chaos.
"""

import errno
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, field

import pytest
from organisations import copy_pair, file_match, make_pair

from client.asking import Choice, TableChoice, match_request, table_request
from client.cancelling import Cancelled, CancelToken
from client.carrying import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Carrier
from client.resuming import broken_off, go_on_with
from client.serving import Logged
from client.templating import read_schedule, save
from party.contract_terms import OutputKind, write_time
from party.desk import Desk
from party.errors import (
    ContractError,
    PartyError,
    Refusal,
    RefusalStatus,
    SessionSuspended,
    StoreError,
)
from party.occupied import carrying_out
from party.series import SeriesBook
from party.session import Session
from party.session_record import SessionRecord
from party.templates import Outputs
from psi.seed import Seed

DAY = 86_400
NOBODY = "127.0.0.1:9"
NO_ROOM = OSError(errno.ENOSPC, "no space left on device")


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ready")
    parties, _ = make_pair(folder, addresses={"channel": NOBODY})
    for party in parties.values():
        party.close()
    return folder


@pytest.fixture
def pair(ready, tmp_path):
    parties, _ = copy_pair(ready, tmp_path)
    yield parties
    for party in parties.values():
        party.close()


def asked(party):
    """File a request of the advertiser's own for a list."""
    contract = party.contract(None)
    request = match_request(party, contract, "advertiser", Choice())
    return Desk(party).make(request, contract, actor="test")


def record_of(party, request, me="advertiser"):
    contract = party.contract(request.contract)
    return SessionRecord(party.store, party.journal, party.identity, contract, request, me=me)


def begin(party, request, me="advertiser"):
    """Open the session of a request, as its first start does before it greets anybody."""
    root = bytes(32)
    return record_of(party, request, me).open(Seed.generate(), root, root, root, party.now)


def names(filed):
    return [one.id for one in filed]


def test_a_session_is_taken_up_once_it_has_begun_and_until_it_has_ended(pair):
    party = pair["advertiser"]
    request = asked(party)
    assert broken_off(party) == []
    begin(party, request)
    assert names(broken_off(party)) == [request.id]
    refusal = Refusal(RefusalStatus.WRONG_ANSWER, "a known answer did not come back")
    record_of(party, request).fail(refusal, party.now, peer_at_fault=True)
    assert broken_off(party) == []


def test_a_session_that_another_process_carries_out_is_left_to_it(pair):
    party = pair["advertiser"]
    request = asked(party)
    begin(party, request)
    with carrying_out(party.folder, request.id):
        assert broken_off(party) == []
    assert names(broken_off(party)) == [request.id]


def test_whoever_is_dialled_waits_and_takes_up_nothing(pair):
    request = asked(pair["advertiser"])
    channel = pair["channel"]
    Desk(channel).submit("advertiser", request)
    begin(channel, request, me="channel")
    assert broken_off(channel) == []


def test_a_session_whose_contract_has_ended_is_not_dialled_for(pair):
    party = pair["advertiser"]
    begin(party, asked(party))
    end = party.contract(None).ends
    party.clock = lambda: end
    assert broken_off(party) == []


def test_runs_of_standing_reports_are_tried_as_runs(pair):
    party = pair["advertiser"]
    table = TableChoice(OutputKind.REACH, segment="segment", by="frequency")
    contract = party.contract(None)
    template = save(party, "nightly", table_request(party, contract, table, Choice()), Outputs())
    tomorrow = write_time(party.now + DAY)[:10]
    series = SeriesBook(party).make(
        *read_schedule(party, "nightly", "day", "02:00", tomorrow, None)
    )
    run = series.runs[0]
    party.clock = lambda: run.slot + 60
    request = template.ask(run.request, party.now)
    begin(party, Desk(party).make(request, contract, actor="schedule"))
    assert broken_off(party) == []


# -- what becomes of a session that is taken up ----------------------------------------------------


@dataclass(frozen=True)
class Ends:
    """Carries every request to the same end."""

    error: Exception | None

    def go_on(self, filed):
        if self.error is not None:
            raise self.error
        return filed


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (None, "finished"),
        (SessionSuspended("nobody is there"), "suspended"),
        (StoreError("the store did not take the change"), "suspended"),
        (PartyError("a file of the dataset is gone"), "suspended"),
        (Refusal(RefusalStatus.EXPIRED, "the request has ended"), "failed"),
    ],
)
def test_what_passes_leaves_a_session_for_later_and_a_refusal_ends_it(pair, error, state):
    party = pair["advertiser"]
    filed = Desk(party).find(asked(party).id)
    went = go_on_with(Ends(error), filed)
    assert went.state == state
    assert error is None or str(error) in went.said


def test_a_party_that_closes_is_not_told_that_a_session_waits(pair):
    party = pair["advertiser"]
    filed = Desk(party).find(asked(party).id)
    with pytest.raises(Cancelled):
        go_on_with(Ends(Cancelled()), filed)


# -- a command that waits --------------------------------------------------------------------------


@dataclass
class Heard:
    """An observer that remembers what was said."""

    said: list[str] = field(default_factory=list)

    def begun(self, request_id):
        pass

    def say(self, sentence):
        self.said.append(sentence)


class Slept(CancelToken):
    """A token that sleeps no time, and cancels after so many rests."""

    def __init__(self, most):
        super().__init__()
        self.rests, self._most = [], most

    def sleep(self, seconds):
        self.rests.append(seconds)
        if len(self.rests) == self._most:
            self.cancel()
        self.require_going()


def breaking_off(times):
    """Return a course of a request that is suspended so often before it comes to its end."""
    left = [times]

    def course(carrier, filed):
        del carrier
        if left[0] == 0:
            return filed
        left[0] -= 1
        raise SessionSuspended("the counterpart is gone")

    return course


def test_a_command_that_waits_goes_on_after_every_break_and_rests_longer_each_time(
    pair, monkeypatch
):
    party, heard, token = pair["advertiser"], Heard(), Slept(most=100)
    filed = Desk(party).find(asked(party).id)
    monkeypatch.setattr(Carrier, "_go_on", breaking_off(7))
    assert Carrier(party, heard, wait=True, cancel=token).go_on(filed).id == filed.id
    assert token.rests == sorted(token.rests)
    assert (token.rests[0], token.rests[-1]) == (FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
    assert len(token.rests) == len(heard.said) == 7
    assert heard.said[0] == "Suspended: the counterpart is gone. It goes on in 2 seconds"


def test_a_result_that_is_here_is_not_held_back_for_a_cosignature(pair, monkeypatch):
    party, heard, token = pair["advertiser"], Heard(), Slept(most=100)
    request = asked(party)
    opening = begin(party, request)
    record = record_of(party, request)
    record.charge(opening, party.now)
    record.agree(bytes(32))
    record.finish(bytes(32), {"role": "receiver"}, party.now)
    monkeypatch.setattr(Carrier, "_go_on", breaking_off(100))
    done = Carrier(party, heard, wait=True, cancel=token).go_on(Desk(party).find(request.id))
    assert done.state == "finished"
    assert max(token.rests) < LONGEST_PAUSE_SECONDS
    assert heard.said[-1] == (
        "The result is here, and the logs are not cosigned: the counterpart is gone"
    )


def test_a_command_that_does_not_wait_says_at_once_which_request_is_suspended(pair, monkeypatch):
    party = pair["advertiser"]
    filed = Desk(party).find(asked(party).id)
    monkeypatch.setattr(Carrier, "_go_on", breaking_off(1))
    with pytest.raises(SessionSuspended) as stopped:
        Carrier(party, Heard()).go_on(filed)
    assert stopped.value.request == filed.id


def test_whoever_cancels_a_command_at_rest_hears_which_request_is_suspended(pair, monkeypatch):
    party = pair["advertiser"]
    filed = Desk(party).find(asked(party).id)
    monkeypatch.setattr(Carrier, "_go_on", breaking_off(100))
    with pytest.raises(Cancelled) as stopped:
        Carrier(party, Heard(), wait=True, cancel=Slept(most=3)).go_on(filed)
    assert stopped.value.request == filed.id


# -- a disk without room, a worker that ends -------------------------------------------------------


def failing(error):
    def run(session):
        raise error

    return run


def test_a_worker_that_ends_suspends_its_session_and_other_sessions_keep_theirs(pair, monkeypatch):
    party = pair["advertiser"]
    held = party.executor, party.curve_executor
    monkeypatch.setattr(Session, "run", failing(BrokenExecutor("a worker process ended")))
    with pytest.raises(SessionSuspended, match="a worker process of this party ended"):
        Desk(party).run(asked(party), {})
    assert [workers.submit(abs, -1).result() for workers in held] == [1, 1]


def test_a_full_disk_stops_a_session_with_a_sentence_and_ends_nothing(pair, monkeypatch):
    party = pair["advertiser"]
    request = asked(party)
    monkeypatch.setattr(Session, "run", failing(NO_ROOM))
    with pytest.raises(StoreError, match=r"no room is left on the disk .* the session is kept"):
        Desk(party).run(request, {})
    assert Desk(party).find(request.id).state == "approved"


def test_another_fault_of_the_system_is_no_full_disk(pair, monkeypatch):
    party = pair["advertiser"]
    monkeypatch.setattr(Session, "run", failing(OSError(errno.EBADF, "bad file descriptor")))
    with pytest.raises(OSError, match="bad file descriptor"):
        Desk(party).run(asked(party), {})


def test_lineage_that_finds_no_room_does_not_undo_what_has_ended(pair, monkeypatch):
    party = pair["advertiser"]
    request = asked(party)
    monkeypatch.setattr(Session, "run", lambda session: None)
    monkeypatch.setattr("party.lineage.delivery._file_events", failing(StoreError("full")))
    Desk(party).run(request, {})


def test_an_approval_stands_where_neither_side_can_be_dialled(tmp_path):
    parties, contract = make_pair(tmp_path, approval="manual")
    party, request = parties["advertiser"], file_match(parties, contract)
    with pytest.raises(ContractError, match=r"is approved, and cannot begin: .* neither side"):
        Carrier(party, Logged()).approve(request.id, actor="operator")
    assert Desk(party).find(request.id).state == "approved"
    for one in parties.values():
        one.close()
