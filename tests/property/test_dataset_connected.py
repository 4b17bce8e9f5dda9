"""Rows of several identifiers as people: who they are, what they offer, whose word counts."""

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from dataset_builder import ADS, describe, prepared, references_of, row, steps_of, write
from hypothesis import given, settings
from hypothesis import strategies as st

from client.output import Output
from client.render_dataset import quality_shown
from party.datasets import Definition, inspect
from party.datasets.connection import Connection
from party.diagnosis.check import check_dataset
from party.errors import DatasetError
from psi.identifiers import digest, normalise

COLUMNS = {
    "email": "id.email",
    "mail_hash": "id.email_sha256",
    "tel": {"kind": "id.phone", "region": "US"},
    "cookie": "id.cookie:web",
    "imei": "id.imei",
    "opt_in": "consent",
}
CONNECT = {"connect": ["email", "phone", "cookie:web"], "most_sharing": 2, "most_identifiers": 8}
IDENTIFIERS = ["email", "phone", "cookie:web", "imei"]


def seen(email=None, tel=None, cookie=None, **more):
    """Return one row of the connected dataset."""
    optional = {"mail_hash": None, "imei": None, "customer": None}
    return row(None, email, tel, cookie=cookie, **optional | more)


def connected(folder, rows, **person):
    """Write rows; return the definition, with keys of `person` replaced."""
    return write(folder, rows, columns=COLUMNS, person=CONNECT | person)


def key_of(type_, raw):
    value = digest(type_, normalise(type_, raw, region="US" if type_ == "phone" else None))
    return type_.encode() + b"\0" + value


def keys_of_people(definition, **arguments):
    """Return {reference: keys offered}."""
    result = prepared(definition, **{"identifiers": IDENTIFIERS} | arguments)
    references, keys = references_of(result), list(result.keys)
    people = {reference: set() for reference in references}
    for key, person in result.owners.tolist():
        people[references[person]].add(keys[key])
    return people


class TestWhoIsAPerson:
    def test_rows_that_share_any_identifier_are_one_person(self, tmp_path):
        rows = [
            seen("a@example.com", cookie="c1"),
            seen("b@example.com"),
            seen(tel="2125550100", cookie="c1"),
            seen(tel="+1 212-555-0100"),
        ]
        assert keys_of_people(connected(tmp_path, rows)) == {
            "1": {
                key_of("email", "a@example.com"), key_of("phone", "2125550100"),
                key_of("cookie:web", "c1"),
            },
            "2": {key_of("email", "b@example.com")},
        }  # fmt: skip

    def test_the_normalised_form_counts_and_not_the_text(self, tmp_path):
        hashed = hashlib.sha256(b"a@example.com").hexdigest()
        rows = [seen(" A@Example.com "), seen("a@example.com"), seen(mail_hash=hashed.upper())]
        assert list(keys_of_people(connected(tmp_path, rows))) == ["1"]

    @pytest.mark.parametrize("text", ["unknown", "test@test.com", "no address", ""])
    def test_placeholders_and_invalid_values_connect_nothing(self, tmp_path, text):
        rows = [seen(text, cookie="c1"), seen(text, cookie="c2")]
        assert list(keys_of_people(connected(tmp_path, rows))) == ["1", "2"]

    def test_a_row_without_a_usable_identifier_is_nobodys(self, tmp_path):
        definition = connected(tmp_path, [seen("unknown"), seen("a@example.com"), seen()])
        assert list(keys_of_people(definition)) == ["2"]
        assert steps_of(prepared(definition))["rows of a person"] == (3, 1)

    def test_types_that_are_not_named_connect_nothing_and_are_offered(self, tmp_path):
        imei = "490154203237518"
        rows = [seen("a@example.com", imei=imei), seen("b@example.com", imei=imei)]
        people = keys_of_people(connected(tmp_path, rows))
        assert list(people) == ["1", "2"]
        assert all(key_of("imei", imei) in keys for keys in people.values())

    def test_the_gmail_option_changes_keys_and_not_people(self, tmp_path):
        rows = [seen("a.b@gmail.com", cookie="c1"), seen("ab@gmail.com", cookie="c2")]
        definition = connected(tmp_path, rows)
        plain, merged = keys_of_people(definition), keys_of_people(definition, gmail=True)
        assert list(plain) == list(merged) == ["1", "2"]
        assert all(key_of("email", "ab@gmail.com") in keys for keys in merged.values())

    def test_a_label_on_which_the_rows_disagree_is_none(self, tmp_path):
        rows = [
            seen("a@example.com", cookie="c1", segment="gold"),
            seen(cookie="c1", segment="new"),
            seen("b@example.com", segment="new"),
            seen("b@example.com", segment=None),
        ]
        result = prepared(connected(tmp_path, rows))
        assert references_of(result) == ["3"]
        assert result.labels.tolist() == [2]


