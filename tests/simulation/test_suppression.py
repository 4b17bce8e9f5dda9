"""Suppression runs between two whole parties: what comes off a list, and what is refused."""

import csv
import time
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from organisations import Wire, copy_pair, make_pair, people, run_both, write_dataset

from audit.errors import VerificationError
from party.desk import Desk
from party.errors import DatasetError, Refusal, RefusalStatus, ResultError
from party.evidence import StoredLog, compare_logs, verify_log
from party.request import Request
from party.request_parameters import Parameters
from party.retention import prune
from party.schema import SUPPRESSION_RUNS
from party.suppression.book import Book
from party.suppression.desk import SuppressionDesk
from party.suppression.list_file import HOLDERS_FILE
from party.suppression.list_session import ListSession
from party.suppression.run import Acknowledgement, SuppressionRun

DAY = 86_400
RUNS = 2
SENDER, RECEIVER = "advertiser", "channel"


def disclose(parties, contract, runs=RUNS):
    """Let the channel have a list of the advertiser's people."""
    request = Request.match(
        contract,
        requester=SENDER,
        receiver=RECEIVER,
        sender=SENDER,
        now=int(time.time()),
        parameters=Parameters(suppression_runs=runs),
    )
    signed = Desk(parties[SENDER]).make(request, contract, actor="test")
    Desk(parties[RECEIVER]).submit(SENDER, signed)
    assert run_both(parties, signed, Wire()) == {SENDER: None, RECEIVER: None}
    return signed


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """A list of 40 people that is out, on disk: the tests work on copies."""
    folder = tmp_path_factory.mktemp("suppression")
    parties, contract = make_pair(folder)
    request = disclose(parties, contract)
    for party in parties.values():
        party.close()
    return folder, request


class Listed:
    """Copies of two parties between which a list is out."""

    def __init__(self, ready, folder):
        kept, self.request = ready
        self.parties, self.contract = copy_pair(kept, folder)
        self.data = kept / "data"
        self.rows = people(0, 60, ["gold", "silver"])

    @property
    def filed(self):
        return {name: Desk(party).find(self.request.id) for name, party in self.parties.items()}

    def sender(self):
        return SuppressionDesk(self.parties[SENDER]).sender(self.filed[SENDER])

    def receiver(self):
        return SuppressionDesk(self.parties[RECEIVER]).receiver(self.filed[RECEIVER])

    def session(self, name):
        return ListSession.open(self.parties[name], self.filed[name])

    def withdraw(self, *numbers):
        """Let people of the advertiser withdraw; whoever is named stays withdrawn."""
        rows = [
            (*row[:4], "no" if int(row[0].removeprefix("ref")) in numbers else "yes")
            for row in self.rows
        ]
        write_dataset(self.data / SENDER, "customers", rows, label="segment")

    def run(self, **options):
        """Make the next run and apply it; return how many runs there were."""
        sender, done = self.sender(), 0
        run = sender.next_run(**options)
        while run is not None:
            sender.take(self.receiver().apply(run))
            done, run = done + 1, sender.next_run()
        return done

    def listed(self):
        stored = Desk(self.parties[RECEIVER]).result(self.request.id)
        name = stored["list_file"].rpartition("/")[2]
        table = pq.read_table(self.parties[RECEIVER].folder / "lists" / name)
        return dict(
            zip(table["reference"].to_pylist(), table["matched_by"].to_pylist(), strict=True)
        )

    def kinds(self, name):
        party = self.parties[name]
        return [entry.kind for entry in StoredLog(party.store, party.identity).parsed()]

    def verify(self):
        return compare_logs(*(StoredLog(p.store, p.identity) for p in self.parties.values()))

    def at(self, days):
        for party in self.parties.values():
            party.clock = lambda: time.time() + days * DAY


@pytest.fixture
def out(ready, tmp_path):
    listed = Listed(ready, tmp_path)
    yield listed
    listed.withdraw()
    for party in listed.parties.values():
        party.close()


