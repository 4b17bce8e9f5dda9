"""A session between two whole parties: results, charges, logs, and every interruption."""

import csv
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
from organisations import Killed, Wire, copy_pair, make_pair, people, run_both, write_dataset

from audit.checkpoint import Checkpoint
from audit.errors import VerificationError
from party.contract_terms import OutputKind
from party.datasets import inspect, load_definition
from party.desk import Desk
from party.errors import DatasetError, Refusal, RefusalStatus, ResultError, SessionSuspended
from party.evidence import StoredLog, compare_logs, verify_log
from party.ledger import rows
from party.messages import CheckpointOffer
from party.request import Request
from party.schema import LEDGER, RELEASES, RESULTS
from party.terms import Terms
from party.wire.exchanges import kind_of
from party.workers import start_workers


@pytest.fixture
def pair(ready, tmp_path, stores):
    parties, contract = copy_pair(ready, tmp_path, stores)
    yield parties, contract
    for party in parties.values():
        party.close()


def ask(parties, request, requester="advertiser"):
    """File a request at both sides, as a dialling party does."""
    other = next(name for name in parties if name != requester)
    contract = parties[requester].contract(None)
    signed = Desk(parties[requester]).make(request, contract, actor="test")
    assert Desk(parties[other]).submit(requester, signed).state == "approved"
    return signed


def reach(contract, **options):
    return Request.crosstab(
        contract,
        OutputKind.REACH,
        requester="advertiser",
        tabulator="channel",
        recipient="advertiser",
        labels={"channel": "frequency", "advertiser": "segment"},
        now=int(time.time()),
        **options,
    )


def match(contract, requester="advertiser", receiver="channel", sender="advertiser"):
    return Request.match(
        contract, requester=requester, receiver=receiver, sender=sender, now=int(time.time())
    )


def calls_of(request, party):
    """Name the calls of one party's link in a whole session, in order."""
    terms = Terms.of(request)
    role = terms.role_of(party)
    steps = [
        f"{'send' if step.sender == role else 'receive'} {index}"
        for index, step in enumerate(terms.table.steps)
    ]
    ending = ["Closing", "Finish", "CheckpointOffer", "Cosignature", "conclude"]
    return ["Hello", "Commitment", "Nonce", *steps, *ending]


def logs(parties):
    return [StoredLog(party.store, party.identity) for party in parties.values()]


def ledgers(parties):
    return {name: party.store.write(rows) for name, party in parties.items()}


def kinds(party):
    return [entry.kind for entry in StoredLog(party.store, party.identity).parsed()]


def test_a_match_gives_the_receiver_its_own_people_and_nothing_to_the_sender(pair):
    parties, contract = pair
    request = ask(parties, match(contract))
    assert run_both(parties, request, Wire()) == {"advertiser": None, "channel": None}
    result = Desk(parties["channel"]).result(request.id)
    table = pq.read_table(result["list_file"]).to_pydict()
    assert sorted(table["reference"]) == sorted(f"ref{i}" for i in range(20, 60))
    by = dict(zip(table["reference"], table["matched_by"], strict=True))
    assert by["ref20"] == "phone+email"
    assert by["ref27"] == "email"
    sent = Desk(parties["advertiser"]).result(request.id)
    assert set(sent) == {"role", "steps", "snapshot", "profile", "transcript"}
    assert sent["snapshot"] == parties["advertiser"].dataset("customers").snapshot


@pytest.mark.parametrize(
    ("requester", "receiver"),
    [("advertiser", "channel"), ("channel", "channel"), ("channel", "advertiser")],
)
def test_either_side_may_ask_for_a_match_in_either_role(pair, requester, receiver):
    parties, contract = pair
    sender = "advertiser" if receiver == "channel" else "channel"
    request = ask(parties, match(contract, requester, receiver, sender), requester)
    assert run_both(parties, request, Wire()) == {"advertiser": None, "channel": None}
    assert Desk(parties[receiver]).result(request.id)["people"] == 40


def test_a_table_minus_what_the_recipient_drew_is_near_the_truth(pair):
    parties, contract = pair
    request = ask(parties, reach(contract))
    assert run_both(parties, request, Wire()) == {"advertiser": None, "channel": None}
    result = Desk(parties["advertiser"]).result(request.id)
    total = sum(map(sum, result["table"]["counts"])) - sum(map(sum, result["drawn"]))
    assert abs(total - 40) < 60  # six cells of scale 2: their sum stays within 60 but for 1e-9
    assert result["audience"] == {"gold": 30, "silver": 30}


