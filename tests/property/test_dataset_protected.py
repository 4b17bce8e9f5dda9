"""Minors and sensitive columns: who is left out of a session, and what may not be described."""

from datetime import UTC, date, datetime, timedelta

import pytest
from dataset_builder import ADS, describe, prepared, references_of, row, steps_of, write
from hypothesis import given
from hypothesis import strategies as st

from party.datasets import inspect
from party.datasets.consent import Protected
from party.datasets.definition import Definition
from party.datasets.minors import _first_birth
from party.errors import DatasetError

EMAIL = {"email": "id.email", "opt_in": "consent"}
GUARDIAN = {"column": "guardian", "given": ["yes"]}
TODAY = datetime(2026, 11, 22, 15, tzinfo=UTC).timestamp()


def person(name, **columns):
    return row(name, f"{name}@example.com", **columns)


def taking_part(definition, **changes):
    return references_of(prepared(definition, identifiers=["email"], **changes))


class TestAge:
    def test_who_is_younger_or_of_no_age_takes_no_part(self, tmp_path):
        ages = {"a": "13", "b": "14", "c": "13.9", "d": "40", "e": "", "f": "old", "g": "-1"}
        rows = [person(name, age=age) for name, age in ages.items()]
        definition = write(tmp_path, rows, columns=EMAIL, minors={"under": 14, "age": "age"})
        assert taking_part(definition) == ["b", "d"]

    def test_who_has_no_age_stays_where_the_description_says_so(self, tmp_path):
        rows = [person("a", age=""), person("b", age="13"), person("c", age="20")]
        minors = {"under": 14, "age": "age", "without_age": "stay"}
        assert taking_part(write(tmp_path, rows, columns=EMAIL, minors=minors)) == ["a", "c"]

    @pytest.mark.parametrize(
        ("words", "takes_part"),
        [(["yes"], True), (["no"], False), ([""], False), (["yes", ""], True),
         (["yes", "no"], False)],
    )  # fmt: skip
    def test_a_guardian_lets_a_minor_take_part(self, tmp_path, words, takes_part):
        rows = [person("a", age="9", guardian=word) for word in words]
        rows.append(person("b", age="30", guardian="no"))
        minors = {"under": 14, "age": "age", "guardian": GUARDIAN}
        definition = write(tmp_path, rows, columns=EMAIL, minors=minors)
        assert taking_part(definition) == (["a", "b"] if takes_part else ["b"])

    def test_a_guardian_does_not_speak_for_the_consent_itself(self, tmp_path):
        rows = [person("a", age="9", guardian="yes", opt_in="no"), person("b", age="30")]
        minors = {"under": 14, "age": "age", "guardian": GUARDIAN}
        assert taking_part(write(tmp_path, rows, columns=EMAIL, minors=minors)) == ["b"]

    def test_of_rows_that_contradict_each_other_the_lowest_age_counts(self, tmp_path):
        rows = [person("a", age="30"), person("a", age="12"), person("b", age="14")]
        definition = write(tmp_path, rows, columns=EMAIL, minors={"under": 14, "age": "age"})
        assert taking_part(definition) == ["b"]

    def test_it_is_a_step_and_the_snapshot_has_nobody_of_them(self, tmp_path):
        rows = [person("a", age="30"), person("b", age="12")]
        minors = {"under": 14, "age": "age", "guardian": GUARDIAN}
        for one in rows:
            one["guardian"] = ""
        kept = prepared(write(tmp_path, rows, columns=EMAIL, minors=minors), identifiers=["email"])
        step = "people of 14 years or more, or with a guardian's consent"
        assert steps_of(kept)[step] == (2, 1)
        alone = write(tmp_path, rows[:1], columns=EMAIL)
        assert kept.consent.root == prepared(alone, identifiers=["email"]).consent.root
        assert kept.consent.protected == Protected(minors_under=14)