class TestWhatIsShared:
    ROWS = (
        *(seen(f"{name}@example.com", cookie="kiosk") for name in "abc"),
        seen(cookie="kiosk"),
    )

    def test_an_over_shared_identifier_joins_nobody_and_is_offered_for_nobody(self, tmp_path):
        assert keys_of_people(connected(tmp_path, self.ROWS)) == {
            str(n): {key_of("email", f"{name}@example.com")} for n, name in enumerate("abc", 1)
        }

    def test_the_report_counts_it_by_type(self, tmp_path):
        report = inspect(connected(tmp_path, self.ROWS)).connected
        assert [tuple(one.to_dict().values()) for one in report.types] == [
            ("email", 3, 3, 0, 0), ("phone", 0, 0, 0, 0), ("cookie:web", 0, 1, 1, 1),
        ]  # fmt: skip
        assert report.rows_of_nobody == 1
        assert report.sizes["1"] == 3

    def test_the_report_counts_people_and_not_rows_with_an_identifier(self, tmp_path):
        rows = [seen("a@example.com", cookie="c1"), *(seen(cookie="c1") for _ in range(9))]
        report = inspect(connected(tmp_path, [*rows, seen(cookie="c2")]))
        found = {one.type: (one.people, one.identifiers) for one in report.types}
        assert (found["email"], found["cookie:web"]) == ((1, 1), (2, 2))

    def test_an_identifier_that_is_nobodys_is_not_counted_among_the_types(self, tmp_path):
        found = {one.type: one.identifiers for one in inspect(connected(tmp_path, self.ROWS)).types}
        assert found == {"email": 3, "phone": 0, "cookie:web": 0, "imei": 0}

    def test_a_component_above_the_bound_is_broken_and_counted(self, tmp_path):
        rows = [seen(f"p{n // 2}@example.com", cookie=f"c{(n + 1) // 2}") for n in range(20)]
        definition = connected(tmp_path, rows)
        report = inspect(definition).connected
        assert (report.broken, report.broken_rows) == (1, 20)
        assert report.sizes["2"] == 10
        assert len(keys_of_people(definition)) == 10


