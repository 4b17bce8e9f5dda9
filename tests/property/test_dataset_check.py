"""Each cause of a small match is planted in a dataset, and named; what is right names none."""

import re

import pytest
from planted_causes import (
    CLEAN,
    MAIL,
    PLANTED,
    RAW_MAIL,
    RAW_TEL,
    TEL,
    email,
    phone,
    plant,
    sha256,
    some,
    write_sample,
    written_email,
)

from party.datasets import inspect
from party.diagnosis import Agreed, Cause, Level, check_dataset
from party.errors import DatasetError


def checked(folder, columns, cells, sampled=False, **options):
    definition = plant(folder, columns, cells)
    sample = write_sample(folder) if sampled else None
    return check_dataset(definition, sample=sample, region="US" if sampled else None, **options)


def named(diagnosis):
    return {str(finding.cause) for finding in diagnosis.findings}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_cause_is_named_and_no_other_and_nobodys_value_is(tmp_path, planted):
    columns, cells, sampled, causes = PLANTED[planted]
    diagnosis = checked(tmp_path, columns, cells, sampled)
    assert named(diagnosis) == causes
    said = repr(diagnosis).lower()
    for i in range(60):
        assert f"person{i}" not in said
        assert f"555{i:04d}" not in said
        assert f"555-{i:04d}" not in said
        assert all(cell.lower()[:24] not in said for cell in cells(i) if len(cell) > 24)
    # Which places of a digest hold letters and which digits would be a fingerprint.
    assert not [one for one in diagnosis.findings if re.search("[xX9]{16}", one.example)]


@pytest.mark.parametrize("clean", CLEAN)
def test_what_is_right_names_no_cause(tmp_path, clean):
    columns, cells, sampled = CLEAN[clean]
    diagnosis = checked(tmp_path, columns, cells, sampled)
    assert diagnosis.findings == ()
    assert not diagnosis.must_correct


@pytest.mark.parametrize(
    "planted", ["placeholders", "digests of placeholders", "newline", "MD5 for SHA-256"]
)
def test_only_what_can_be_corrected_has_to_be(tmp_path, planted):
    columns, cells, sampled, _ = PLANTED[planted]
    diagnosis = checked(tmp_path, columns, cells, sampled)
    assert diagnosis.must_correct is ("placeholder" not in planted)


def test_litter_below_one_in_a_hundred_need_not_be_corrected(tmp_path):
    def cells(i):
        return ["nobody" if i == 7 else email(i)]

    few = check_dataset(plant(tmp_path, RAW_MAIL, cells, people=120))
    assert [(one.cause, one.level) for one in few.findings] == [(Cause.BAD_FORMAT, Level.CONSIDER)]
    many = check_dataset(plant(tmp_path, RAW_MAIL, cells, people=90))
    assert many.must_correct


def test_causes_stand_in_the_order_of_the_people_they_cost(tmp_path):
    def cells(i):
        return [some(i, "nobody", email(i), every=2), some(i, "call me", phone(i), every=3)]

    found = checked(tmp_path, RAW_MAIL | RAW_TEL, cells).findings
    assert [(one.subject, one.people) for one in found] == [("email", 30), ("phone", 20)]
    assert [round(one.share, 2) for one in found] == [0.5, 0.33]


def test_an_example_shows_the_shape_of_what_was_hashed(tmp_path):
    found = checked(tmp_path, MAIL, lambda i: [sha256(email(i) + "\n")], True).findings
    assert found[0].example == "xxxxxx9@xxxxxxx.xxx<U+000A>"


