"""People's rights between two whole parties: what is answered, and what an erasure reaches."""

import json
import re
import time

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from consent_notices import ADS
from interleaved import doing, meanwhile
from organisations import (
    Wire,
    copy_pair,
    make_pair,
    make_party,
    people,
    run_both,
    write_dataset,
)
from test_consent_records import LOYALTY, NOW, SALT, act, describe
from test_suppression import DAY, RECEIVER, SENDER, disclose

import client.registering
import client.subjects
from audit.commitment import verify_opening
from audit.errors import CommitmentError
from client.output import as_text
from client.registering import register_frame
from client.render_subject import answered_shown
from client.subjects import SubjectDesk
from languages import language
from party.datasets import inspect, load_definition
from party.datasets.definition import read_definition
from party.datasets.prepare import prepare
from party.desk import Desk
from party.errors import DatasetError, InUse, PartyError, RefusalStatus
from party.evidence import StoredLog, compare_logs, verify_log
from party.kept import kept
from party.lists import Lists
from party.request import Request
from party.retention import prune
from party.schema import ERASED, SALTS, SUBJECT_ENTRIES
from party.session_record import SessionRecord
from party.subjects.dossier import open_dossier, sessions_with
from party.subjects.erase import erase, note_access
from party.subjects.erasures import SUBJECT
from party.subjects.participants import PARTICIPANTS_FILE, Participants
from party.subjects.person import Wanted, find
from party.suppression.desk import SuppressionDesk
from party.suppression.list_file import ListFile

WHO = "ref25"
MAIL = "person25@example.com"


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """A list of 40 people that is out, on disk: the tests work on copies."""
    folder = tmp_path_factory.mktemp("subjects")
    parties, contract = make_pair(folder, beside="replay_days: 120\n")
    request = disclose(parties, contract)
    for party in parties.values():
        party.close()
    return folder, request


@pytest.fixture
def out(ready, tmp_path):
    kept, request = ready
    parties, contract = copy_pair(kept, tmp_path)
    yield parties, contract, request
    for party in parties.values():
        party.close()


def told(party, text=WHO, **how):
    return open_dossier(party, find(party, Wanted(text, **how)))


def erased(party, text=WHO, **how):
    return erase(party, find(party, Wanted(text, **how)), actor="test")


def entries(party, kind):
    log = StoredLog(party.store, party.identity).parsed()
    return [entry for entry in log if entry.kind == kind]


def listed(party):
    (held,) = Lists(party).held()
    return held.table("whole", party.now)["reference"].to_pylist()


def suppress(parties, request):
    """Carry every run that is due; return how many there were."""
    desk = {name: SuppressionDesk(party) for name, party in parties.items()}
    filed = {name: Desk(party).find(request.id) for name, party in parties.items()}
    sender, receiver = desk[SENDER].sender(filed[SENDER]), desk[RECEIVER].receiver(filed[RECEIVER])
    done, run = 0, sender.next_run()
    while run is not None:
        sender.take(receiver.apply(run))
        done, run = done + 1, sender.next_run()
    return done


# -- access ----------------------------------------------------------------------------------------


def test_a_person_is_told_in_what_their_record_took_part_and_for_whom(out):
    parties, contract, request = out
    dossier = told(parties[SENDER])
    (session,) = dossier.sessions
    assert session.request == request.id
    assert session.list_for == RECEIVER
    assert session.list_ends == contract.list_expires_at(request.created)
    assert session.taken_off is None
    (held,) = (one for one in kept(parties[SENDER]) if one.what == "session")
    assert session.kept_until == held.ends_at > session.began + 119 * DAY
    assert dossier.recipients == {RECEIVER: "The channel"}
    assert dossier.lists == ()
    (found,) = dossier.person.found
    assert found.references == (WHO,)
    assert found.labels == {"segment": "silver"}
    assert {said.state for said in found.consents} == {"given"}
    assert found.data["email"] == [" Person25@Example.com "]
    (on_list,) = told(parties[RECEIVER]).lists
    assert (on_list.learnt_from, on_list.request) == (SENDER, request.id)
    assert told(parties[RECEIVER], "ref70").lists == ()


