"""Records of consent in a party's store: what a session takes, what the log says, who is found."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from consent_notices import ADS, RESEARCH, chinese, document, notice
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from organisations import make_party

from audit.errors import VerificationError
from audit.merkle import root
from party.consent.events import Act, By, State, require_subject
from party.consent.standing import GIVEN, REFUSED, SILENT, Question
from party.datasets import inspect
from party.datasets.definition import read_definition
from party.datasets.prepare import prepare
from party.datasets.rows import snapshot_now
from party.errors import ConsentError, DatasetError
from party.evidence import StoredLog, verify_log
from party.schema import CONSENT_BATCHES, CONSENT_EVENTS, CONSENT_SUBJECTS

NOW = 1_800_000_000
DAY = 86_400 * 1_000_000
LOYALTY = notice(document(valid_days=30))
MEMBER = notice(chinese())
SALT = bytes(range(32))


def at(days):
    """Return a time so many days before NOW, in microseconds."""
    return NOW * 1_000_000 - days * DAY


def act(subject, state=State.GIVEN, days=1, **more):
    return Act(subject, State(state), at(days), **more)


_MOVED = "UPDATE consent_events SET subject = 3 - subject"
_ADDED = (
    "INSERT INTO consent_events SELECT 9, batch, record, subject, notice, 'given', at, purpose, "
    'recipient, "by", how, supersedes, tc_string, leaf FROM consent_events WHERE seq = 2'
)


@pytest.fixture
def party(tmp_path):
    made = make_party(tmp_path, "advertiser")
    made.clock = lambda: NOW
    yield made
    made.close()


def describe(party, folder, rows):
    """Write people by reference and address; return the dataset that rests on records."""
    text = "".join(f"{ref},{ref}@example.com\n" for ref in rows)
    (folder / "people.csv").write_text(f"ref,email\n{text}", encoding="utf-8")
    made = {
        "dataset": "people",
        "source": "people.csv",
        "person": "ref",
        "columns": {"email": "id.email"},
        "consent": {"records": "ref"},
    }
    return party.with_records(read_definition(made, folder, "the description"))


def taking_part(definition, purpose=ADS, recipients=("channel",), now=NOW):
    taken = prepare(
        definition, label=None, values=(), identifiers=["email"], offer="all", most_identifiers=1,
        purpose=purpose, recipients=list(recipients), salt=SALT, now=now,
    )  # fmt: skip
    return sorted(taken.person_refs.to_pylist())


def kinds(party):
    return [json.loads(data)["kind"] for data in StoredLog(party.store, party.identity).entries()]


def test_a_session_takes_whom_the_records_let_and_a_withdrawal_counts_in_the_next(party, tmp_path):
    party.consent.record(LOYALTY, [act("a"), act("b"), act("c", "refused")], actor="test")
    definition = describe(party, tmp_path, "abcd")
    assert taking_part(definition) == ["a", "b"]
    before = snapshot_now(definition)
    party.consent.withdraw("a", actor="test")
    assert taking_part(definition) == ["b"]
    assert snapshot_now(definition) != before
    assert kinds(party)[-2:] == ["consent.recorded", "consent.withdrawn"]
    verify_log(StoredLog(party.store, party.identity))


def test_a_part_may_be_withdrawn_and_the_rest_stands(party, tmp_path):
    party.consent.record(LOYALTY, [act("a"), act("b")], actor="test")
    definition = describe(party, tmp_path, "ab")
    party.consent.withdraw("a", purpose=ADS, actor="test")
    party.consent.withdraw("b", recipient="vendor", actor="test")
    assert taking_part(definition) == ["b"]
    assert taking_part(definition, purpose=RESEARCH) == ["a", "b"]
    assert taking_part(definition, recipients=["channel", "vendor"]) == []
    assert taking_part(definition, purpose=RESEARCH, recipients=["vendor"]) == ["a"]


def test_under_the_pipl_a_yes_to_everything_is_no_separate_consent(party, tmp_path):
    acts = [act("a"), act("b", recipient="channel"), act("c", recipient="vendor")]
    party.consent.record(MEMBER, acts, actor="test")
    definition = describe(party, tmp_path, "abc")
    assert taking_part(definition) == ["b"]
    assert taking_part(definition, recipients=["vendor"]) == ["c"]


def test_what_nobody_has_given_is_not_withdrawn(party):
    party.consent.record(LOYALTY, [act("a", "refused")], actor="test")
    for who in ("a", "nobody"):
        with pytest.raises(ConsentError, match="nothing of that stands as given"):
            party.consent.withdraw(who, actor="test")
    assert kinds(party)[-1] == "consent.recorded"


def test_recording_the_same_again_changes_nothing(party):
    acts = [act("a"), act("b", "refused"), act("a", "withdrawn", 0)]
    assert party.consent.record(LOYALTY, acts, actor="test") == 3
    logged = kinds(party)
    assert logged[-2:] == ["consent.recorded", "consent.withdrawn"]
    assert party.consent.record(LOYALTY, acts, actor="test") == 0
    assert kinds(party) == logged


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (act(" a"), "the id is not one line"),
        (act("a", days=-1), "its time has not come yet"),
        (act("a", purpose="dpv:Payments"), "does not name this purpose or recipient"),
        (act("a", recipient="stranger"), "does not name this purpose or recipient"),
        (act("a", how="By Phone"), "how: expected a few words"),
    ],
)
def test_one_bad_statement_and_nothing_is_recorded(party, bad, says):
    with pytest.raises(ConsentError, match=f"statement 2: .*{says}"):
        party.consent.record(LOYALTY, [act("x"), bad], actor="test")
    assert party.consent.find("x") is None
    assert kinds(party) == ["party.created"]


def test_a_consent_supersedes_the_record_before_it_and_a_withdrawal_belongs_to_it(party):
    party.consent.record(LOYALTY, [act("a", days=9), act("a", days=8)], actor="test")
    party.consent.withdraw("a", actor="test")
    first, second, third = party.consent.find("a").events
    assert (first.supersedes, second.supersedes) == (None, first.record)
    assert third.record == second.record != first.record
    assert third.state is State.WITHDRAWN


def test_the_log_has_the_root_over_what_each_has_said_and_neither_id_nor_number(party):
    party.consent.record(LOYALTY, [act("anna-1"), act("berta-2")], actor="test")
    person = party.consent.find("anna-1")
    require_subject(person.subject.commitment, "anna-1", person.subject.salt)
    with pytest.raises(ConsentError, match="somebody else"):
        require_subject(person.subject.commitment, "anna-2", person.subject.salt)
    batch = party.store.row(sa.select(CONSENT_BATCHES))
    leaves = [party.consent.find(who).events[0].leaf() for who in ("anna-1", "berta-2")]
    assert batch.root == root(leaves)
    *_, entry = StoredLog(party.store, party.identity).entries()
    body = json.loads(entry)["body"]
    assert body["root"] == batch.root.hex()
    assert body["notice"] == LOYALTY.digest
    assert set(body) == {"notice", "root", "count_commitment"}
    assert b"anna" not in entry


def test_nobody_forgotten_is_found_or_takes_part_and_the_log_verifies(party, tmp_path):
    party.consent.record(LOYALTY, [act("a"), act("b")], actor="test")
    definition = describe(party, tmp_path, "ab")
    person, before = party.consent.find("a"), snapshot_now(definition)
    party.store.write(lambda c: party.consent.forget(c, person.subject))
    assert party.consent.find("a") is None
    assert taking_part(definition) == ["b"]
    assert snapshot_now(definition) != before
    row = party.store.row(sa.select(CONSENT_SUBJECTS).where(CONSENT_SUBJECTS.c.token.is_(None)))
    assert (row.salt, row.commitment) == (None, person.subject.commitment)
    verify_log(StoredLog(party.store, party.identity))


def test_a_record_that_was_changed_afterwards_is_refused(party):
    party.consent.record(LOYALTY, [act("a", "refused")], actor="test")
    party.store.write(lambda c: c.execute(sa.update(CONSENT_EVENTS).values(state="given")))
    with pytest.raises(ConsentError, match="changed afterwards"):
        party.consent.find("a")
    with pytest.raises(VerificationError, match="records of consent are not those that it has"):
        verify_log(StoredLog(party.store, party.identity))


@pytest.mark.parametrize("statement", ["DELETE FROM consent_events WHERE seq = 1", _MOVED, _ADDED])
def test_audit_finds_records_that_were_dropped_moved_or_put_in(party, statement):
    party.consent.record(LOYALTY, [act("a"), act("b", "refused")], actor="test")
    verify_log(StoredLog(party.store, party.identity))
    party.store.write(lambda c: c.exec_driver_sql(statement))
    with pytest.raises(VerificationError, match="records of consent"):
        verify_log(StoredLog(party.store, party.identity))


def test_a_guardians_consent_is_told_from_the_persons(party):
    acts = [act("a"), act("b", by=By.GUARDIAN), act("c", by=By.GUARDIAN, days=2)]
    party.consent.record(LOYALTY, [*acts, act("c", "withdrawn")], actor="test")
    asked = Question(ADS, "channel", by_guardian=True)
    answers = {who: party.consent.standing(party.consent.find(who), asked) for who in "abc"}
    assert answers == {"a": SILENT, "b": GIVEN, "c": REFUSED}


def test_a_description_without_a_party_says_what_is_missing(party, tmp_path):
    from dataclasses import replace

    definition = replace(describe(party, tmp_path, "a"), records=None)
    with pytest.raises(DatasetError, match="--party DIR"):
        inspect(definition)


def test_those_who_record_at_once_all_do_and_are_read_alike(tmp_path, stores):
    party = make_party(tmp_path, "advertiser", stores)
    party.clock = lambda: NOW

    def record(who):
        return party.consent.record(LOYALTY, [act(who)], actor="test")

    with ThreadPoolExecutor(4) as workers:
        assert list(workers.map(record, "abcd")) == [1, 1, 1, 1]
    seqs = [row.seq for row in party.store.rows(sa.select(CONSENT_EVENTS.c.seq))]
    assert sorted(seqs) == [1, 2, 3, 4]
    party.consent.withdraw("a", actor="test")
    assert taking_part(describe(party, tmp_path, "abcde")) == ["b", "c", "d"]
    verify_log(StoredLog(party.store, party.identity))
    party.close()


# -- random histories ----------------------------------------------------------------------

_PEOPLE = 4
_HISTORIES = st.lists(
    st.tuples(
        st.integers(0, _PEOPLE - 1),
        st.sampled_from([LOYALTY, MEMBER]),
        st.sampled_from(list(State)),
        st.integers(0, 60),
        st.sampled_from([None, ADS, RESEARCH]),
        st.sampled_from([None, "channel", "vendor"]),
    ).filter(lambda said: said[1].covers(said[4], said[5])),
    max_size=14,
)


@pytest.fixture(scope="module")
def standing_party(tmp_path_factory):
    """One party for all histories, each of which is about other people."""
    folder = tmp_path_factory.mktemp("histories")
    made = make_party(folder, "advertiser")
    made.clock = lambda: NOW
    yield made, folder
    made.close()


def _consents(history, person, purpose, recipient, days):
    """Say, from the rules in words, whether a person may take part so many days before NOW."""
    last = None
    for who, shown, state, when, for_purpose, for_recipient in history:
        if who != person or when < days or not shown.covers(purpose, recipient):
            continue
        if for_purpose not in (None, purpose) or for_recipient not in (None, recipient):
            continue
        gives = state is State.GIVEN
        if gives and shown is MEMBER and for_recipient is None:
            continue  # Article 23: by itself for each recipient
        lasts = shown is MEMBER or when - days < 30
        if last is None or when < last[0] or (when == last[0] and not gives):
            last = (when, gives and lasts)
    return last is not None and last[1]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=_HISTORIES, days=st.integers(0, 40), cut=st.integers(0, 14))
def test_a_session_has_exactly_those_with_valid_consent_at_its_snapshot(
    standing_party, history, days, cut
):
    """For random histories, in any number of batches, at any moment, for purpose and recipient."""
    party, folder = standing_party
    mark = time.monotonic_ns()
    called = [f"{mark}-{person}" for person in range(_PEOPLE)]
    for part in (history[:cut], history[cut:]):
        for shown in (LOYALTY, MEMBER):
            acts = [
                act(called[who], state, when, purpose=purpose, recipient=recipient)
                for who, notice_, state, when, purpose, recipient in part
                if notice_ is shown
            ]
            party.consent.record(shown, acts, actor="test")
    definition = describe(party, folder, called)
    now = NOW - days * 86_400
    for purpose in (ADS, RESEARCH):
        for recipients in (["channel"], ["channel", "vendor"]):
            expected = [
                called[person]
                for person in range(_PEOPLE)
                if all(_consents(history, person, purpose, to, days) for to in recipients)
            ]
            assert taking_part(definition, purpose, recipients, now) == sorted(expected)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=_HISTORIES)
def test_one_person_and_everybody_are_judged_alike(standing_party, history):
    """`consent show` and a session must never disagree."""
    party, folder = standing_party
    del folder
    mark = time.monotonic_ns()
    for who, shown, state, when, purpose, recipient in history:
        said = act(f"{mark}-{who}", state, when, purpose=purpose, recipient=recipient)
        party.consent.record(shown, [said], actor="test")
    for question in (
        Question(ADS, "channel"),
        Question(ADS, "vendor"),
        Question(RESEARCH, "vendor"),
    ):
        latest = party.consent.latest(question, None)
        told = dict(zip(map(bytes, latest.tokens), latest.says.tolist(), strict=True))
        for who in range(_PEOPLE):
            person = party.consent.find(f"{mark}-{who}")
            if person is not None:
                token = party.store.row(
                    sa.select(CONSENT_SUBJECTS.c.token).where(
                        CONSENT_SUBJECTS.c.id == person.subject.number
                    )
                ).token
                assert party.consent.standing(person, question) == told.get(token, SILENT)
