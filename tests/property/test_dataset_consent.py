"""Consent: who is left out, by whom it is decided, and what the snapshot shows."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import numpy as np
import pandas as pd
import pytest
from dataset_builder import (
    ADS,
    NOW,
    RESEARCH,
    SALT,
    describe,
    prepared,
    references_of,
    row,
    steps_of,
    write,
)
from hypothesis import given
from hypothesis import strategies as st

from audit.commitment import verify_opening
from audit.errors import CommitmentError
from party.datasets import inspect
from party.datasets.consent import GIVEN, REFUSED, SILENT, consenting, take_snapshot
from party.datasets.rows import snapshot_now
from party.datasets.source import Source
from party.errors import DatasetError
from psi.arrow import texts
from psi.columns import read_column
from psi.plain import digest_plain

EVENTS = {
    "table": "consents.csv",
    "key": "household",
    "state": "state",
    "given": ["given", "renewed"],
    "purpose": "why",
    "recipient": "who",
    "time": "at",
}
COLUMNS = {"email": "id.email"}


def event(household, at, state="given", why=ADS, who="channel"):
    return {"household": household, "state": state, "why": why, "who": who, "at": at}


def with_events(folder, events, people=("1", "2", "3"), **consent):
    pd.DataFrame(events).to_csv(folder / "consents.csv", index=False)
    rows = [row(person, f"u{person}@example.com") for person in people]
    return write(folder, rows, columns=COLUMNS, consent=EVENTS | consent)


def taking_part(definition, **changes):
    return references_of(prepared(definition, identifiers=["email"], **changes))


class TestColumn:
    @pytest.mark.parametrize("text", ["yes", "true", "1", " yes "])
    def test_a_listed_text_gives_consent(self, tmp_path, text):
        assert taking_part(write(tmp_path, [row("1", "a@example.com", opt_in=text)])) == ["1"]

    @pytest.mark.parametrize("text", ["no", "Yes", "y", "", None, "yes please"])
    def test_anything_else_and_silence_do_not(self, tmp_path, text):
        rows = [row("1", "a@example.com", opt_in=text), row("2", "b@example.com")]
        assert taking_part(write(tmp_path, rows)) == ["2"]

    @pytest.mark.parametrize(
        ("texts", "consents"),
        [(["yes", "yes"], True), (["yes", None], True), (["yes", "no"], False),
         (["no", "yes"], False), ([None, None], False)],
    )  # fmt: skip
    def test_several_rows_of_a_person_must_not_contradict_it(self, tmp_path, texts, consents):
        rows = [row("1", "a@example.com", opt_in=text) for text in texts]
        definition = write(tmp_path, [*rows, row("2", "b@example.com")])
        assert taking_part(definition) == (["1", "2"] if consents else ["2"])

    @pytest.mark.parametrize(
        "changes", [{"purpose": "dpv:ServiceProvision"}, {"recipients": ["vendor"]}]
    )
    def test_what_the_notice_did_not_name_is_an_error(self, tmp_path, changes):
        definition = write(tmp_path, [row("1", "a@example.com")])
        with pytest.raises(DatasetError, match=r"does not cover the .* it covers"):
            prepared(definition, **changes)

    def test_a_dataset_in_which_nobody_consents_gives_an_empty_set(self, tmp_path):
        result = prepared(write(tmp_path, [row("1", "a@example.com", opt_in="no")]))
        assert len(result.keys) == 0
        assert len(result.owners) == 0
        assert result.coverage == {"email": 0, "phone": 0}


def test_nothing_is_read_from_the_identifiers_of_those_who_do_not_consent(tmp_path, monkeypatch):
    seen = []

    def spy(spec, values, **more):
        seen.extend(values.to_pylist())
        return read_column(spec, values, **more)

    def spy_plain(kind, algorithm, digested, values, **more):
        seen.extend(values.to_pylist())
        return digest_plain(kind, algorithm, digested, values, **more)

    monkeypatch.setattr("party.datasets.identifier_columns.read_column", spy)
    monkeypatch.setattr("party.datasets.identifier_columns.digest_plain", spy_plain)
    rows = [row("1", "no@example.com", opt_in="no"), row("2", "yes@example.com")]
    rows.append(row("3", "other@example.com", segment="bronze"))
    prepared(write(tmp_path, rows))
    assert seen == ["yes@example.com"]


def test_a_contradiction_in_a_row_without_consent_is_not_even_looked_at(tmp_path):
    rows = [row("1", "ab" * 32, opt_in="no"), row("2", "yes@example.com")]
    assert len(prepared(write(tmp_path, rows)).keys) == 1
    rows[0]["opt_in"] = "yes"
    with pytest.raises(DatasetError, match="column 'email': declared email, but row 1: already"):
        prepared(write(tmp_path, rows))


class TestTable:
    def test_the_latest_event_wins_whatever_the_order_of_rows(self, tmp_path):
        events = [
            event("1", "2026-03-01T00:00:00Z", "withdrawn"),
            event("1", "2026-01-01T00:00:00Z", "given"),
            event("2", "2026-01-01T00:00:00Z", "refused"),
            event("2", "2026-03-01T00:00:00Z", "renewed"),
            event("3", "2026-01-01T00:00:00Z", "given"),
            event("3", "2026-03-01T00:00:00Z", "expired"),
            event("3", "2026-04-01T00:00:00Z", "given"),
        ]
        assert taking_part(with_events(tmp_path, events)) == ["2", "3"]
        assert taking_part(with_events(tmp_path, events[::-1])) == ["2", "3"]

    def test_of_two_events_at_one_time_the_refusal_wins(self, tmp_path):
        events = [event("1", "2026-01-01"), event("1", "2026-01-01T00:00:00Z", "withdrawn")]
        for order in (events, events[::-1]):
            assert taking_part(with_events(tmp_path, [*order, event("2", "2026-01-01")])) == ["2"]

    def test_offsets_count(self, tmp_path):
        events = [
            event("1", "2026-01-01T23:00:00-02:00"),
            event("1", "2026-01-02T00:30:00Z", "withdrawn"),
            event("2", "2026-01-01 23:00:00"),
            event("2", "2026-01-02T00:30:00.5+01:00", "withdrawn"),
        ]
        assert taking_part(with_events(tmp_path, events)) == ["1"]

    def test_purpose_and_recipient_must_both_be_those_of_the_request(self, tmp_path):
        events = [
            event("1", "2026-01-01", why=RESEARCH),
            event("2", "2026-01-01", who="vendor"),
            event("3", "2026-01-01"),
            event("3", "2026-02-01", "withdrawn", why=RESEARCH),
            event("3", "2026-02-01", "withdrawn", who="vendor"),
        ]
        definition = with_events(tmp_path, events)
        assert taking_part(definition) == ["3"]
        assert taking_part(definition, purpose=RESEARCH) == ["1"]
        assert taking_part(definition, recipients=["vendor"]) == ["2"]
        assert taking_part(definition, recipients=["nobody"]) == []

    def test_whoever_refuses_one_of_several_recipients_takes_no_part(self, tmp_path):
        both = [event("1", "2026-01-01"), event("1", "2026-01-01", who="vendor")]
        one = [event("2", "2026-01-01"), event("3", "2026-01-01", who="vendor")]
        definition = with_events(tmp_path, [*both, *one])
        assert taking_part(definition, recipients=["channel", "vendor"]) == ["1"]
        assert taking_part(definition, recipients=["vendor"]) == ["1", "3"]

    def test_an_event_after_now_does_not_count_yet(self, tmp_path):
        soon = datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=1)
        events = [event("1", "2026-01-01"), event("1", soon.isoformat(), "withdrawn")]
        definition = with_events(tmp_path, [*events, event("2", soon.isoformat())])
        assert taking_part(definition) == ["1"]
        assert taking_part(definition, now=NOW + 1) == ["2"]

    def test_people_without_an_event_do_not_take_part(self, tmp_path):
        assert taking_part(with_events(tmp_path, [event("1", "2026-01-01")])) == ["1"]
        assert taking_part(with_events(tmp_path, [event("9", "2026-01-01")])) == []

    def test_a_key_other_than_the_person_must_be_given_in_no_row_refused(self, tmp_path):
        rows = [row("1", "a@example.com", card="x"), row("1", "a@example.com", card="y")]
        rows += [row("2", "b@example.com", card="z"), row("2", "b@example.com", card="none")]
        events = [event(None, "2026-01-01") | {"card": card} for card in "xyz"]
        events.append(event(None, "2026-02-01", "withdrawn") | {"card": "y"})
        pd.DataFrame(events).to_csv(tmp_path / "consents.csv", index=False)
        consent = EVENTS | {"key": "card"}
        definition = write(tmp_path, rows, columns=COLUMNS, consent=consent)
        assert taking_part(definition) == ["2"]

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"at": "01/02/2026"}, "row 2, column 'at': is not a time; write ISO 8601"),
            ({"at": "2026-02-30"}, "row 2, column 'at': is not a time"),
            ({"at": None}, "row 2, column 'at': is not a time"),
            ({"household": None}, "row 2, column 'household': is empty"),
        ],
    )
    def test_an_unreadable_event_is_an_error_with_its_place(self, tmp_path, changes, says):
        events = [event("1", "2026-01-01"), event("2", "2026-01-01") | changes]
        with pytest.raises(DatasetError, match=f"consents.csv, {says}"):
            prepared(with_events(tmp_path, events), identifiers=["email"])

    def test_another_event_is_another_snapshot_of_the_same_source(self, tmp_path):
        """A run names all that it read: other consent, other people, another name."""
        given = [event(person, "2026-01-01") for person in "12"]
        definition = with_events(tmp_path, given)
        first, reported = prepared(definition, identifiers=["email"]), inspect(definition)
        assert first.snapshot == reported.snapshot == snapshot_now(definition)
        with_events(tmp_path, [*given, event("2", "2026-02-01", state="withdrawn")])
        second = prepared(definition, identifiers=["email"])
        assert second.snapshot != first.snapshot
        assert second.snapshot == inspect(definition).snapshot == snapshot_now(definition)
        assert second.source_snapshot == first.source_snapshot

    def test_the_snapshot_is_that_of_the_lines_of_sha256sum(self, tmp_path):
        definition = with_events(tmp_path, [event("1", "2026-01-01")])
        files = ("receipts.csv", "consents.csv")
        lines = [f"{sha256((tmp_path / n).read_bytes()).hexdigest()}  {n}\n" for n in files]
        read = prepared(definition, identifiers=["email"])
        assert read.snapshot == sha256("".join(lines).encode()).digest()
        assert read.source_snapshot == sha256(lines[0].encode()).digest()

    def test_a_table_that_changes_while_it_is_read_is_refused(self, tmp_path, monkeypatch):
        definition, lines = with_events(tmp_path, [event("1", "2026-01-01")]), Source.lines

        def read_then_change(self):
            found = lines(self)
            if b"consents.csv" in found:
                with (tmp_path / "consents.csv").open("a", encoding="utf-8") as file:
                    file.write("2,given,x,y,2026-01-01\n")
            return found

        monkeypatch.setattr(Source, "lines", read_then_change)
        with pytest.raises(DatasetError, match=r"consents\.csv: changed while it was read"):
            prepared(definition, identifiers=["email"])

    def test_a_missing_table_or_column_is_an_error(self, tmp_path):
        definition = with_events(tmp_path, [event("1", "2026-01-01")], purpose="reason")
        with pytest.raises(DatasetError, match=r"consents\.csv: there is no column 'reason'"):
            inspect(definition)
        (tmp_path / "consents.csv").unlink()
        with pytest.raises(DatasetError, match="no such file"):
            inspect(definition)

    def test_the_key_must_stand_in_the_source_too(self, tmp_path):
        definition = with_events(tmp_path, [event("1", "2026-01-01")], key="loyalty")
        with pytest.raises(DatasetError, match=r"receipts\.csv: there is no column 'loyalty'"):
            prepared(definition, identifiers=["email"])


@given(
    st.lists(st.tuples(st.sampled_from([GIVEN, REFUSED, SILENT]), st.integers(-1, 4)), max_size=20)
)
def test_nobody_consents_by_silence_or_against_a_refusal(statements):
    says = np.array([says for says, _ in statements], dtype=np.int8)
    person = np.array([person for _, person in statements], dtype=np.int64)
    for who, consents in enumerate(consenting(says, person, 5)):
        own = [says for says, other in statements if other == who]
        assert consents == (GIVEN in own and REFUSED not in own)


class TestSnapshot:
    def test_it_depends_on_who_consents_and_on_nothing_else(self, tmp_path):
        rows = [row("1", "a@example.com"), row("2", None, segment="x"), row("3", opt_in="no")]
        root = prepared(write(tmp_path, rows)).consent.root
        changed = [rows[1], {**rows[0], "email": "b@example.com"}, row("4", opt_in="no")]
        assert prepared(write(tmp_path, changed)).consent.root == root
        assert prepared(write(tmp_path, [*rows, row("5", "c@example.com")])).consent.root != root
        assert prepared(write(tmp_path, rows[:1])).consent.root != root

    def test_it_is_the_rfc_6962_root_over_sorted_salted_hashes(self):
        import hmac
        from hashlib import sha256

        key = hmac.digest(SALT, b"consent records", "sha256")
        low, high = sorted(hmac.digest(key, text, "sha256") for text in (b"a", b"b"))
        leaves = sha256(b"\0" + low).digest() + sha256(b"\0" + high).digest()
        for order in (["a", "b"], ["b", "a"]):
            assert take_snapshot(texts(order), SALT, 0).root == sha256(b"\1" + leaves).digest()
        assert take_snapshot(texts([]), SALT, 0).root == sha256(b"").digest()

    def test_the_count_is_a_commitment_that_opens_only_to_the_count(self):
        import hmac

        taken = take_snapshot(texts(["a", "b"]), SALT, 5.0)
        salt = hmac.digest(SALT, b"consent count", "sha256")
        verify_opening(taken.count, "consent count", (2).to_bytes(8, "big"), salt)
        with pytest.raises(CommitmentError):
            verify_opening(taken.count, "consent count", (3).to_bytes(8, "big"), salt)
        assert taken.taken_at == 5.0

    def test_another_salt_hides_that_it_is_the_same_people(self):
        one, other = (
            take_snapshot(texts(["a"]), SALT, 0),
            take_snapshot(texts(["a"]), SALT[::-1], 0),
        )
        assert one.root != other.root
        assert one.count != other.count

    def test_a_short_salt_is_refused(self):
        with pytest.raises(DatasetError, match="32 bytes"):
            take_snapshot(texts(["a"]), b"salt", 0)


def test_the_step_records_how_many_consent(tmp_path):
    rows = [row("1", "a@example.com"), row("2", opt_in="no"), row(None, "c@example.com")]
    steps = steps_of(prepared(write(tmp_path, rows)))
    assert steps["rows of a person"] == (3, 2)
    assert steps["people who consent"] == (2, 1)


def test_inspect_counts_consent_by_purpose_and_recipient(tmp_path):
    events = [event(person, "2026-01-01") for person in ("1", "2")]
    events.append(event("2", "2026-02-01", "withdrawn"))
    events.append(event("3", "2026-01-01", why=RESEARCH))
    coverage = inspect(with_events(tmp_path, events)).consent
    assert [(c.purpose, c.recipient, c.people) for c in coverage] == [
        (RESEARCH, "channel", 1),
        (ADS, "channel", 1),
    ]
    definition = describe(tmp_path, columns=COLUMNS | {"opt_in": "consent"})
    assert [(c.purpose, c.people) for c in inspect(definition).consent] == [(RESEARCH, 3), (ADS, 3)]