@pytest.mark.parametrize(
    "how",
    [
        {"text": "Person25@example.COM", "type": "email"},
        {"text": "+1 202 555 0025", "type": "phone"},
        {"text": WHO, "dataset": "customers"},
    ],
)
def test_somebody_is_found_by_what_they_know_of_themselves(out, how):
    party = out[0][SENDER]
    dossier = told(party, **how)
    assert [one.references for one in dossier.person.found] == [(WHO,)]
    assert len(dossier.sessions) == 1


def test_who_is_not_here_is_in_nothing(out):
    dossier = told(out[0][SENDER], "ref80")
    assert (dossier.person.found, dossier.sessions, dossier.lists) == ((), (), ())


def test_nobody_is_guessed(out, tmp_path):
    party = out[0][SENDER]
    with pytest.raises(PartyError, match="no usable identifier") as told_:
        find(party, Wanted("person25", "email"))
    assert "person25" not in str(told_.value)
    rows = [("a", MAIL, "", "gold", "yes"), ("b", MAIL, "", "gold", "yes"),
            (WHO, "c@example.com", "(202) 555-0111", "gold", "yes")]  # fmt: skip
    write_dataset(tmp_path / "more", "shared", rows, label="segment")
    definition = load_definition(tmp_path / "more" / "shared.yaml")
    party.keep_dataset(definition, inspect(definition), "others")
    with pytest.raises(PartyError, match="several people of dataset shared") as told_:
        find(party, Wanted(MAIL, "email"))
    assert "example" not in str(told_.value)
    with pytest.raises(PartyError, match="--dataset"):
        find(party, Wanted(WHO))
    assert len(find(party, Wanted(WHO, dataset="customers")).found) == 1


def test_what_is_kept_of_a_session_goes_at_its_end(out):
    parties, _, request = out
    party = parties[SENDER]
    assert party.session_folder(request.id).has(PARTICIPANTS_FILE)
    party.clock = lambda: time.time() + 121 * DAY
    prune(party)
    dossier = told(party)
    assert (dossier.sessions, dossier.untold) == ((), 1)


def test_the_log_has_the_fact_and_not_the_person(out):
    party = out[0][SENDER]
    person = find(party, Wanted(WHO))
    note_access(party, person, "consent", actor="test")
    (entry,) = entries(party, "subject.access")
    assert WHO.encode() not in entry.encode()
    commitment = bytes.fromhex(entry.body.subject)
    salt = party.store.row(sa.select(SALTS).where(SALTS.c.commitment == commitment)).salt
    verify_opening(commitment, SUBJECT, person.wanted.words, salt)
    verify_log(StoredLog(party.store, party.identity))


# -- erasure ---------------------------------------------------------------------------------------


def test_an_erased_person_takes_part_in_nothing_and_comes_off_the_list_that_is_out(out):
    parties, contract, request = out
    party = parties[SENDER]
    assert WHO in listed(parties[RECEIVER])
    note_access(party, find(party, Wanted(WHO)), "all", actor="test")
    done = erased(party)
    assert [part.request for part in done.disclosed] == [request.id]
    assert suppress(parties, request) == 1
    assert WHO not in listed(parties[RECEIVER])
    assert len(listed(parties[RECEIVER])) == 39
    again = disclose(parties, contract)
    stored = Desk(parties[RECEIVER]).result(again.id)
    names = pq.read_table(stored["list_file"])["reference"].to_pylist()
    assert len(names) == 39
    assert WHO not in names
    assert told(party).sessions == ()
    compare_logs(*(StoredLog(p.store, p.identity) for p in parties.values()))