def test_both_logs_verify_agree_and_are_cosigned(pair):
    parties, contract = pair
    for request in (reach(contract), match(contract)):
        run_both(parties, ask(parties, request), Wire())
    comparison = compare_logs(*logs(parties))
    assert len(comparison.shared) == 2
    assert comparison.ours.cosignatures == comparison.theirs.cosignatures == 2
    assert "report.released" in kinds(parties["channel"])
    assert "list.disclosed" in kinds(parties["advertiser"])
    assert "report.released" not in kinds(parties["advertiser"])


def test_a_finished_session_is_cosigned_however_old_its_consent_has_become(pair):
    parties, contract = pair
    request, wire = ask(parties, match(contract)), Wire()
    run_both(parties, request, wire, channel={"dies_at": "CheckpointOffer"})
    later = time.time() + 30 * 3600
    for party in parties.values():
        party.clock = lambda: later
    assert run_both(parties, request, wire) == {"advertiser": None, "channel": None}
    comparison = compare_logs(*logs(parties))
    assert comparison.ours.cosignatures == comparison.theirs.cosignatures == 1


def test_a_second_log_of_one_size_that_a_session_shows_is_kept_as_evidence_once(pair):
    parties, contract = pair
    run_both(parties, ask(parties, match(contract)), Wire())
    advertiser, channel = parties["advertiser"], parties["channel"]
    seen = channel.journal.seen_size(advertiser.identity.log_origin)
    forked = Checkpoint(advertiser.identity.log_origin, seen, bytes(32))
    note = forked.sign(advertiser.identity.signer)

    def lie(kind, data):
        said = CheckpointOffer("advertiser", note, ())
        return kind_of(said).to_bytes(said) if kind == "CheckpointOffer" else data

    for _ in range(2):
        request = ask(parties, match(contract))
        ended = run_both(parties, request, Wire(), advertiser={"tamper": lie})
        assert isinstance(ended["channel"], Refusal)
        assert Desk(channel).find(request.id).state == "finished", "the result stands"
    (kept,) = (channel.folder / "forks").glob("*.note")
    assert kept.read_text() == note
    assert kinds(channel).count("incident.log_forked") == 2
    assert "incident.bad_message" not in kinds(channel)
    verify_log(StoredLog(channel.store, channel.identity))


def test_every_party_is_charged_what_the_terms_say_before_it_says_anything(pair):
    parties, contract = pair
    request = ask(parties, reach(contract))
    dead = {"channel": {"dies_at": "Commitment"}, "advertiser": {"dies_at": "Commitment"}}
    run_both(parties, request, Wire(), **dead)
    terms = Terms.of(request)
    for name, ledger in ledgers(parties).items():
        assert [row.spend for row in ledger] == [terms.spend_of(name)]
    before = kinds(parties["channel"])
    assert before.index("budget.spent") < before.index("session.started")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("who", ["advertiser", "channel"])
@pytest.mark.parametrize("build", [reach, match])
def test_a_session_goes_on_after_a_stop_at_every_call(ready, tmp_path, stores, build, who, after):
    """Stop one party at each call of its link in turn: same bytes, one charge, one end."""
    parties, contract = copy_pair(ready, tmp_path, stores)
    request = ask(parties, build(contract))
    wire, kept, spent = Wire(), {name: {} for name in parties}, {}
    for call in calls_of(request, who):
        ended = run_both(parties, request, wire, **{who: {"dies_at": call, "after": after}})
        assert isinstance(ended[who], Killed), (call, ended)
        for name in parties:
            now = digests(parties, name, request)
            assert {step: now[step] for step in kept[name]} == kept[name]
            kept[name] = now
            assert not spent.get(name) or ledgers(parties)[name] == spent[name]
        spent = ledgers(parties)
    assert run_both(parties, request, wire) == {"advertiser": None, "channel": None}
    for name, party in parties.items():
        assert len(digests(parties, name, request)) == len(Terms.of(request).table.steps)
        assert [row.what for row in ledgers(parties)[name]].count("session") == 1
        assert kinds(party).count("session.finished") == 1
    assert len(compare_logs(*logs(parties)).shared) == 1
    if build is match:
        assert Desk(parties["channel"]).result(request.id)["people"] == 40
    for party in parties.values():
        party.close()


def digests(parties, name, request):
    folder = Desk(parties[name]).folder(request.id)
    steps = range(len(Terms.of(request).table.steps))
    return {step: folder.digest(step) for step in steps if folder.digest(step) is not None}