class TestBirth:
    def test_a_birthday_makes_of_age(self, tmp_path):
        born = {"a": "2012-11-22", "b": "2012-11-23", "c": "1980-01-01", "d": "2012-11-22T23:59:59"}
        rows = [person(name, born=day) for name, day in born.items()]
        definition = write(tmp_path, rows, columns=EMAIL, minors={"under": 14, "born": "born"})
        assert taking_part(definition, now=TODAY) == ["a", "c", "d"]

    def test_a_resumed_session_has_the_ages_of_its_beginning(self, tmp_path):
        rows = [person("a", born="2012-11-23"), person("b", born="1980-01-01")]
        definition = write(tmp_path, rows, columns=EMAIL, minors={"under": 14, "born": "born"})
        later = TODAY + 86_400
        assert taking_part(definition, now=later) == ["a", "b"]
        assert taking_part(definition, now=later, events_until=TODAY) == ["b"]

    @given(
        st.dates(date(1990, 1, 1), date(2025, 1, 1)),
        st.dates(date(2025, 1, 1), date(2040, 1, 1)),
        st.integers(12, 21),
    )
    def test_whoever_has_had_that_birthday_is_no_minor(self, born, today, under):
        had = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        until = datetime.combine(today, datetime.min.time(), UTC) + timedelta(hours=5)
        instant = datetime.combine(born, datetime.min.time(), UTC).timestamp() * 1_000_000
        assert (instant >= _first_birth(under, until.timestamp())) == (had < under)


def test_a_flag_says_who_is_a_minor(tmp_path):
    flags = {"a": "child", "b": "adult", "c": "", "d": "youth"}
    rows = [person(name, kind=flag) for name, flag in flags.items()]
    minors = {"under": 18, "flag": "kind", "minor": ["child", "youth"]}
    assert taking_part(write(tmp_path, rows, columns=EMAIL, minors=minors)) == ["b"]


def test_the_quality_report_counts_minors_and_who_could_consent(tmp_path):
    rows = [
        person("a", age="9", guardian="yes"),
        person("b", age="9", guardian=""),
        person("c", age="", guardian=""),
        person("d", age="30", guardian=""),
    ]
    minors = {"under": 14, "age": "age", "guardian": GUARDIAN}
    quality = inspect(write(tmp_path, rows, columns=EMAIL, minors=minors)).to_dict()
    expected = {"under": 14, "minors": 2, "without_age": 1, "with_guardian": 1, "left_out": 2}
    assert quality["minors"] == expected
    assert {one["people"] for one in quality["consent"]} == {2}


@pytest.mark.parametrize(
    ("minors", "said"),
    [
        ({"under": 14}, "exactly one of age, born, flag"),
        ({"under": 14, "age": "age", "born": "born"}, "exactly one of"),
        ({"under": 14, "flag": "kind"}, "'minor'"),
        ({"under": 14, "age": "age", "minor": ["x"]}, "'minor'"),
        ({"under": 5, "age": "age"}, "from 12 to 21"),
        ({"age": "age"}, "under: is missing"),
        ({"under": 14, "age": "email"}, "declared as id.email"),
        ({"under": 14, "age": "age", "without_age": "perhaps"}, "leave, stay"),
        (
            {"under": 14, "age": "age", "guardian": {"column": "segment", "given": ["yes"]}},
            "declare it as consent",
        ),
    ],
)
def test_a_rule_that_cannot_be_is_refused(tmp_path, minors, said):
    with pytest.raises(DatasetError, match=said):
        describe(tmp_path, columns=EMAIL | {"segment": "attribute"}, minors=minors)


# -- sensitive columns -----------------------------------------------------------------------------

ILLNESS = {"illness": {"column": "illness", "values": ["flu", "none"]}}
HEALTH = {"category": "health", "consent": {"column": "asked", "given": ["yes"]}}
COLUMNS = EMAIL | {"illness": "attribute"}


@pytest.mark.parametrize(
    ("column", "derived", "key"),
    [
        ("illness", {"labels": ILLNESS}, "labels.illness"),
        ("illness", {"labels": {"n": {"count": ["segment", "illness"], "up_to": 2}}}, "labels.n"),
        ("paid", {"labels": {"sum": {"buckets_of": "paid", "bounds": ["0", "9"]}}}, "labels.sum"),
        ("admitted", {"conversions": {"time": "admitted"}}, "conversions.time"),
    ],
)
def test_nothing_is_derived_of_a_sensitive_column_without_separate_consent(
    tmp_path, column, derived, key
):
    with pytest.raises(DatasetError, match=rf"{key}: column '{column}' is sensitive \(health\)"):
        describe(tmp_path, sensitive={column: {"category": "health"}}, **derived)