def test_an_erasure_leaves_nothing_that_opens_an_entry_and_the_log_verifies(out):
    party = out[0][SENDER]
    person = find(party, Wanted(WHO))
    note_access(party, person, "all", actor="test")
    note_access(party, find(party, Wanted(MAIL, "email")), "all", actor="test")
    other = find(party, Wanted("ref26"))
    note_access(party, other, "all", actor="test")
    done = erased(party)
    commitments = [bytes.fromhex(e.body.subject) for e in entries(party, "subject.access")]
    left = {row.commitment for row in party.store.rows(sa.select(SALTS))}
    assert [commitment in left for commitment in commitments] == [False, False, True]
    assert len(party.store.rows(sa.select(SUBJECT_ENTRIES))) > 0, "those of somebody else"
    (entry,) = entries(party, "subject.erasure")
    assert entry.seq == done.seq
    assert bytes.fromhex(entry.body.subject) not in left, "only the person has the salt"
    verify_opening(bytes.fromhex(done.commitment), SUBJECT, done.words, done.salt)
    with pytest.raises(CommitmentError):
        verify_opening(bytes.fromhex(done.commitment), SUBJECT, other.wanted.words, done.salt)
    verify_log(StoredLog(party.store, party.identity))
    for row in party.store.rows(sa.select(ERASED)):
        assert WHO.encode() not in row.token


def test_an_erasure_by_the_lists_receiver_takes_them_off_its_own_list(out):
    parties, _, request = out
    party = parties[RECEIVER]
    assert erased(party).lists == (request.id[:8],)
    assert WHO not in listed(party)
    assert len(listed(party)) == 39
    assert len(list((party.folder / "lists").glob("*.parquet"))) == 1
    assert erased(party).lists == (), "it may be repeated"
    verify_log(StoredLog(party.store, party.identity))
    erased(parties[SENDER], "ref30")
    assert suppress(parties, request) == 1, "runs still fit the list"
    assert "ref30" not in listed(party)
    assert len(listed(party)) == 38


def test_a_session_under_way_does_not_go_on_with_an_erased_person(out):
    parties, contract, _ = out
    request = Request.match(
        contract, requester=SENDER, receiver=RECEIVER, sender=SENDER, now=int(time.time())
    )
    signed = Desk(parties[SENDER]).make(request, contract, actor="test")
    Desk(parties[RECEIVER]).submit(SENDER, signed)
    ended = run_both(parties, signed, Wire(), advertiser={"dies_at": "Commitment"})
    assert ended[SENDER] is not None
    erased(parties[SENDER])
    ended = run_both(parties, signed, Wire())
    assert ended[SENDER].status is RefusalStatus.BAD_REQUEST
    assert "has changed" in ended[SENDER].message


KEPT = {
    "dataset": "kept",
    "person": "ref",
    "columns": {"email": "id.email"},
    "consent": {"column": "consent", "given": ["yes"], "recipients": ["channel"],
                "purposes": ["dpv:TargetedAdvertising"]},
}  # fmt: skip


def keep_frame(party, rows):
    """Register a table in memory as the dataset `kept`."""
    import pandas as pd

    frame = pd.DataFrame(rows, columns=["ref", "email", "phone", "segment", "consent"])
    register_frame(party, frame, KEPT, "guests")


def kept_references(party):
    (file,) = (party.folder / "frames" / "kept").glob("*.parquet")
    assert str(file) == party.dataset("kept").definition["source"]
    return pq.read_table(file)["ref"].to_pylist()


def test_a_table_of_this_partys_own_is_written_anew_without_the_person(out, tmp_path):
    party = out[0][SENDER]
    keep_frame(party, people(0, 10, ["gold", "silver"]))
    begun = party.dataset("kept").since
    party.clock = lambda: time.time() + DAY
    desk = SubjectDesk(party)
    done = desk.erase(desk.look(Wanted("ref3", dataset="kept")), tmp_path / "receipt.json")
    assert done.datasets["kept"].startswith("deleted here")
    assert kept_references(party) == [f"ref{i}" for i in range(10) if i != 3]
    assert party.dataset("kept").quality["people"] == 9
    assert party.dataset("kept").since == begun, "its retention does not begin anew"
    receipt = json.loads((tmp_path / "receipt.json").read_text(encoding="utf-8"))
    verify_opening(
        bytes.fromhex(receipt["commitment"]), receipt["context"],
        receipt["committed_to"].encode(), bytes.fromhex(receipt["salt"]),
    )  # fmt: skip
    assert receipt["proof"].startswith("c2sp.org/tlog-proof@v1")