def test_the_noise_of_a_release_is_drawn_once_however_often_it_is_resumed(pair):
    """A redraw would let a recipient average the noise away."""
    parties, contract = pair
    request = ask(parties, reach(contract))
    wire, seen = Wire(), set()
    for call, after in (("send 4", False), ("send 4", False), ("send 4", True)):
        run_both(parties, request, wire, channel={"dies_at": call, "after": after})
        artefact = wire.artefacts.get(4)
        if artefact is not None:
            seen.add(artefact.cells)
    assert run_both(parties, request, wire) == {"advertiser": None, "channel": None}
    seen.add(wire.artefacts[4].cells)
    assert len(seen) == 1
    assert kinds(parties["channel"]).count("report.released") == 1


def test_a_match_below_its_minimum_ends_for_both_and_three_are_all(tmp_path, stores):
    parties, contract = make_pair(tmp_path, stores, min_match=500)
    for _ in range(3):
        request = ask(parties, match(contract))
        ended = run_both(parties, request, Wire())
        assert {e.status for e in ended.values()} == {RefusalStatus.BELOW_MINIMUM}
        assert Desk(parties["channel"]).result(request.id) is None
    request = ask(parties, match(contract))
    ended = run_both(parties, request, Wire())
    assert ended["advertiser"].status is RefusalStatus.BUDGET_EXHAUSTED
    for party in parties.values():
        verify_log(StoredLog(party.store, party.identity))
        assert kinds(party).count("session.failed") >= 3
    assert kinds(parties["advertiser"]).count("list.disclosed") == 0


def test_a_budget_that_does_not_suffice_refuses_and_spends_nothing(tmp_path, stores):
    parties, contract = make_pair(tmp_path, stores, epsilon="1.5")
    signed = reach(contract).sign(parties["advertiser"].identity)
    with pytest.raises(Refusal) as caught:
        Desk(parties["channel"]).submit("advertiser", signed)
    assert caught.value.status is RefusalStatus.BUDGET_EXHAUSTED
    assert ledgers(parties) == {"advertiser": [], "channel": []}


def test_people_without_consent_take_no_part(tmp_path, stores):
    parties, contract = make_pair(tmp_path, stores)
    refused = people(20, 90, ["1", "2", "3"], consent=lambda i: "no" if i < 24 else "yes")
    write_dataset(tmp_path / "data" / "channel", "receipts", refused, label="frequency")
    request = ask(parties, match(contract))
    run_both(parties, request, Wire())
    assert Desk(parties["channel"]).result(request.id)["people"] == 36


@pytest.mark.parametrize("change", ["input", "consent"])
def test_a_session_whose_input_changed_ends_before_another_byte(tmp_path, stores, change):
    parties, contract = make_pair(tmp_path, stores)
    request = ask(parties, match(contract))
    wire = Wire()
    run_both(parties, request, wire, channel={"dies_at": "send 0"})
    said = dict(wire.said)
    path = tmp_path / "data" / "channel" / "receipts.csv"
    with path.open(encoding="utf-8") as file:
        table = list(csv.reader(file))
    if change == "input":
        table[5][1] = "somebody.else@example.com"
    else:
        table[5][4] = "no"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(table)
    ended = run_both(parties, request, wire)
    assert isinstance(ended["channel"], Refusal)
    assert wire.said == said, "nothing more may be said"
    assert Desk(parties["channel"]).result(request.id) is None
    for name, party in parties.items():
        assert kinds(party).count("session.failed") == 1
        assert not any(kind.startswith("incident.") for kind in kinds(party)), name


def test_events_that_come_true_while_a_session_waits_do_not_change_its_input(tmp_path):
    parties, contract = make_pair(tmp_path)
    channel, folder = parties["channel"], tmp_path / "data" / "channel"
    with (folder / "receipts.csv").open(encoding="utf-8") as file:
        table = list(csv.reader(file))
    soon = datetime.fromtimestamp(time.time() + 1800, UTC).isoformat()
    with (folder / "receipts.csv").open("w", newline="", encoding="utf-8") as file:
        times = ["seen", soon, *["2020-01-01"] * (len(table) - 2)]
        csv.writer(file).writerows([*row, at] for row, at in zip(table, times, strict=True))
    text = (folder / "receipts.yaml").read_text()
    rules = "invalid_traffic: {time: seen, rules: [{name: flight, from: '2019-01-01'}]}\n"
    (folder / "receipts.yaml").write_text(text + rules)
    definition = load_definition(folder / "receipts.yaml")
    channel.keep_dataset(definition, inspect(definition), None)
    request, wire = ask(parties, reach(contract)), Wire()
    run_both(parties, request, wire, channel={"dies_at": "send 0"})
    channel.clock = lambda: time.time() + 3600
    assert run_both(parties, request, wire) == {"advertiser": None, "channel": None}