def test_a_person_of_many_rows_counts_once(tmp_path):
    definition = plant(tmp_path, RAW_MAIL, lambda i: ["nobody"])
    with (tmp_path / "people.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"r{i},yes,no-one\n" for i in range(60))
    found = check_dataset(definition)
    assert (found.people, found.findings[0].people) == (60, 60)


# -- what a sample tells ------------------------------------------------------------------------


def test_without_raw_values_it_is_said_what_cannot_be_told(tmp_path):
    diagnosis = checked(tmp_path, MAIL, lambda i: [sha256(email(i).upper())])
    assert diagnosis.findings == ()
    assert "cannot be told" in diagnosis.notes[0]
    assert "--sample" in diagnosis.notes[0]


def test_a_placeholder_in_upper_case_is_a_hint_and_no_proof(tmp_path):
    def cells(i):
        return [some(i, sha256("NULL"), sha256(email(i)), every=30)]

    diagnosis = checked(tmp_path, MAIL, cells)
    assert named(diagnosis) == {"letter case hashed in", "placeholder instead of a value"}
    assert not diagnosis.must_correct


def test_the_digests_of_a_sample_count_where_its_people_are_not_in_the_dataset(tmp_path):
    definition = plant(tmp_path, MAIL, lambda i: [sha256(email(i) + "\n")])
    beside = ("mail", lambda i: sha256(email(i) + "\n"))
    sample = write_sample(tmp_path, range(500, 530), beside=beside)
    assert named(check_dataset(definition, sample=sample)) == {"newline hashed in"}


def test_a_sample_of_other_people_does_not_condemn_the_digests_that_fit(tmp_path):
    definition = plant(tmp_path, MAIL, lambda i: [sha256(email(i))])
    diagnosis = check_dataset(definition, sample=write_sample(tmp_path, range(40, 80)))
    assert diagnosis.findings == ()
    assert any("have no digest here" in note for note in diagnosis.notes)


def test_a_raw_column_of_other_addresses_is_pointed_out_and_no_fault(tmp_path):
    def cells(i):
        return [written_email(i), sha256(some(i, email(i + 5000), email(i)))]

    diagnosis = checked(tmp_path, RAW_MAIL | MAIL, cells)
    assert named(diagnosis) == {"digests that no usual mistake explains"}
    assert not diagnosis.must_correct


def test_a_small_sample_says_how_little_it_rests_on(tmp_path):
    definition = plant(tmp_path, MAIL, lambda i: [sha256(email(i) + "\n")])
    diagnosis = check_dataset(definition, sample=write_sample(tmp_path, range(3)))
    assert named(diagnosis) == {"newline hashed in"}
    assert any("rests on 3" in note for note in diagnosis.notes)


def test_phones_of_a_sample_need_a_region_and_it_is_said(tmp_path):
    definition = plant(tmp_path, TEL, lambda i: [sha256(phone(i))])
    diagnosis = check_dataset(definition, sample=write_sample(tmp_path))
    assert diagnosis.findings == ()
    assert any("could not be read" in note for note in diagnosis.notes)


@pytest.mark.parametrize(
    ("text", "says"),
    [("mail\nx@y.example\n", "no column of raw values"), ("", "is empty"), (None, "no such file")],
)
def test_a_sample_that_tells_nothing_is_refused(tmp_path, text, says):
    definition = plant(tmp_path, MAIL, lambda i: [sha256(email(i))])
    if text is not None:
        (tmp_path / "odd.csv").write_text(text)
    with pytest.raises(DatasetError, match=says):
        check_dataset(definition, sample=tmp_path / "odd.csv")


def test_a_sample_for_a_dataset_without_digests_is_refused(tmp_path):
    definition = plant(tmp_path, RAW_MAIL, lambda i: [email(i)])
    with pytest.raises(DatasetError, match="no column of digests"):
        check_dataset(definition, sample=write_sample(tmp_path))


# -- what a contract tells ----------------------------------------------------------------------


def agreed(ours=("email", "phone"), theirs=("email", "phone")):
    return Agreed("summer", ("phone", "email"), ours, {"channel": frozenset(theirs)})


def test_a_type_that_the_contract_lists_and_the_dataset_lacks_is_missing(tmp_path):
    diagnosis = checked(tmp_path, RAW_MAIL, lambda i: [email(i)], agreed=agreed())
    (found,) = diagnosis.findings
    assert (found.cause, found.subject, found.people) == (Cause.MISSING_TYPE, "phone", 60)
    assert found.level is Level.CORRECT
    assert "channel" in found.evidence


def test_a_type_that_few_people_have_is_named_with_its_coverage(tmp_path):
    def cells(i):
        return [email(i), some(i, phone(i), "", every=30)]

    diagnosis = checked(tmp_path, RAW_MAIL | RAW_TEL, cells, agreed=agreed())
    (found,) = diagnosis.findings
    assert (found.cause, found.people) == (Cause.LOW_COVERAGE, 58)
    assert "3.3%" in found.evidence


def test_a_type_that_was_not_promised_is_a_hint_and_no_fault(tmp_path):
    diagnosis = checked(tmp_path, RAW_MAIL, lambda i: [email(i)], agreed=agreed(ours=("email",)))
    assert named(diagnosis) == {"missing identifier type"}
    assert not diagnosis.must_correct


def test_a_type_that_the_other_side_does_not_offer_is_pointed_out(tmp_path):
    def cells(i):
        return [email(i), phone(i)]

    diagnosis = checked(tmp_path, RAW_MAIL | RAW_TEL, cells, agreed=agreed(theirs=("email",)))
    assert named(diagnosis) == {"the other side has no such identifier"}
    assert not diagnosis.must_correct


def test_a_dataset_that_fits_its_contract_names_no_cause(tmp_path):
    def cells(i):
        return [email(i), phone(i)]

    assert checked(tmp_path, RAW_MAIL | RAW_TEL, cells, agreed=agreed()).findings == ()


# -- the same data elsewhere ---------------------------------------------------------------------


def test_a_column_that_cannot_be_registered_is_diagnosed(tmp_path):
    columns, cells, _, causes = PLANTED["digests in a raw column"]
    definition = plant(tmp_path, columns, cells)
    assert inspect(definition).columns[0].problem
    assert named(check_dataset(definition)) == causes