def test_a_person_is_told_their_own_rows_also_when_an_export_comes_in_between(
    out, tmp_path, monkeypatch
):
    party = out[0][SENDER]
    definition = party.definition("customers")
    file = definition.folder / definition.to_dict()["source"]

    def export():
        header, *rows = file.read_text(encoding="utf-8").splitlines()
        file.write_text("\n".join([header, *reversed(rows)]) + "\n", encoding="utf-8")

    doing(monkeypatch, client.subjects, "open_dossier", export)
    SubjectDesk(party).access(Wanted(WHO), tmp_path / "answer")
    data = (tmp_path / "answer" / "data-customers.csv").read_text(encoding="utf-8")
    assert re.findall(r"Person\d+", data) == ["Person25"]


def test_a_table_that_was_registered_since_somebody_was_found_is_not_erased_by_number(
    out, tmp_path
):
    party = out[0][SENDER]
    rows = people(0, 10, ["gold", "silver"])
    keep_frame(party, rows)
    desk = SubjectDesk(party)
    person = desk.look(Wanted("ref3", dataset="kept"))
    keep_frame(party, rows[::-1])
    with pytest.raises(DatasetError, match="kept has changed since the person was found"):
        desk.erase(person, tmp_path / "receipt.json")
    assert kept_references(party) == [f"ref{i}" for i in reversed(range(10))]
    assert not (tmp_path / "receipt.json").exists()
    assert entries(party, "subject.erasure") == [], "nothing half done"
    desk.erase(desk.look(Wanted("ref3", dataset="kept")), tmp_path / "receipt.json")
    assert kept_references(party) == [f"ref{i}" for i in reversed(range(10)) if i != 3]


def test_a_table_that_is_registered_during_an_erasure_stays_whole(out, tmp_path, monkeypatch):
    party = out[0][SENDER]
    rows = people(0, 10, ["gold", "silver"])
    keep_frame(party, rows)
    desk = SubjectDesk(party)
    person = desk.look(Wanted("ref3", dataset="kept"))
    doing(monkeypatch, client.subjects, "drop_rows", lambda: keep_frame(party, rows[::-1]))
    done = desk.erase(person, tmp_path / "receipt.json")
    assert "has changed since the person was found" in done.datasets["kept"]
    assert kept_references(party) == [f"ref{i}" for i in reversed(range(10))]


def test_an_erasure_does_not_take_back_what_was_registered_meanwhile(out, tmp_path, monkeypatch):
    party = out[0][SENDER]
    rows = people(0, 10, ["gold", "silver"])
    keep_frame(party, rows)
    write_dataset(tmp_path / "more", "kept", rows, label="segment")
    definition = load_definition(tmp_path / "more" / "kept.yaml")
    report = inspect(definition)
    desk = SubjectDesk(party)
    person = desk.look(Wanted("ref3", dataset="kept"))
    doing(
        monkeypatch, client.registering, "inspect",
        lambda: party.keep_dataset(definition, report, None),
    )  # fmt: skip
    done = desk.erase(person, tmp_path / "receipt.json")
    assert "registered anew meanwhile" in done.datasets["kept"]
    assert party.dataset("kept").definition == definition.to_dict()


def test_of_two_who_write_one_table_the_second_waits(out, monkeypatch):
    party = out[0][SENDER]
    first, second = people(0, 10, ["gold"]), people(10, 20, ["gold"])

    def meanwhile():
        with pytest.raises(InUse, match="table of dataset kept just now"):
            keep_frame(party, second)

    doing(monkeypatch, client.registering, "inspect", meanwhile)
    keep_frame(party, first)
    assert kept_references(party) == [f"ref{i}" for i in range(10)]
    monkeypatch.undo()
    keep_frame(party, second)
    assert kept_references(party) == [f"ref{i}" for i in range(10, 20)]