@pytest.mark.parametrize("fault", ["missing", "half digests", "nobody consents"])
def test_own_data_that_do_not_serve_end_nothing_and_blame_nobody(tmp_path, fault):
    parties, contract = make_pair(tmp_path)
    request = ask(parties, match(contract))
    path = tmp_path / "data" / "channel" / "receipts.csv"
    good, log = path.read_text(), {name: kinds(party) for name, party in parties.items()}
    if fault == "missing":
        path.unlink()
    elif fault == "nobody consents":
        path.write_text(good.replace("yes", "no"))
    else:
        path.write_text(good.replace(" Person30@Example.com ", "5e" * 32))
    ended = run_both(parties, request, Wire())
    assert isinstance(ended["channel"], DatasetError)
    assert isinstance(ended["advertiser"], SessionSuspended), "it is told no reason"
    assert kinds(parties["channel"]) == log["channel"]
    assert kinds(parties["advertiser"]) == [*log["advertiser"], "consent.snapshot"]
    assert ledgers(parties) == {"advertiser": [], "channel": []}
    path.write_text(good)
    assert run_both(parties, request, Wire()) == {"advertiser": None, "channel": None}


def test_another_reading_of_identifiers_is_refused_before_anything_is_spent(pair, monkeypatch):
    parties, contract = pair
    request = ask(parties, match(contract))
    wire = Wire()
    from organisations import WireLink

    honest = WireLink.exchange

    def other_profile(self, message):
        heard = honest(self, message)
        if type(message).__name__ == "Hello" and self.me == "advertiser":
            return replace(heard, profile=replace(heard.profile, unicode="1.0.0"))
        return heard

    monkeypatch.setattr(WireLink, "exchange", other_profile)
    ended = run_both(parties, request, wire)
    assert ended["advertiser"].status is RefusalStatus.PROFILE_MISMATCH
    assert "1.0.0" in ended["advertiser"].message
    assert ledgers(parties)["advertiser"] == []
    verify_log(StoredLog(parties["advertiser"].store, parties["advertiser"].identity))


def test_a_party_that_ends_with_another_transcript_is_an_incident(pair, monkeypatch):
    parties, contract = pair
    request = ask(parties, match(contract))
    from organisations import WireLink

    honest = WireLink.exchange

    def other_transcript(self, message):
        heard = honest(self, message)
        if type(message).__name__ == "Finish" and self.me == "channel":
            return replace(heard, transcript=bytes(32))
        return heard

    monkeypatch.setattr(WireLink, "exchange", other_transcript)
    ended = run_both(parties, request, Wire())
    assert ended["channel"].status is RefusalStatus.TRANSCRIPT_MISMATCH
    assert "incident.transcript" in kinds(parties["channel"])
    assert "incident.transcript" not in kinds(parties["advertiser"]), "it noticed nothing"


def test_a_silent_counterpart_suspends_the_session_and_keeps_it(pair):
    parties, contract = pair
    request = ask(parties, match(contract))
    wire = Wire()
    ended = run_both(parties, request, wire, channel={"dies_at": "send 2"})
    assert isinstance(ended["advertiser"], SessionSuspended)
    assert run_both(parties, request, wire) == {"advertiser": None, "channel": None}


def test_one_flipped_byte_in_a_stored_result_is_noticed(pair):
    parties, contract = pair
    request = ask(parties, reach(contract))
    run_both(parties, request, Wire())
    party = parties["advertiser"]
    body = party.store.row(RESULTS.select()).body
    flipped = body.replace('"gold": 30', '"gold": 31')
    assert flipped != body
    party.store.write(lambda c: c.execute(RESULTS.update().values(body=flipped)))
    with pytest.raises(ResultError, match="changed after it was made"):
        Desk(party).result(request.id)


def test_a_request_is_its_requesters_alone(pair):
    """Another counterpart that learns its id is told nothing of it."""
    parties, contract = pair
    request = ask(parties, match(contract))
    with pytest.raises(Refusal) as caught:
        Desk(parties["channel"]).submit("somebody-else", request)
    assert caught.value.status is RefusalStatus.BAD_REQUEST