class TestConsent:
    def test_a_refusal_under_another_identifier_of_the_person_counts(self, tmp_path):
        rows = [
            seen("a@example.com", tel="2125550100"),
            seen(tel="2125550100", cookie="c1"),
            seen(cookie="c1", opt_in="no"),
            seen("b@example.com"),
        ]
        assert keys_of_people(connected(tmp_path, rows)) == {
            "4": {key_of("email", "b@example.com")}
        }

    def test_silence_does_not_undo_what_another_row_gives(self, tmp_path):
        rows = [seen("a@example.com", cookie="c1", opt_in=None), seen(cookie="c1")]
        assert list(keys_of_people(connected(tmp_path, rows))) == ["1"]

    def test_a_table_of_events_reaches_the_person_through_any_row(self, tmp_path):
        (tmp_path / "events.csv").write_text(
            "customer,state,why,who,at\n"
            f"k1,given,{ADS},channel,2020-01-01T00:00:00Z\n"
            f"k2,withdrawn,{ADS},channel,2020-01-02T00:00:00Z\n"
            f"k3,given,{ADS},channel,2020-01-01T00:00:00Z\n",
            encoding="utf-8",
        )
        consent = {
            "table": "events.csv", "key": "customer", "state": "state", "given": ["given"],
            "purpose": "why", "recipient": "who", "time": "at",
        }  # fmt: skip
        rows = [
            seen("a@example.com", cookie="c1", customer="k1"),
            seen(cookie="c1", customer="k2"),
            seen("b@example.com", customer="k3"),
        ]
        columns = {name: kind for name, kind in COLUMNS.items() if name != "opt_in"}
        definition = write(tmp_path, rows, columns=columns, person=CONNECT, consent=consent)
        assert list(keys_of_people(definition)) == ["3"]

    @given(
        st.lists(
            st.builds(
                seen,
                st.one_of(st.none(), st.integers(0, 4).map(lambda n: f"p{n}@example.com")),
                st.one_of(st.none(), st.integers(0, 4).map(lambda n: f"212555010{n}")),
                st.one_of(st.none(), st.integers(0, 4).map(lambda n: f"c{n}")),
                opt_in=st.sampled_from(["yes", "yes", "yes", "no", None]),
            ),
            min_size=1,
            max_size=14,
        ),
        st.integers(1, 3),
        st.integers(4, 8),
    )
    @settings(max_examples=50, deadline=None)
    def test_nothing_is_offered_that_stands_in_a_row_that_refuses(self, rows, sharing, most):
        refused = {
            key_of(type_, each[column])
            for each in rows
            if each["opt_in"] == "no"
            for type_, column in (("email", "email"), ("phone", "tel"), ("cookie:web", "cookie"))
            if each[column]
        }
        rows.append(seen("always@example.com", "2125550199", "c-always"))
        with TemporaryDirectory() as folder:
            definition = connected(Path(folder), rows, most_sharing=sharing, most_identifiers=most)
            offered = list(keys_of_people(definition, label=None, values=[]).values())
        assert not refused & set().union(*offered)
        assert sum(map(len, offered)) == len(set().union(*offered))
        assert all(len(keys) <= most for keys in offered)


class TestReferences:
    def test_a_person_is_called_by_the_smallest_text_that_is_theirs_alone(self, tmp_path):
        rows = [
            seen("a@example.com", cookie="c1", customer="k9"),
            seen(cookie="c1", customer=" k2 "),
            seen("b@example.com", customer="k5"),
            seen("c@example.com", customer="k5"),
            seen("d@example.com"),
        ]
        definition = connected(tmp_path, rows, reference="customer")
        assert list(keys_of_people(definition)) == ["k2", "row 3", "row 4", "row 5"]

    def test_the_order_of_rows_calls_nobody_otherwise(self, tmp_path):
        rows = [seen(f"p{n // 3}@example.com", customer=f"k{n}") for n in range(30)]
        one = keys_of_people(connected(tmp_path, rows, reference="customer"))
        other = keys_of_people(connected(tmp_path, rows[::-1], reference="customer"))
        assert one == other
        assert len(one) == 10

    def test_a_column_that_could_be_taken_for_rows_is_refused(self, tmp_path):
        rows = [seen("a@example.com"), seen("b@example.com", customer="row 1")]
        with pytest.raises(DatasetError, match=r"column 'customer': .*name another column"):
            prepared(connected(tmp_path, rows, reference="customer"))

    def test_row_numbers_are_those_of_the_first_row(self, tmp_path):
        rows = [seen(cookie="c1", opt_in="no"), seen(cookie="c2"), seen("a@b.com", cookie="c2")]
        assert list(keys_of_people(connected(tmp_path, rows))) == ["2"]