def test_people_who_withdraw_come_off_the_list_and_nobody_else_does(out):
    before = out.listed()
    out.withdraw(20, 21, 5)  # the last is not on the list
    assert out.run() == 1
    after = out.listed()
    assert before.keys() - after.keys() == {"ref20", "ref21"}
    assert all(after[name] == before[name] for name in after)
    assert Desk(out.parties[RECEIVER]).result(out.request.id)["people"] == 38


def test_a_run_after_another_takes_off_what_came_meanwhile(out):
    out.withdraw(20)
    out.run()
    out.withdraw(20, 30)
    assert out.run() == 1
    assert {f"ref{i}" for i in range(20, 60)} - out.listed().keys() == {"ref20", "ref30"}
    assert out.sender().runs_left == 0


def test_nobody_who_withdrew_means_no_run_unless_cover_is_wanted(out):
    before = out.listed()
    assert out.run() == 0
    assert out.run(cover=True) == 1
    assert out.listed() == before


def test_a_person_who_was_erased_from_the_data_counts_as_withdrawn(out):
    rows = [row for row in out.rows if row[0] != "ref25"]
    write_dataset(out.data / SENDER, "customers", rows, label="segment")
    out.run()
    assert "ref25" not in out.listed()


def test_both_logs_say_that_a_run_was_and_not_how_many(out):
    out.withdraw(20, 21)
    out.run()
    for name in out.parties:
        party = out.parties[name]
        entries = list(StoredLog(party.store, party.identity).parsed())
        (entry,) = [one for one in entries if one.kind == "list.suppressed"]
        assert set(entry.body.to_json()) == {"request", "recipient", "run", "digest"}
    assert len(out.verify().shared) == 1


def test_the_sender_keeps_a_signed_acknowledgement(out):
    out.withdraw(20)
    out.run()
    book = Book(out.parties[SENDER], out.session(SENDER))
    (entered,) = book.runs()
    word = Acknowledgement(entered.number, entered.digest, entered.signature)
    word.require(1, entered.digest, out.contract.parties[RECEIVER].verifier)


# -- interruptions -------------------------------------------------------------------------------


def test_a_run_stays_the_same_until_it_is_acknowledged(out):
    out.withdraw(20)
    first = out.sender().next_run()
    out.withdraw(20, 21, 22)
    again = out.sender().next_run()
    assert (again.number, again.points) == (first.number, first.points)
    assert out.run() == 2, "who withdrew meanwhile is in the next one"
    assert {"ref20", "ref21", "ref22"}.isdisjoint(out.listed())


def test_a_run_that_comes_again_has_the_same_word_and_changes_nothing(out):
    out.withdraw(20)
    run = out.sender().next_run()
    word = out.receiver().apply(run)
    listed, log = out.listed(), out.kinds(RECEIVER)
    assert out.receiver().apply(run) == word
    assert (out.listed(), out.kinds(RECEIVER)) == (listed, log)
    out.sender().take(word)
    out.sender().take(word)
    assert out.kinds(SENDER).count("list.suppressed") == 1


class StoppedError(Exception):
    """The process ended here."""


STOPS = [
    ("party.suppression.list_file.ListFile.write", "before the new list"),
    ("party.suppression.book.Book.finish", "before the store says so"),
    ("party.suppression.list_file.ListFile.delete_older", "before the old list is deleted"),
]


@pytest.mark.parametrize(("where", "when"), STOPS, ids=[when for _, when in STOPS])
def test_a_receiver_killed_at_any_point_goes_on_with_the_same_run(out, monkeypatch, where, when):
    del when
    out.withdraw(20)
    run = out.sender().next_run()

    def die(*_, **__):
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(where, die)
        with pytest.raises(StoppedError):
            out.receiver().apply(run)
    assert len(out.listed()) in (39, 40), "the list that the result names is whole"
    out.sender().take(out.receiver().apply(run))
    assert "ref20" not in out.listed()
    folder = out.parties[RECEIVER].folder / "lists"
    assert sorted(path.suffix for path in folder.iterdir()) == [".parquet", ".tags"]
    out.verify()


