"""Descriptions of datasets: what people write is read in full or refused with the remedy."""

import json
from pathlib import Path

import pytest
from dataset_builder import describe, description

from party.datasets import Definition, load_definition
from party.datasets.labels import SetLabel
from party.errors import DatasetError

EXAMPLE = """
dataset: receipts
source: receipts/*.parquet        # file, folder or glob
person: household
columns:
  email: id.email
  tel: {kind: id.phone, region: US}
  tel_hash: id.phone_sha256
  idfa: id.maid
  campaign: attribute
  sent_at: event_time
  spend: value
  opt_in: consent
consent:
  column: opt_in
  given: [yes, "true", "1"]
  purposes: [dpv:TargetedAdvertising, dpv:MarketResearch]
  recipients: [channel]
labels:
  segment:   {column: segment, values: [gold, silver, new]}
  frequency: {count: campaign, up_to: 4}
  campaigns: {set_of: campaign, among: [C18, C13, C8]}
"""
TABLE = {
    "table": "consents.csv",
    "key": "household",
    "state": "state",
    "given": ["given"],
    "purpose": "why",
    "recipient": "who",
    "time": "at",
}


def test_the_example_means_what_it_says(tmp_path):
    path = tmp_path / "receipts.yaml"
    path.write_text(EXAMPLE, encoding="utf-8")
    definition = load_definition(path)
    assert definition.types == ("email", "phone", "maid")
    assert [column.spec.declaration for column in definition.identifiers] == [
        "email",
        "phone",
        "phone_sha256",
        "maid",
    ]
    assert definition.identifiers[1].spec.region == "US"
    assert definition.consent.given == ("yes", "true", "1")
    assert definition.label("frequency").values == ("1", "2", "3", "4+")
    assert definition.label("campaigns").values == (
        "C13",
        "C18",
        "C8",
        "C13+C18",
        "C13+C8",
        "C18+C8",
        "C13+C18+C8",
    )
    assert set(definition.source_columns) >= {"household", "segment", "campaign", "opt_in"}


@pytest.mark.parametrize(
    "changes",
    [{}, {"consent": TABLE, "columns": {"email": "id.email"}}, {"person": None, "labels": None}],
)
def test_a_description_survives_storage(tmp_path, changes):
    definition = describe(tmp_path, **changes)
    stored = json.loads(json.dumps(definition.to_dict()))
    assert Definition.from_dict(stored) == definition


def with_columns(**columns):
    return {"columns": description()["columns"] | columns}


def with_consent(**keys):
    return {"consent": description()["consent"] | keys}


def with_label(**label):
    return {"labels": {"segment": label}}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"soruce": "x"}, "soruce: unknown key; did you mean 'source'"),
        ({"dataset": None}, "dataset: is missing"),
        ({"consent": None}, "consent: is missing"),
        ({"source": ""}, "source: "),
        ({"person": 7}, "person: .*put it in quotes"),
        ({"columns": {}}, "columns: expected 1 to"),
        ({"columns": {"opt_in": "consent"}}, "no column holds an identifier"),
        (with_columns(mail="id.mail"), "columns.mail.kind: unknown identifier type 'mail'"),
        (with_columns(mail="email"), "columns.mail.kind: expected one of attribute"),
        (with_columns(tel="id.phone_md5"), "phone_sha256"),
        (with_columns(tel={"kind": "id.phone", "region": "UK"}), "unknown phone region 'UK'"),
        (with_columns(email={"kind": "id.email", "region": "US"}), "takes no region"),
        (with_columns(x={"kind": "attribute", "region": "US"}), "region: only phone"),
        (with_columns(x={"kind": "attribute", "regin": "US"}), "did you mean 'region'"),
        (with_columns(x={"region": "US"}), "columns.x.kind: is missing"),
        (with_columns(card="id.member"), "namespace"),
        (with_columns(other="consent"), "'other' is declared as consent"),
        (with_columns(opt_in="attribute"), "'opt_in' is declared as attribute"),
        ({"consent": TABLE}, "'opt_in' is declared as consent, but"),
        (with_consent(table="x.csv"), "has either a 'column' of the source, a 'table' of events"),
        (
            {"consent": {"given": ["yes"]}},
            "has either a 'column' of the source, a 'table' of events",
        ),
        (with_consent(given=[]), "consent.given: expected a list"),
        (with_consent(given=[True]), "put it in quotes"),
        (with_consent(purposes=["advertising"]), "dpv:MarketResearch"),
        (with_consent(recipient=["x"]), "unknown key; did you mean 'recipients'"),
        ({"consent": {"table": "x.csv"}}, "consent.key: is missing"),
        (with_label(column="segment"), "labels.segment.values: is missing"),
        (with_label(column="segment", values=["a"], up_to=3), "up_to: unknown key"),
        (with_label(column="segment", count="campaign"), "exactly one of column, count, set_of"),
        (with_label(values=["a"]), "exactly one of"),
        (with_label(column="segment", values=["a", "a"]), "'a' stands twice"),
        (with_label(column="email", values=["a"]), "declared as id.email"),
        (with_label(count="campaign", up_to=0), "from 1 to"),
        (with_label(count="campaign", up_to="4"), "without quotes"),
        (with_label(set_of="campaign", among=["A+B", "C"]), "'[+]', which joins"),
        (with_label(set_of="campaign", among=[f"C{n}" for n in range(11)]), "list of 1 to 10"),
        (with_label(set_of="c", among=["a" * 70, "b" * 70]), "too long to be joined"),
    ],
)
def test_a_fault_is_named_with_file_and_key(tmp_path, changes, says):
    with pytest.raises(DatasetError, match=says) as caught:
        describe(tmp_path, **changes)
    assert str(tmp_path / "dataset.yaml") in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "mapping"),
        ("- a", "mapping"),
        ("dataset: [", "not valid YAML"),
        ("dataset: a\ndataset: b", "stands twice"),
        ("dataset: &a b\nsource: *a", "anchors"),
    ],
)
def test_what_is_no_description_is_refused(tmp_path, text, says):
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=says):
        load_definition(path)


def test_a_description_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(EXAMPLE.encode("utf-16"))
    with pytest.raises(DatasetError, match="UTF-8"):
        load_definition(path)


def test_a_missing_file_and_a_missing_label_are_named(tmp_path):
    with pytest.raises(DatasetError, match=r"no\.yaml: cannot be read"):
        load_definition(tmp_path / "no.yaml")
    with pytest.raises(DatasetError, match="has no label 'segmnt'; it has segment"):
        describe(tmp_path).label("segmnt")


@pytest.mark.parametrize("document", [None, [], {}, {"folder": 1}, {"folder": "/x"}])
def test_a_stored_description_is_checked_again(document):
    with pytest.raises(DatasetError):
        Definition.from_dict(document)


def test_relative_paths_start_at_the_description(tmp_path, monkeypatch):
    definition = describe(tmp_path)
    monkeypatch.chdir("/")
    assert definition.folder == Path(tmp_path).resolve()


def test_the_order_of_a_set_changes_nothing():
    assert (
        SetLabel(("c",), ("b", "a")).values
        == SetLabel(("c",), ("a", "b")).values
        == ("a", "b", "a+b")
    )