def test_a_file_that_takes_the_place_of_a_table_from_memory_leaves_nothing_of_it(out, tmp_path):
    party = out[0][SENDER]
    rows = people(0, 10, ["gold", "silver"])
    keep_frame(party, rows)
    (kept,) = (party.folder / "frames" / "kept").iterdir()
    write_dataset(tmp_path / "more", "kept", rows, label="segment")
    file = tmp_path / "more" / "kept.yaml"
    unread = load_definition(file)
    (tmp_path / "more" / "kept.csv").rename(tmp_path / "away.csv")
    with pytest.raises(DatasetError):
        client.registering.register(party, unread)
    assert kept.exists(), "what stays registered"
    (tmp_path / "away.csv").rename(tmp_path / "more" / "kept.csv")
    client.registering.register(party, load_definition(file))
    assert not kept.exists()


def test_the_files_for_a_person_say_it_all_and_appear_together(out, tmp_path):
    party = out[0][SENDER]
    desk = SubjectDesk(party)
    answer = desk.access(Wanted(WHO), tmp_path / "answer")
    names = [file.name for file in answer.files]
    assert names == ["access.html", "access.json", "data-customers.csv"]
    assert all(file.stat().st_mode & 0o077 == 0 for file in answer.files)
    page = (tmp_path / "answer" / "access.html").read_text(encoding="utf-8")
    assert "The channel" in page
    assert "<script" not in page
    data = (tmp_path / "answer" / "data-customers.csv").read_text(encoding="utf-8")
    assert "Person25@Example.com" in data
    assert "Person26" not in data
    with pytest.raises(PartyError, match="exists already"):
        desk.access(Wanted(WHO), tmp_path / "answer")
    assert len(entries(party, "subject.access")) == 1
    assert sorted(path.name for path in tmp_path.glob("*answer*")) == ["answer"]


def test_the_page_for_a_person_in_chinese_has_no_english_sentence(out, tmp_path):
    spoken = language("zh")
    answer = SubjectDesk(out[0][SENDER]).access(Wanted(WHO), tmp_path / "answer", spoken)
    page = (tmp_path / "answer" / "access.html").read_text(encoding="utf-8")
    assert '<html lang="zh-Hans">' in page
    assert "您目前的同意情况" in page
    texts = re.sub(r"<style>.*?</style>|<[^>]+>", "\n", page, flags=re.DOTALL)
    assert not re.search(r"[a-z]+ [a-z]+ [a-z]+|[A-Za-z]+\.\s", texts)
    shown = as_text(*answered_shown(answer, spoken))
    assert "含有此人的数据集：customers" in shown