def test_the_list_before_a_run_is_deleted_although_nobody_asks_again(out, monkeypatch):
    out.withdraw(20)
    run = out.sender().next_run()
    with monkeypatch.context() as patch:
        patch.setattr("party.suppression.list_file.ListFile.delete_older", lambda *_: None)
        out.receiver().apply(run)
    lists = out.parties[RECEIVER].folder / "lists"
    assert len(list(lists.iterdir())) == 4
    prune(out.parties[RECEIVER])
    assert len(list(lists.iterdir())) == 2
    assert "ref20" not in out.listed()


def test_a_sender_killed_before_it_hears_the_word_hears_it_again(out):
    out.withdraw(20)
    run = out.sender().next_run()
    out.receiver().apply(run)  # and the sender is gone
    assert out.kinds(SENDER).count("list.suppressed") == 0
    out.verify()
    assert out.run() == 1
    assert out.kinds(SENDER).count("list.suppressed") == 1


# -- lies ----------------------------------------------------------------------------------------


def altered(run, change):
    points = np.array(run.as_points)
    change(points)
    return SuppressionRun(run.number, points.tobytes())


def a_point_of_its_own(points):
    points[7] = np.arange(32, dtype=np.uint8)


def a_point_twice(points):
    points[7] = points[8]


@pytest.mark.parametrize("change", [a_point_of_its_own, a_point_twice])
def test_a_point_that_a_run_may_not_name_is_an_incident_and_takes_nobody_off(out, change):
    before = out.listed()
    out.withdraw(20)
    run = out.sender().next_run()
    with pytest.raises(Refusal) as refused:
        out.receiver().apply(altered(run, change))
    assert refused.value.status is RefusalStatus.INVALID_POINT
    assert out.listed() == before
    assert out.kinds(RECEIVER).count("incident.invalid_point") == 1
    out.receiver().apply(run)
    assert "ref20" not in out.listed()


def test_a_point_of_an_earlier_run_is_an_incident(out):
    first = out.sender().next_run(cover=True)
    out.sender().take(out.receiver().apply(first))
    second = out.sender().next_run(cover=True)

    def with_one_of_the_first(points):
        points[0] = first.as_points[0]

    with pytest.raises(Refusal) as refused:
        out.receiver().apply(altered(second, with_one_of_the_first))
    assert refused.value.status is RefusalStatus.INVALID_POINT
    assert "earlier run" in refused.value.message


@pytest.mark.parametrize("points", [1023, 1025])
def test_a_run_has_1024_points_and_no_other_number(out, points):
    run = out.sender().next_run(cover=True)
    other = (run.points + run.points[:32])[: points * 32]
    with pytest.raises(Refusal) as refused:
        out.receiver().apply(SuppressionRun(1, other))
    assert refused.value.status is RefusalStatus.LIMIT_EXCEEDED


def test_a_run_out_of_order_is_an_incident(out):
    run = out.sender().next_run(cover=True)
    with pytest.raises(Refusal) as refused:
        out.receiver().apply(replace(run, number=2))
    assert refused.value.status is RefusalStatus.BAD_REQUEST
    assert "incident.bad_message" in out.kinds(RECEIVER)


def test_other_points_under_a_number_that_is_applied_are_an_incident(out):
    first = out.sender().next_run(cover=True)
    out.sender().take(out.receiver().apply(first))
    second = out.sender().next_run(cover=True)
    with pytest.raises(Refusal) as refused:
        out.receiver().apply(replace(second, number=1))
    assert refused.value.status is RefusalStatus.BAD_REQUEST
    assert "incident.bad_message" in out.kinds(RECEIVER)


def test_a_lie_that_is_repeated_does_not_fill_the_log(out):
    run = altered(out.sender().next_run(cover=True), a_point_twice)
    for _ in range(3):
        with pytest.raises(Refusal):
            out.receiver().apply(run)
    assert out.kinds(RECEIVER).count("incident.invalid_point") == 1


def test_no_run_is_taken_after_the_last_one(out):
    for _ in range(RUNS):
        out.sender().take(out.receiver().apply(out.sender().next_run(cover=True)))
    with pytest.raises(Refusal) as refused:
        out.receiver().apply(SuppressionRun(RUNS + 1, bytes(32 * 1024)))
    assert refused.value.status is RefusalStatus.LIMIT_EXCEEDED
    out.withdraw(20)
    with pytest.raises(Refusal, match="Make the list again") as told:
        out.sender().next_run()
    assert told.value.status is RefusalStatus.LIMIT_EXCEEDED


