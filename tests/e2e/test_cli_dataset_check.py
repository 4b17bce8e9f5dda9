"""`dataset check` as an engineer types it: exit codes, output, and what stays as it was."""

import hashlib

from command_line import (
    ask,
    error_of,
    init,
    log_size,
    make_pair,
    rows,
    run,
    write_csv,
    write_dataset,
)

HASHED = """dataset: hashed
source: hashed.csv
person: ref
columns:
  email: id.email_sha256
  consent: consent
consent:
  column: consent
  given: ["yes"]
  purposes: [dpv:TargetedAdvertising]
  recipients: [channel]
"""


def write_hashed(folder, hashed):
    """Write people whose e-mails were hashed in some way, and raw values of a few of them."""
    people = [
        [row[0], hashlib.sha256(hashed(row[1]).encode()).hexdigest(), row[4]] for row in rows(40)
    ]
    write_csv(folder / "hashed.csv", people, header=["ref", "email", "consent"])
    write_csv(folder / "raw.csv", [[row[1]] for row in rows(8)], header=["email"])
    (folder / "hashed.yaml").write_text(HASHED, encoding="utf-8")
    return folder / "hashed.yaml"


def test_a_description_is_checked_without_a_party_and_wrong_digests_end_with_6(tmp_path):
    path = write_hashed(tmp_path, lambda text: text + "\n")
    done = run("dataset", "check", path, "--sample", tmp_path / "raw.csv", expect=6)
    assert "newline" in done.stdout
    assert "printf" in done.stdout
    assert "person1@" not in done.stdout + done.stderr
    assert list(tmp_path.glob("*/party.toml")) == []


def test_what_is_right_ends_with_0_and_json_is_one_document(tmp_path):
    path = write_hashed(tmp_path, lambda text: text)
    words = ("dataset", "check", path, "--sample", tmp_path / "raw.csv")
    assert "Nothing was found" in run(*words).stdout
    document = ask(*words)
    assert (document["findings"], document["must_correct"]) == ([], False)
    assert document["coverage"] == {"email": 1.0}


def test_json_names_cause_people_and_remedy(tmp_path):
    path = write_hashed(tmp_path, str.upper)
    document = ask("dataset", "check", path, "--sample", tmp_path / "raw.csv", expect=6)
    (found,) = document["findings"]
    assert (found["cause"], found["level"]) == ("letter case hashed in", "correct")
    assert (found["subject"], found["people"], found["share"]) == ("email", 40, 1.0)
    assert found["remedy"]


def test_a_registered_dataset_is_checked_against_a_contract_and_nothing_changes(tmp_path):
    make_pair(tmp_path)
    party = tmp_path / "advertiser"
    before = log_size(party)
    words = ("dataset", "check", "people", "--contract", "deal", "--party", party)
    assert ask(*words)["must_correct"] is False
    text = (tmp_path / "people.yaml").read_text()
    fewer = tmp_path / "fewer.yaml"
    without = text.replace("  phone: {kind: id.phone, region: US}\n", "")
    fewer.write_text(without)
    undeclared = ask("dataset", "check", fewer, expect=6)["findings"]
    assert [(one["cause"], one["subject"]) for one in undeclared] == [
        ("personal data that is not declared", "phone")
    ]
    fewer.write_text(without + "scan: {dropped: [phone]}\n")
    found = ask("dataset", "check", fewer, *words[3:], expect=6)["findings"]
    assert [(one["cause"], one["subject"]) for one in found] == [
        ("missing identifier type", "phone")
    ]
    assert log_size(party) == before


def test_what_cannot_be_checked_is_one_clear_error(tmp_path):
    init(tmp_path, "brand")
    party = ("--party", tmp_path / "brand")
    assert "no dataset people" in error_of("dataset", "check", "people", *party, expect=6)
    assert "cannot be read" in error_of("dataset", "check", tmp_path / "no.yaml", expect=6)
    path = write_dataset(tmp_path)
    words = ("dataset", "check", path)
    assert "no contract" in error_of(*words, "--contract", "deal", *party, expect=6)
    said = error_of(*words, "--sample", tmp_path / "people.csv", expect=6)
    assert "no column of digests" in said
    write_csv(tmp_path / "people.csv", [])
    assert "no rows" in error_of(*words, expect=6)


def test_a_dataset_that_a_contract_does_not_know_is_one_clear_error(tmp_path):
    make_pair(tmp_path)
    path = write_hashed(tmp_path, lambda text: text)
    words = ("dataset", "check", path, "--contract", "deal", "--party", tmp_path / "advertiser")
    assert "no dataset hashed of yours" in error_of(*words, expect=6)
