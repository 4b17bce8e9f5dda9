"""The quality report: what is in each column, and that nobody can be recognised in it."""

import hashlib
import json

import pandas as pd
import pytest
from dataset_builder import describe, row, write

from party.datasets import inspect

COLUMNS = {
    "email": "id.email",
    "tel": {"kind": "id.phone", "region": "US"},
    "spend": "value",
    "sent_at": "event_time",
    "campaign": "attribute",
    "opt_in": "consent",
}
ROWS = [
    row("1", "Ann.Private@Example.com", "2125550100", spend="12.50", sent_at="2026-01-01",
        campaign="C8", note="x"),
    row("1", "ann.private@example.com", "138", spend="-3e2", sent_at="2026-01-01T10:00:00Z"),
    row("2", "unknown", None, spend="12,50", sent_at="soon", campaign="C8", opt_in="no"),
    row("3", "bob@private_host.com", "000000", spend=None, sent_at=None, campaign="C13"),
]  # fmt: skip


@pytest.fixture
def report(tmp_path):
    return inspect(write(tmp_path, ROWS, columns=COLUMNS))


def column(report, name):
    return next(column for column in report.columns if column.name == name)


def test_rows_people_files_and_what_is_never_read(report):
    assert (report.dataset, report.rows, report.people) == ("receipts", 4, 3)
    assert report.files == ("receipts.csv",)
    assert report.undeclared == ("note",)


def test_identifiers_are_counted_by_reason(report):
    email = column(report, "email").quality
    assert (email.rows, email.valid, email.null, email.distinct) == (4, 2, 0, 1)
    assert email.refused == {"placeholder": 1, "domain is not valid under IDNA": 1}
    assert email.examples["domain is not valid under IDNA"] == "xxx@xxxxxxx_xxxx.xxx"
    tel = column(report, "tel").quality
    assert tel.refused == {"placeholder": 1, "impossible length for its country": 1}
    assert (tel.valid, tel.null) == (1, 1)


def test_digests_that_were_encoded_twice_make_a_column_unusable(tmp_path):
    """The hex of an MD5's hex is as long as a SHA-256, and would meet nobody, silently."""

    def twice(i):
        return hashlib.md5(b"%d" % i).hexdigest().encode().hex()

    def once(i):
        return hashlib.sha256(b"%d" % i).hexdigest()

    columns = {"email": "id.email_sha256", "opt_in": "consent"}
    for one, usable in ((twice, False), (once, True)):
        rows = [row(str(i), one(i)) for i in range(40)]
        [email, _] = inspect(write(tmp_path, rows, columns=columns)).columns
        assert (email.problem is None) == usable
    mixed = [row(str(i), once(i) if i else twice(i)) for i in range(40)]
    [email, _] = inspect(write(tmp_path, mixed, columns=columns)).columns
    assert email.problem.startswith("digest encoded twice")


def test_people_and_not_rows_are_counted_by_type(tmp_path):
    """One person with many rows weighs no more than one with a single row."""
    busy = [row("1", "a@example.com", None) for _ in range(8)]
    rows = [*busy, row("2", None, "2125550100"), row("2", "b@example.com", "2125550101")]
    report = inspect(write(tmp_path, [*rows, row("3"), row(None, "c@example.com")]))
    found = [(one.type, one.people, one.identifiers) for one in report.types]
    assert found == [("email", 2, 3), ("phone", 1, 2)]


def test_values_and_times_are_checked(report):
    spend = column(report, "spend").quality
    assert (spend.valid, spend.null, spend.refused) == (2, 1, {"not a number": 1})
    assert spend.examples == {"not a number": "99,99"}
    sent = column(report, "sent_at").quality
    assert (sent.valid, sent.null, sent.refused) == (2, 1, {"not a time": 1})
    campaign = column(report, "campaign").quality
    assert (campaign.valid, campaign.null, campaign.distinct) == (3, 1, 2)


def test_a_column_that_cannot_be_used_says_why_and_the_others_are_reported(tmp_path):
    rows = [row("1", hashlib.sha256(b"x").hexdigest(), None), row("2", "b@example.com", None)]
    report = inspect(write(tmp_path, rows))
    assert "row 1: already a digest" in column(report, "email").problem
    assert "no value" in column(report, "tel").problem
    assert column(report, "opt_in").quality.valid == 2


def test_a_column_of_nothing_but_refused_values_cannot_be_used(tmp_path):
    rows = [
        row(str(i), text, "2125550100") for i, text in enumerate(("ann at x", "unknown", "bob y"))
    ]
    report = inspect(write(tmp_path, rows))
    assert column(report, "email").problem == (
        "none of its values is an identifier as declared; most often: space or invisible character "
        "inside (xxx xx x). Correct the column or its declaration, or leave it out"
    )
    assert column(report, "email").quality.refused["placeholder"] == 1
    assert column(report, "tel").problem is None


def test_the_report_is_json_and_names_nobody(report):
    text = json.dumps(report.to_dict())
    for secret in ("rivate", "Ann", "ann.", "2125550100", "12.50"):
        assert secret not in text
    assert json.loads(text)["columns"][0]["refused"]["placeholder"] == 1


def test_one_row_and_empty_cells_are_enough_to_report(tmp_path):
    frame = pd.DataFrame([row("1", "a@example.com", "2125550100")])
    (tmp_path / "x").mkdir()
    report = inspect(write(tmp_path, frame, name="x/one.parquet"))
    assert report.rows == report.people == 1
    assert describe(tmp_path, source="x/one.parquet").name == report.dataset