@pytest.mark.parametrize("forge", ["another key", "another digest", "a run that never was"])
def test_a_word_that_is_not_the_receivers_on_this_run_is_refused(out, forge):
    run = out.sender().next_run(cover=True)
    word = out.receiver().apply(run)
    if forge == "another key":
        word = Acknowledgement.sign(1, word.digest, out.parties[SENDER].identity)
    elif forge == "another digest":
        word = Acknowledgement.sign(1, bytes(32), out.parties[RECEIVER].identity)
    else:
        word = replace(word, number=2)
    with pytest.raises(Refusal) as refused:
        out.sender().take(word)
    assert refused.value.status is RefusalStatus.BAD_REQUEST
    assert "list.suppressed" not in out.kinds(SENDER)


def test_only_the_two_parties_of_the_list_in_their_roles_speak_of_it(out):
    contract = bytes.fromhex(out.contract.digest)
    run = out.sender().next_run(cover=True)
    receiver = SuppressionDesk(out.parties[RECEIVER])
    sender = SuppressionDesk(out.parties[SENDER])
    for what in (
        lambda: receiver.receive("vendor", out.request.id, contract, run),
        lambda: receiver.receive(SENDER, out.request.id, bytes(32), run),
        lambda: receiver.receive(SENDER, "0" * 32, contract, run),
        lambda: receiver.waiting(SENDER, out.request.id, contract),
        lambda: sender.receive(RECEIVER, out.request.id, contract, run),
    ):
        with pytest.raises(Refusal) as refused:
            what()
        assert refused.value.status in (RefusalStatus.BAD_REQUEST, RefusalStatus.NOT_GRANTED)
    assert receiver.receive(SENDER, out.request.id, contract, run).number == 1


def test_a_match_without_runs_says_so(tmp_path):
    parties, contract = make_pair(tmp_path)
    request = disclose(parties, contract, runs=0)
    with pytest.raises(Refusal, match="no suppression runs"):
        SuppressionDesk(parties[SENDER]).sender(Desk(parties[SENDER]).find(request.id))
    folder = parties[SENDER].session_folder(request.id)
    assert not folder.has(HOLDERS_FILE)
    assert list((parties[RECEIVER].folder / "lists").glob("*.tags")) == []
    for party in parties.values():
        party.close()


# -- files that are not what they were -------------------------------------------------------------


def test_a_list_that_was_changed_is_not_written_over(out):
    stored = Desk(out.parties[RECEIVER]).result(out.request.id)
    name = stored["list_file"].rpartition("/")[2]
    path = out.parties[RECEIVER].folder / "lists" / name
    data = bytearray(path.read_bytes())
    data[9] ^= 1
    path.write_bytes(data)
    with pytest.raises(ResultError, match="changed"):
        out.receiver().apply(out.sender().next_run(cover=True))
    assert "list.suppressed" not in out.kinds(RECEIVER)


def test_data_that_cannot_be_read_take_nobody_off_and_use_no_run(out):
    path = out.data / SENDER / "customers.csv"
    good = path.read_text()
    path.unlink()
    with pytest.raises(DatasetError):
        out.sender().next_run()
    path.write_text(good)
    assert out.sender().runs_left == RUNS


