"""What a session takes from a dataset: bounds that hold, keys that meet, the same bytes again."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from dataset_builder import prepared, references_of, row, steps_of, write
from hypothesis import given, settings
from hypothesis import strategies as st

from party.errors import DatasetError
from psi.identifiers import digest, normalise

VALUES = ["gold", "silver", "new"]


def key_of(type_, raw):
    value = digest(type_, normalise(type_, raw, region="US" if type_ == "phone" else None))
    return type_.encode() + b"\0" + value


def email(number):
    return f"u{number}@example.com"


def phone(number):
    return f"212555{number:04d}"


def labelled(result):
    """Return {key: (label, references of its people)}."""
    owners = {}
    references = references_of(result)
    for key, person in result.owners.tolist():
        owners.setdefault(key, set()).add(references[person])
    return {
        key: (int(result.labels[index]), owners[index]) for index, key in enumerate(result.keys)
    }


rows_of_people = st.lists(
    st.builds(
        row,
        st.integers(0, 4).map(str),
        st.one_of(st.none(), st.integers(0, 5).map(email), st.just("unknown")),
        st.one_of(st.none(), st.integers(0, 5).map(phone)),
        st.sampled_from(["gold", "silver", "bronze", None]),
        st.sampled_from(["yes", "yes", "yes", "no"]),
    ),
    min_size=1,
    max_size=12,
)


COLUMN_OF = {"email": "email", "phone": "tel"}


def keys_of(rows, type_):
    """Return the keys of one type in a person's rows, in the order in which they are chosen."""
    cells = {each[COLUMN_OF[type_]] for each in rows} - {None, "unknown"}
    return sorted({key_of(type_, cell) for cell in cells})


def expected_keys(rows, order, most):
    """Return what `labelled` must be, by plain loops over people."""
    people = {}
    for each in rows:
        people.setdefault(each["household"], []).append(each)
    offered = {}
    for household, own in people.items():
        segments = {each["segment"] for each in own} - {None}
        refused = any(each["opt_in"] == "no" for each in own)
        if refused or len(segments) != 1 or not segments <= set(VALUES):
            continue
        label = VALUES.index(segments.pop())
        for key in [key for type_ in order for key in keys_of(own, type_)][:most]:
            labels, owners = offered.setdefault(key, (set(), set()))
            labels.add(label)
            owners.add(household)
    return {
        key: (labels.pop(), owners) for key, (labels, owners) in offered.items() if len(labels) == 1
    }


@given(
    rows_of_people,
    st.permutations(["email", "phone"]),
    st.sampled_from([("all", 8), ("all", 1), ("all", 2), ("one", 8)]),
)
@settings(max_examples=60, deadline=None)
def test_keys_labels_and_owners_are_what_plain_loops_say(rows, order, offer):
    kind, most = offer
    with TemporaryDirectory() as folder:
        definition = write(Path(folder), rows)
        result = prepared(definition, identifiers=order, offer=kind, most_identifiers=most)
    assert labelled(result) == expected_keys(rows, order, 1 if kind == "one" else most)
    first_owner = {int(key): int(person) for key, person in result.owners[::-1]}
    assert result.persons.tolist() == [first_owner[key] for key in range(len(result.keys))]