def test_a_sensitive_column_that_nothing_is_derived_of_keeps_nobody_away(tmp_path):
    rows = [person("a", illness="flu"), person("b", illness="none")]
    sensitive = {"illness": {"category": "health"}}
    assert taking_part(write(tmp_path, rows, columns=COLUMNS, sensitive=sensitive)) == ["a", "b"]


def test_a_label_of_a_sensitive_column_is_of_those_who_gave_separate_consent(tmp_path):
    rows = [
        person("a", illness="flu", asked="yes"),
        person("b", illness="flu", asked="no"),
        person("c", illness="none", asked=""),
        person("d", illness="none", asked="yes", opt_in="no"),
        person("e", illness="none", asked="yes"),
    ]
    labels = ILLNESS | {"segment": {"column": "segment", "values": ["gold"]}}
    sensitive = {"illness": HEALTH}
    definition = write(tmp_path, rows, columns=COLUMNS, sensitive=sensitive, labels=labels)
    ill = prepared(definition, identifiers=["email"], label="illness", values=["flu", "none"])
    assert references_of(ill) == ["a", "e"]
    assert steps_of(ill)["people with separate consent for illness (health)"] == (4, 2)
    assert ill.consent.protected == Protected(sensitive=("illness",))
    by_segment = prepared(definition, identifiers=["email"], values=["gold"])
    assert references_of(by_segment) == ["a", "b", "c", "e"]
    assert by_segment.consent.protected == Protected()
    assert by_segment.consent.root == ill.consent.root, "the snapshot is of consent as such"
    (quality,) = inspect(definition).to_dict()["sensitive"]
    assert quality == {"column": "illness", "category": "health", "people": 3}


@pytest.mark.parametrize(
    ("sensitive", "said"),
    [
        ({"ilness": {"category": "health"}}, "'ilness' is no column"),
        ({"email": {"category": "health"}}, "declared as id.email"),
        ({"illness": {"category": "illness"}}, "expected one of"),
        ({"illness": {}}, "category: is missing"),
        ({"illness": {**HEALTH, "consent": {"column": "illness", "given": ["x"]}}}, "as consent"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(tmp_path, sensitive, said):
    with pytest.raises(DatasetError, match=said):
        describe(tmp_path, columns=COLUMNS, sensitive=sensitive)


def test_the_stored_description_says_the_same(tmp_path):
    minors = {"under": 16, "flag": "kind", "minor": ["child"], "guardian": GUARDIAN}
    definition = describe(
        tmp_path, columns=COLUMNS, minors=minors, sensitive={"illness": HEALTH}, labels=ILLNESS
    )
    again = Definition.from_dict(definition.to_dict())
    assert again == definition
    assert {"kind", "guardian", "asked"} <= set(definition.source_columns)


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from(["", "5", "13", "14", "50"]),
                  st.sampled_from(["", "yes", "no"]), st.sampled_from(["", "yes", "no"]),
                  st.sampled_from(["", "yes", "no"])),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_whoever_takes_part_may(tmp_path_factory, drawn):
    rows = [
        person(name, age=age, guardian=guardian, opt_in=consent, asked=asked, illness="flu")
        for name, age, guardian, consent, asked in drawn
    ]
    rows.append(person("z", age="50", guardian="", opt_in="yes", asked="yes", illness="flu"))
    definition = write(
        tmp_path_factory.mktemp("drawn"), rows, columns=COLUMNS, labels=ILLNESS,
        minors={"under": 14, "age": "age", "guardian": GUARDIAN}, sensitive={"illness": HEALTH},
    )  # fmt: skip

    def says(name, column):
        words = {one[column] for one in rows if one["household"] == name}
        return "yes" in words and "no" not in words

    def of_age(name):
        ages = [one["age"] for one in rows if one["household"] == name and one["age"]]
        return bool(ages) and min(map(int, ages)) >= 14

    expected = {
        name
        for name in "abcdz"
        if says(name, "opt_in") and says(name, "asked") and (of_age(name) or says(name, "guardian"))
    }
    ill = prepared(definition, identifiers=["email"], label="illness", values=["flu"], purpose=ADS)
    assert set(references_of(ill)) == expected