class TestReport:
    ROWS = (
        *(seen("a@example.com", cookie=f"c{n}") for n in range(4)),
        seen("b@example.com"),
        seen("unknown"),
    )

    def test_it_says_rows_people_and_sizes_and_names_nobody(self, tmp_path):
        report = inspect(connected(tmp_path, self.ROWS))
        assert (report.rows, report.people) == (6, 2)
        document = json.loads(json.dumps(report.to_dict()))
        assert document["connected"]["sizes"] == {
            "1": 1, "2": 0, "3–5": 1, "6–10": 0, "11–100": 0, "101+": 0,
        }  # fmt: skip
        assert document["connected"]["rows_of_nobody"] == 1
        assert "example.com" not in json.dumps(document)

    def test_the_command_line_shows_it(self, tmp_path, capsys):
        report = inspect(connected(tmp_path, self.ROWS)).to_dict()
        Output().result(report, *quality_shown(report))
        shown = capsys.readouterr().out
        for part in ("1 rows are nobody's", "cookie:web", "over-shared", "0 components were above"):
            assert part in shown

    def test_a_column_that_cannot_be_used_says_why_and_the_rest_is_reported(self, tmp_path):
        rows = [seen(hashlib.sha256(b"x").hexdigest(), cookie="c1"), seen(cookie="c1")]
        definition = connected(tmp_path, rows)
        report = inspect(definition)
        assert "already a digest" in report.columns[0].problem
        assert report.people == 1
        with pytest.raises(DatasetError, match=r"column 'email': .*already a digest"):
            prepared(definition)

    def test_the_diagnosis_speaks_of_connected_people(self, tmp_path):
        rows = [seen(hashlib.sha256(b"x").hexdigest(), cookie="c1"), seen(cookie="c1")]
        rows += [seen(f"p{n % 3}@example.com", mail_hash="no digest") for n in range(9)]
        assert check_dataset(connected(tmp_path, rows)).people == 1
        assert check_dataset(connected(tmp_path, rows[2:])).people == 3

    def test_a_report_of_people_by_column_says_nothing_of_it(self, tmp_path):
        assert inspect(write(tmp_path, [row("1", "a@example.com")])).to_dict()["connected"] is None


class TestDescription:
    def test_it_survives_storage(self, tmp_path):
        definition = describe(tmp_path, columns=COLUMNS, person=CONNECT | {"reference": "customer"})
        assert definition.person == Connection(("email", "phone", "cookie:web"), 2, 8, "customer")
        assert "customer" in definition.source_columns
        assert "customer" in definition.exact_columns
        stored = json.loads(json.dumps(definition.to_dict()))
        assert Definition.from_dict(stored) == definition

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"column": "household"}, "person.column: .*not by both"),
            ({"connect": ["email", "oaid"]}, "person.connect: no column holds 'oaid'; .*imei"),
            ({"connect": ["tel"]}, "person.connect: no column holds 'tel'"),
            ({"connect": []}, "person.connect: expected a list of 1"),
            ({"connect": "email"}, "person.connect: expected a list"),
            ({"connect": ["email", "email"]}, "person.connect: 'email' stands twice"),
            ({"most_sharing": 0}, "person.most_sharing: .*from 1 to"),
            ({"most_sharing": 1_001}, "person.most_sharing: .*to 1000"),
            ({"most_sharing": "2"}, "without quotes"),
            ({"most_identifiers": 1}, "person.most_identifiers: .*from 2"),
            ({"most_identifiers": 10_001}, "person.most_identifiers: .*to 10000"),
            ({"most_identifiers": 3}, "one row alone has up to 4 .*write 4 or more"),
            ({"most_rows": 5}, "person.most_rows: unknown key"),
            ({"reference": 7}, "person.reference: .*put it in quotes"),
        ],
    )
    def test_a_fault_is_named_with_its_key(self, tmp_path, changes, says):
        with pytest.raises(DatasetError, match=says):
            describe(tmp_path, columns=COLUMNS, person=CONNECT | changes)

    @pytest.mark.parametrize("missing", CONNECT)
    def test_every_bound_is_stated(self, tmp_path, missing):
        person = {key: value for key, value in CONNECT.items() if key != missing}
        with pytest.raises(DatasetError, match=f"person.{missing}: is missing"):
            describe(tmp_path, columns=COLUMNS, person=person)

    def test_a_reference_that_the_source_lacks_is_named(self, tmp_path):
        definition = connected(tmp_path, [seen("a@example.com")], reference="custmer")
        with pytest.raises(DatasetError, match="no column 'custmer'; did you mean 'customer'"):
            inspect(definition)