def test_a_dataset_that_cannot_be_read_is_named_and_stops_an_erasure_alone(out, tmp_path):
    party = out[0][SENDER]
    desk = SubjectDesk(party)
    write_dataset(tmp_path / "more", "elsewhere", people(0, 9, ["a"]), label="segment")
    definition = load_definition(tmp_path / "more" / "elsewhere.yaml")
    party.keep_dataset(definition, inspect(definition), None)
    (tmp_path / "more" / "elsewhere.csv").unlink()
    answer = desk.access(Wanted(MAIL, "email"), tmp_path / "answer")
    assert [one["dataset"] for one in answer.document["datasets"]] == ["customers"]
    assert answer.document["datasets_not_read"] == ["elsewhere"]
    page = (tmp_path / "answer" / "access.html").read_text(encoding="utf-8")
    assert "not complete" in page
    assert "elsewhere" in page
    assert str(tmp_path) not in page
    with pytest.raises(DatasetError, match="elsewhere cannot be read"):
        desk.look(Wanted(MAIL, "email"))
    with pytest.raises(DatasetError):
        desk.access(Wanted(MAIL, "email", "elsewhere"), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_participants_are_sealed(out):
    parties, _, request = out
    party = parties[SENDER]
    sealed = (party.session_folder(request.id).path / PARTICIPANTS_FILE).read_bytes()
    ((_, participants, _),) = sessions_with(party, find(party, Wanted(WHO)))
    assert len(participants.tokens) == 60
    assert all(token.tobytes() not in sealed for token in participants.tokens)


# -- beside another process ------------------------------------------------------------------------


@pytest.fixture
def run(out):
    """A run that takes ref30 off the list, which the sender has made and nobody has applied."""
    parties, _, request = out
    erased(parties[SENDER], "ref30")
    return (
        SuppressionDesk(parties[SENDER]).sender(Desk(parties[SENDER]).find(request.id)).next_run()
    )


def apply(out, run):
    parties, _, request = out
    filed = Desk(parties[RECEIVER]).find(request.id)
    return SuppressionDesk(parties[RECEIVER]).receiver(filed).apply(run)


def both_are_off(out):
    """Say that neither who was erased nor who withdrew is on the list, and everybody else is."""
    party = out[0][RECEIVER]
    assert set(listed(party)) == {f"ref{i}" for i in range(20, 60)} - {WHO, "ref30"}
    assert len(list((party.folder / "lists").glob("*.parquet"))) == 1
    verify_log(StoredLog(party.store, party.identity))


def test_a_run_that_comes_in_the_middle_of_an_erasure_takes_its_people_off_too(
    out, run, monkeypatch
):
    waits = meanwhile(monkeypatch, ListFile, "write", lambda: apply(out, run))
    erased(out[0][RECEIVER])
    assert len(waits) == 1
    apply(out, run)
    both_are_off(out)


def test_an_erasure_in_the_middle_of_a_run_takes_the_person_off_too(out, run, monkeypatch):
    waits = meanwhile(monkeypatch, ListFile, "write", lambda: erased(out[0][RECEIVER]))
    apply(out, run)
    assert len(waits) == 1
    erased(out[0][RECEIVER])
    both_are_off(out)


@pytest.fixture
def replaced(out, run, monkeypatch):
    """The run is applied between finding the lists and reading them, once."""
    held = Lists.held

    def then_replaced(lists, **options):
        monkeypatch.setattr(Lists, "held", held)
        found = held(lists, **options)
        apply(out, run)
        return found

    monkeypatch.setattr(Lists, "held", then_replaced)


def test_an_erasure_does_not_pass_by_a_list_that_a_run_has_written_anew(out, replaced):
    assert erased(out[0][RECEIVER]).lists == (out[2].id[:8],)
    both_are_off(out)


def test_an_answer_does_not_pass_by_a_list_that_a_run_has_written_anew(out, replaced):
    (on_list,) = told(out[0][RECEIVER]).lists
    assert on_list.request == out[2].id


def test_an_answer_goes_on_when_a_session_comes_to_its_end_meanwhile(out, monkeypatch):
    party = out[0][SENDER]
    now = time.time() + 121 * DAY
    party.clock = lambda: now
    meanwhile(monkeypatch, Participants, "read", lambda: prune(party))
    dossier = told(party)
    assert (dossier.sessions, dossier.untold) == ((), 1)


@pytest.mark.parametrize("step", ["open", "agree", "step", "finish"])
def test_a_match_under_way_puts_no_erased_person_on_its_list(out, monkeypatch, step):
    parties, contract, _ = out
    party = parties[RECEIVER]
    request = Request.match(
        contract, requester=SENDER, receiver=RECEIVER, sender=SENDER, now=int(time.time())
    )
    signed = Desk(parties[SENDER]).make(request, contract, actor="test")
    Desk(party).submit(SENDER, signed)
    work, times = getattr(SessionRecord, step), []

    def erased_first(record, *given, **named):
        if record._me == RECEIVER and not times:
            times.append(erased(party))
        return work(record, *given, **named)

    monkeypatch.setattr(SessionRecord, step, erased_first)
    ended = run_both(parties, signed, Wire())
    assert len(times) == 1
    assert ended[RECEIVER].status is RefusalStatus.BAD_REQUEST
    assert "has changed" in ended[RECEIVER].message
    assert Desk(party).find(signed.id).state == "failed"
    prune(party)
    assert not list((party.folder / "lists").glob(f"{signed.id}*"))
    assert WHO not in listed(party)
    compare_logs(*(StoredLog(p.store, p.identity) for p in parties.values()))


def test_a_match_under_way_in_which_somebody_takes_no_part_goes_on_when_they_are_erased(
    out, monkeypatch
):
    parties, contract, _ = out
    meanwhile(monkeypatch, SessionRecord, "disclose", lambda: erased(parties[RECEIVER], "ref5"))
    disclose(parties, contract)


def test_two_erasures_at_once_both_reach_who_took_part(out, monkeypatch):
    parties, _, _ = out
    party = parties[SENDER]
    waits = meanwhile(monkeypatch, Participants, "keep", lambda: erased(party, "ref30"))
    erased(party)
    assert len(waits) == 1
    erased(party, "ref30")
    assert (told(party).sessions, told(party, "ref30").sessions) == ((), ())


# -- with the party's own records of consent -------------------------------------------------------


@pytest.fixture
def keeper(tmp_path):
    """A party whose dataset rests on records: three people, of whom two have said something."""
    party = make_party(tmp_path, "advertiser")
    party.clock = lambda: NOW
    party.consent.record(LOYALTY, [act("a", days=3), act("b", days=2)], actor="test")
    party.consent.withdraw("b", actor="test")
    definition = describe(party, tmp_path, ["a", "b", "c"])
    party.keep_dataset(definition, inspect(definition), None)
    yield party
    party.close()


def test_records_of_consent_are_shown_to_whom_they_are_about(keeper):
    (one,) = SubjectDesk(keeper).consent(Wanted("b")).document["datasets"]
    assert [said["state"] for said in one["consent_history"]] == ["given", "withdrawn"]
    assert {said["by"] for said in one["consent_history"]} == {"subject"}
    assert {said["state"] for said in one["consent_now"]} == {"refused"}
    (one,) = SubjectDesk(keeper).consent(Wanted("c@example.com", "email")).document["datasets"]
    assert one["consent_history"] == []


def test_an_erasure_forgets_whose_the_records_are(keeper):
    assert keeper.consent.find("a") is not None
    erased(keeper, "a@example.com", type="email")
    assert keeper.consent.find("a") is None
    assert keeper.consent.find("b") is not None
    verify_log(StoredLog(keeper.store, keeper.identity))


def test_an_address_of_gmail_is_erased_in_both_readings(keeper, tmp_path):
    (tmp_path / "g.csv").write_text("ref,email,ok\nx,a.b+shop@gmail.com,yes\ny,y@example.com,yes\n")
    given = {"column": "ok", "given": ["yes"], "purposes": [ADS], "recipients": ["channel"]}
    document = {"dataset": "g", "source": "g.csv", "person": "ref", "consent": given,
                "columns": {"email": "id.email"}}  # fmt: skip
    definition = read_definition(document, tmp_path, "the description")
    keeper.keep_dataset(definition, inspect(definition), "others")
    erased(keeper, "x", dataset="g")
    (tmp_path / "g.csv").write_text("ref,email,ok\nz,ab@gmail.com,yes\ny,y@example.com,yes\n")
    for gmail in (True, False):
        taken = prepare(
            keeper.definition("g"), label=None, values=(), identifiers=["email"], offer="all",
            most_identifiers=1, purpose=ADS, recipients=["channel"], salt=SALT, now=NOW,
            gmail=gmail,
        )  # fmt: skip
        assert len(taken.keys) == 1, "a.b+shop and ab are one person to gmail"