class TestOffers:
    ROWS = (
        row("1", email(1), phone(1)),
        row("1", email(2), phone(1)),
        row("2", None, phone(2)),
        row("3", None, None),
    )

    def test_all_offers_every_identifier_of_a_person_once(self, tmp_path):
        result = prepared(write(tmp_path, self.ROWS))
        assert set(result.keys) == {
            key_of("email", email(1)), key_of("email", email(2)),
            key_of("phone", phone(1)), key_of("phone", phone(2)),
        }  # fmt: skip

    def test_the_bound_is_enforced_in_the_contracts_order_and_recorded(self, tmp_path):
        definition = write(tmp_path, self.ROWS)
        result = prepared(definition, most_identifiers=2, identifiers=["phone", "email"])
        best = min(key_of("email", email(1)), key_of("email", email(2)))
        assert set(result.keys) == {key_of("phone", phone(1)), key_of("phone", phone(2)), best}
        assert steps_of(result)["identifiers, at most 2 of a person"] == (4, 3)

    def test_one_is_the_first_type_that_the_person_has(self, tmp_path):
        definition = write(tmp_path, self.ROWS)
        best = min(key_of("email", email(1)), key_of("email", email(2)))
        by_mail = prepared(definition, offer="one")
        assert set(by_mail.keys) == {best, key_of("phone", phone(2))}
        by_phone = prepared(definition, offer="one", identifiers=["phone", "email"])
        assert set(by_phone.keys) == {key_of("phone", phone(1)), key_of("phone", phone(2))}

    def test_coverage_counts_people_by_type_before_the_bound(self, tmp_path):
        result = prepared(
            write(tmp_path, self.ROWS), offer="one", identifiers=["email", "maid", "phone"]
        )
        assert result.coverage == {"email": 1, "maid": 0, "phone": 2}
        assert steps_of(result)["people with an identifier"] == (3, 2)

    def test_raw_and_digest_columns_of_one_type_are_one_identifier(self, tmp_path):
        hashed = hashlib.sha256(b"u1@example.com").hexdigest()
        rows = [row("1", email(1), mail_hash=hashed.upper()), row("2", None, mail_hash=hashed)]
        columns = {"email": "id.email", "mail_hash": "id.email_sha256"}
        definition = write(tmp_path, rows, columns=columns)
        result = prepared(definition, identifiers=["email"])
        assert list(result.keys) == [key_of("email", email(1))]
        assert labelled(result) == {key_of("email", email(1)): (0, {"1", "2"})}
        assert steps_of(result)["identifiers, at most 8 of a person"] == (2, 2)

    def test_the_gmail_option_joins_aliases(self, tmp_path):
        definition = write(tmp_path, [row("1", "a.b@gmail.com"), row("2", "ab+x@gmail.com")])
        assert len(prepared(definition).keys) == 2
        assert list(prepared(definition, gmail=True).keys) == [key_of("email", "ab@gmail.com")]


class TestSharedKeys:
    def test_under_different_labels_a_key_is_dropped_and_counted(self, tmp_path):
        rows = [row("1", email(1), phone(1)), row("2", email(1), phone(2), segment="new")]
        result = prepared(write(tmp_path, rows))
        assert set(result.keys) == {key_of("phone", phone(1)), key_of("phone", phone(2))}
        assert steps_of(result)["keys under one label"] == (3, 2)

    def test_under_one_label_it_stands_once_and_knows_its_people(self, tmp_path):
        rows = [row(str(n), email(1), phone(n)) for n in (1, 2)]
        result = prepared(write(tmp_path, rows))
        assert labelled(result)[key_of("email", email(1))] == (0, {"1", "2"})
        assert steps_of(result)["keys, each once"] == (4, 3)

    def test_a_dropped_key_does_not_shift_the_owners_of_the_next(self, tmp_path):
        by_key = sorted(range(20), key=lambda number: key_of("email", email(number)))
        rows = [row("1", email(by_key[0])), row("2", email(by_key[0]), segment="new")]
        rows += [row("3", email(by_key[1])), row("4", email(by_key[2]), segment="new")]
        assert labelled(prepared(write(tmp_path, rows))) == {
            key_of("email", email(by_key[1])): (0, {"3"}),
            key_of("email", email(by_key[2])): (2, {"4"}),
        }

    def test_in_a_match_labels_do_not_separate(self, tmp_path):
        rows = [row("1", email(1)), row("2", email(1), segment="new")]
        result = prepared(write(tmp_path, rows), label=None, values=[])
        assert labelled(result) == {key_of("email", email(1)): (0, {"1", "2"})}

    def test_the_label_of_someone_without_consent_drops_nothing(self, tmp_path):
        rows = [row("1", email(1)), row("2", email(1), segment="new", opt_in="no")]
        assert len(prepared(write(tmp_path, rows)).keys) == 1


class TestPeople:
    def test_without_a_person_column_each_row_is_one(self, tmp_path):
        rows = [row("1", email(1)), row("1", email(2)), row("1", opt_in="no")]
        result = prepared(write(tmp_path, rows, person=None))
        assert references_of(result) == ["1", "2"]
        assert steps_of(result)["people"] == (3, 3)

    def test_row_numbers_run_through_all_files(self, tmp_path):
        write(tmp_path, [row("x", email(1))], name="in/a.csv")
        write(tmp_path, [row("x", email(2)), row("x", email(3))], name="in/b.csv")
        definition = write(
            tmp_path, [row("x", email(4))], name="in/c.csv", source="in", person=None
        )
        assert references_of(prepared(definition)) == ["1", "2", "3", "4"]

    def test_white_space_does_not_make_another_person(self, tmp_path):
        result = prepared(write(tmp_path, [row("h1", email(1)), row(" h1 ", email(2))]))
        assert references_of(result) == ["h1"]