def test_a_dataset_without_a_person_column_goes_by_its_identifiers(tmp_path):
    parties, _ = make_pair(tmp_path)
    folder = tmp_path / "data" / SENDER
    description = (folder / "customers.yaml").read_text().replace("person: ref\n", "")
    (folder / "customers.yaml").write_text(description.replace("  ref: reference\n", ""))
    from party.datasets import inspect, load_definition

    definition = load_definition(folder / "customers.yaml")
    parties[SENDER].keep_dataset(definition, inspect(definition), None)
    request = disclose(parties, parties[SENDER].contract(None))
    with (folder / "customers.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    del rows[22]  # ref21 is gone, and every row after it has another number
    with (folder / "customers.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    filed = {name: Desk(party).find(request.id) for name, party in parties.items()}
    run = SuppressionDesk(parties[SENDER]).sender(filed[SENDER]).next_run()
    SuppressionDesk(parties[RECEIVER]).receiver(filed[RECEIVER]).apply(run)
    table = pq.read_table(Desk(parties[RECEIVER]).result(request.id)["list_file"])
    expected = {f"ref{i}" for i in range(20, 60)} - {"ref21"}
    assert set(table["reference"].to_pylist()) == expected
    for party in parties.values():
        party.close()


def test_whoever_a_run_does_not_take_whole_waits_for_the_next_one(out, monkeypatch):
    """Somebody who is half off a list would still be on it."""
    before = out.listed()
    out.withdraw(20, 22, 23, 25, 26)  # two identifiers each
    monkeypatch.setattr("party.suppression.sender.RUN_POINTS", 3)
    sender = out.sender()
    sender.take(out.receiver().apply(sender.next_run()))
    after = out.listed()
    assert len(before) - len(after) == 1
    assert all(after[name] == before[name] for name in after)


# -- the end of a list -----------------------------------------------------------------------------


def test_a_run_after_the_lists_end_is_refused_and_is_no_incident(out):
    run = out.sender().next_run(cover=True)
    receiver = out.receiver()
    out.at(31)
    for late in (out.sender, out.receiver):
        with pytest.raises(Refusal) as refused:
            late()
        assert refused.value.status is RefusalStatus.EXPIRED
    del receiver, run
    assert not any(kind.startswith("incident.") for kind in out.kinds(RECEIVER))


def test_a_withdrawal_reaches_a_list_that_outlives_its_contract(tmp_path):
    parties, contract = make_pair(tmp_path, ends=int(time.time()) + 5 * DAY)
    request = disclose(parties, contract)
    rows = people(0, 60, ["gold", "silver"], consent=lambda i: "no" if i == 30 else "yes")
    write_dataset(tmp_path / "data" / SENDER, "customers", rows, label="segment")
    desks = {name: SuppressionDesk(party) for name, party in parties.items()}
    filed = {name: Desk(party).find(request.id) for name, party in parties.items()}
    assert all(desk.ended_contracts() == [] for desk in desks.values()), "it is in force"
    for party in parties.values():
        party.clock = lambda: time.time() + 6 * DAY
    assert all(desk.ended_contracts() == [contract] for desk in desks.values())
    sender = desks[SENDER].sender(filed[SENDER])
    sender.take(desks[RECEIVER].receiver(filed[RECEIVER]).apply(sender.next_run()))
    assert Desk(parties[RECEIVER]).result(request.id)["people"] == 39
    compare_logs(*(StoredLog(p.store, p.identity) for p in parties.values()))
    for party in parties.values():
        party.clock = lambda: time.time() + 31 * DAY
    assert all(desk.ended_contracts() == [] for desk in desks.values()), "so has the list"
    for party in parties.values():
        party.close()


def test_nothing_that_the_runs_need_is_left_after_the_lists_end(out):
    out.withdraw(20)
    out.run()
    out.at(31)
    for party in out.parties.values():
        assert len(prune(party)) == 1
        assert prune(party) == []
        rows = party.store.rows(SUPPRESSION_RUNS.select())
        assert [row.points for row in rows] == [b""]
    assert list((out.parties[RECEIVER].folder / "lists").iterdir()) == []
    assert not out.parties[SENDER].session_folder(out.request.id).has(HOLDERS_FILE)
    assert out.kinds(SENDER).count("retention.pruned") == 1
    out.verify()


def test_a_run_that_the_log_does_not_tell_of_does_not_verify(out):
    """The rules of the log hold on entries that this program writes."""
    out.run(cover=True)
    party = out.parties[SENDER]
    entries = list(StoredLog(party.store, party.identity).parsed())
    body = next(one.body for one in entries if one.kind == "list.suppressed")
    party.store.write(
        lambda c: party.journal.append(
            c,
            "list.suppressed",
            body,
            actor="test",
            contract=out.contract.digest,
            session=out.session(SENDER).session_id.hex(),
        )
    )
    with pytest.raises(VerificationError, match="count from 1 without a gap"):
        verify_log(StoredLog(party.store, party.identity))