def test_a_request_submitted_twice_at_once_is_one(pair):
    parties, contract = pair
    request = Desk(parties["advertiser"]).make(match(contract), contract, actor="test")
    with ThreadPoolExecutor(4) as threads:
        submit = Desk(parties["channel"]).submit
        answers = [threads.submit(submit, "advertiser", request) for _ in range(4)]
        assert {answer.result().state for answer in answers} == {"approved"}
    assert kinds(parties["channel"]).count("request.approved") == 1


def test_requests_of_one_second_are_listed_newest_first(pair):
    parties, contract = pair
    now = time.time()
    for party in parties.values():
        party.clock = lambda: now
    made = [ask(parties, reach(contract)).id for _ in range(6)]
    for party in parties.values():
        assert [filed.id for filed in Desk(party).filed()] == made[::-1]


def test_logs_that_grow_between_a_session_and_its_cosignatures_still_verify(pair):
    """Another session with the same counterpart finishes while this one waits to cosign."""
    parties, contract = pair
    first, second = ask(parties, match(contract)), ask(parties, reach(contract))
    wire = Wire()
    run_both(parties, first, wire, channel={"dies_at": "CheckpointOffer", "after": True})
    assert run_both(parties, second, Wire()) == {"advertiser": None, "channel": None}
    assert run_both(parties, first, wire) == {"advertiser": None, "channel": None}
    assert len(compare_logs(*logs(parties)).shared) == 2


def test_a_session_under_an_expired_contract_ends_for_both_with_that_reason(pair):
    parties, contract = pair
    request = ask(parties, match(contract))
    parties["channel"].clock = lambda: contract.ends + 1.0
    ended = run_both(parties, request, Wire())
    assert {error.status for error in ended.values()} == {RefusalStatus.EXPIRED}
    assert "session.failed" in kinds(parties["advertiser"])


def test_a_peer_is_not_told_what_is_wrong_with_our_own_files(tmp_path, stores):
    parties, contract = make_pair(tmp_path, stores)
    request = ask(parties, match(contract))
    (tmp_path / "data" / "channel" / "receipts.csv").unlink()
    ended = run_both(parties, request, Wire())
    assert "receipts" in str(ended["channel"])
    assert "receipts" not in str(ended["advertiser"])


def test_the_consent_that_was_shown_is_bound_to_the_session(pair, monkeypatch):
    """Two parties that saw different snapshots reach different session ids, and so no result."""
    parties, contract = pair
    request = ask(parties, match(contract))
    from organisations import WireLink

    honest = WireLink.exchange

    def other_consent(self, message):
        heard = honest(self, message)
        if type(message).__name__ == "Hello" and self.me == "channel":
            return replace(heard, consent=replace(heard.consent, root=bytes(32)))
        return heard

    monkeypatch.setattr(WireLink, "exchange", other_consent)
    ended = run_both(parties, request, Wire())
    assert all(isinstance(error, Refusal) for error in ended.values())
    assert Desk(parties["channel"]).result(request.id) is None


def test_a_ledger_that_was_changed_is_found_by_verifying_the_log(pair):
    parties, contract = pair
    run_both(parties, ask(parties, match(contract)), Wire())
    party = parties["advertiser"]
    log = StoredLog(party.store, party.identity)
    verify_log(log)
    party.store.write(lambda c: c.execute(LEDGER.update().values(epsilon_nano=1)))
    with pytest.raises(VerificationError, match="ledger was changed"):
        verify_log(log)


def test_a_released_table_that_was_changed_is_found_by_verifying_the_log(pair):
    parties, contract = pair
    run_both(parties, ask(parties, reach(contract)), Wire())
    party = parties["channel"]
    log = StoredLog(party.store, party.identity)
    stored = party.store.row(RELEASES.select()).artefact
    party.store.write(
        lambda c: c.execute(RELEASES.update().values(artefact=stored.replace("1", "2", 1)))
    )
    with pytest.raises(VerificationError, match="not the one that was released"):
        verify_log(log)


def test_a_party_whose_worker_ended_keeps_the_session_and_starts_a_new_one(pair, monkeypatch):
    monkeypatch.setenv("COMMONGROUND_KERNEL", "none")  # processes do the work of the curve
    parties, contract = pair
    request = ask(parties, match(contract))
    wire = Wire()
    channel = parties["channel"]
    channel._processes = start_workers(1)
    os.kill(channel.executor.submit(os.getpid).result(), signal.SIGKILL)
    assert isinstance(run_both(parties, request, wire)["channel"], SessionSuspended)
    assert run_both(parties, request, wire) == {"advertiser": None, "channel": None}