class TestDeterminism:
    ROWS = tuple(
        row(str(n % 700), email(n), phone(n), segment=VALUES[n % 700 % 3]) for n in range(2000)
    )

    def assert_same(self, one, other):
        assert one.keys == other.keys
        assert np.array_equal(one.labels, other.labels)
        assert np.array_equal(one.persons, other.persons)
        assert np.array_equal(one.owners, other.owners)
        assert references_of(one) == references_of(other)
        assert one.steps == other.steps
        assert one.coverage == other.coverage
        assert one.snapshot == other.snapshot
        assert one.consent.root == other.consent.root

    def test_the_same_files_give_the_same_bytes(self, tmp_path):
        definition = write(tmp_path, self.ROWS)
        self.assert_same(prepared(definition), prepared(definition))

    def test_an_executor_changes_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setattr("psi.columns._CHUNK", 1)  # else there is one task, which is done here
        definition = write(tmp_path, self.ROWS)
        with ThreadPoolExecutor(2) as executor:
            self.assert_same(prepared(definition), prepared(definition, executor=executor))

    def test_the_order_of_rows_changes_no_key(self, tmp_path):
        keys = prepared(write(tmp_path, self.ROWS), most_identifiers=2).keys
        assert prepared(write(tmp_path, self.ROWS[::-1]), most_identifiers=2).keys == keys

    def test_keys_stand_in_an_order_that_says_nothing_of_the_rows(self, tmp_path):
        result = prepared(write(tmp_path, self.ROWS))
        keys = list(result.keys)
        assert keys == sorted(keys)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"identifiers": []}, "no identifier of the requested types; it has email, phone"),
        ({"identifiers": ["maid"]}, "no identifier of the requested types"),
        ({"identifiers": ["email", "email"]}, "twice"),
        ({"identifiers": ["e-mail"]}, "unknown identifier type"),
        ({"offer": "some"}, "'all' identifiers"),
        ({"most_identifiers": 0}, "1 to 64"),
        ({"most_identifiers": 65}, "1 to 64"),
        ({"salt": b""}, "32 bytes"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(tmp_path, changes, says):
    with pytest.raises(DatasetError, match=says):
        prepared(write(tmp_path, [row("1", email(1))]), **changes)


def test_a_column_without_usable_values_covers_nobody(tmp_path):
    result = prepared(write(tmp_path, [row("1", "unknown", phone(1)), row("2", None, phone(2))]))
    assert result.coverage == {"email": 0, "phone": 2}


def test_a_half_digest_column_is_an_error_with_rows_and_remedy(tmp_path):
    secret = hashlib.sha256(b"x").hexdigest()
    write(tmp_path, [row("0", email(0), opt_in="no")], name="in/a.csv")
    definition = write(tmp_path, [row("2", secret)], name="in/b.csv", source="in")
    with pytest.raises(DatasetError, match=r"column 'email': .* row 2: .*through all files") as at:
        prepared(definition)
    assert "email_sha256" in str(at.value)
    assert secret not in str(at.value)
    assert at.value.__cause__ is None


def test_repr_shows_nobody(tmp_path):
    result = prepared(write(tmp_path, [row("household-7", email(1))]))
    assert "household-7" not in repr(result)
    assert "after=" not in repr(result)


SESSION = """
import sys
from pathlib import Path
import numpy as np
from party.datasets import load_definition
from party.datasets.prepare import prepare
from party.matched import matched_people

definition = load_definition(Path(sys.argv[1]))
for name in definition.labels:
    result = prepare(
        definition, label=name, values=definition.label(name).values,
        identifiers=["email", "phone"], offer="all", most_identifiers=8,
        purpose="dpv:TargetedAdvertising", recipients=["channel"], salt=bytes(32), now=1.8e9,
    )
    print(len(matched_people(result, np.arange(len(result.keys)), ["email", "phone"])))
print("pandas" in sys.modules)
"""


CONNECT = {"connect": ["email", "phone"], "most_sharing": 3, "most_identifiers": 9}


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("receipts.csv", "household"),
        ("receipts.parquet", "household"),
        ("receipts.csv", CONNECT | {"reference": "household"}),
    ],
)
def test_a_session_reads_its_dataset_without_loading_pandas(tmp_path: Path, name: str, person):
    rows = [row("1", email(1), phone(1), " gold "), row("2", email(2), None, ""), row("3", None)]
    rows += [row("4", email(4), phone(4), None), row("5", email(5), segment="new", opt_in=" ")]
    labels = {
        "value": {"column": "segment", "values": ["gold", "new"]},
        "number": {"count": "segment", "up_to": 2},
        "sets": {"set_of": "segment", "among": ["gold", "new"]},
    }
    write(tmp_path, rows, name=name, labels=labels, person=person)
    command = [sys.executable, "-c", SESSION, str(tmp_path / "dataset.yaml")]
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.stdout.split(), run.stderr) == (["1", "1", "1", "False"], "")
