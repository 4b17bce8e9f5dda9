"""Consent as people type it: recorded, imported, withdrawn; a receipt that anybody checks."""

import json

import yaml
from command_line import ask, error_of, init, run

ADS, RESEARCH = "dpv:TargetedAdvertising", "dpv:MarketResearch"
NOTICE = {
    "notice": "loyalty",
    "url": "https://shop.example/privacy",
    "language": "en",
    "text_sha256": "ab" * 32,
    "purposes": [ADS, RESEARCH],
    "data": ["pd:EmailAddress"],
    "controllers": [{"name": "Shop", "contact": "1 High Street"}],
    "recipients": ["channel"],
    "storage": ["DE"],
    "retention_days": 730,
    "jurisdiction": "DE",
    "withdrawal": "at the desk",
    "legal_basis": ["eu-gdpr:A6-1-a"],
}
TABLE = """customer,answer,at,what
C1,given,2026-01-01T10:00:00Z,
C2,given,2026-01-02T10:00:00Z,dpv:MarketResearch
C3,refused,2026-01-03T10:00:00Z,
"""
DATASET = """dataset: customers
source: customers.csv
person: ref
columns: {email: id.email}
consent: {records: ref}
"""


def test_from_the_notice_to_a_receipt_that_needs_no_party(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    init(tmp_path, "brand")
    party = ("--party", "brand")
    (tmp_path / "loyalty.yaml").write_text(yaml.safe_dump(NOTICE), encoding="utf-8")
    (tmp_path / "said.csv").write_text(TABLE, encoding="utf-8")
    (tmp_path / "broken.csv").write_text(TABLE + "C4,perhaps,2026-01-01,\n", encoding="utf-8")
    (tmp_path / "customers.yaml").write_text(DATASET, encoding="utf-8")
    (tmp_path / "customers.csv").write_text(
        "ref,email\nC1,a@example.com\nC2,b@example.com\nC3,c@example.com\n", encoding="utf-8"
    )
    imported = ("consent", "import", "said.csv", "--id", "customer", "--time", "at")
    imported += ("--state", "answer", "--purpose", "what")

    broken = (imported[0], imported[1], "broken.csv", *imported[3:])
    said = error_of(*broken, "--notice", "loyalty.yaml", *party, expect=6)
    assert "broken.csv, row 4: column 'answer' is not one of given, refused" in said
    assert "no notice loyalty" in error_of(*imported, "--notice", "loyalty", *party, expect=6)
    assert ask(*imported, "--notice", "loyalty.yaml", *party) == {"statements": 3, "new": 3}
    assert ask(*imported, "--notice", "loyalty", *party) == {"statements": 3, "new": 0}

    def consenting():
        quality = ask("dataset", "add", "customers.yaml", *party)["quality"]
        return {one["purpose"]: one["people"] for one in quality["consent"]}

    assert consenting() == {ADS: 1, RESEARCH: 2}
    run("consent", "record", "C3", "--notice", "loyalty", "--how", "web-form", *party)
    assert consenting() == {ADS: 2, RESEARCH: 3}

    withdrawal = ("consent", "withdraw", "C1", "--receipt", "receipt.json")
    shown = run(*withdrawal, *party).stdout
    assert "withdrawn at" in shown
    assert "Receipt for the person: receipt.json" in shown
    assert consenting() == {ADS: 1, RESEARCH: 2}
    assert "exists already" in error_of(*withdrawal, *party, expect=6)
    again = error_of("consent", "withdraw", "C1", *party, expect=6)
    assert "nothing of that stands as given" in again

    record = ask("consent", "show", "C1", *party)
    assert [one["says"] for one in record["standing"]] == ["refused", "refused"]
    (one,) = record["records"]
    assert [event["state"] for event in one["events"]] == ["given", "withdrawn"]
    assert one["schema_version"] == "ISO/IEC TS 27560:2023"
    assert "C1" not in json.dumps(record)
    assert "nothing is recorded" in error_of("consent", "show", "C9", *party, expect=6)

    key = (tmp_path / "brand" / "keys" / "identity.vkey").read_text(encoding="utf-8").strip()
    (tmp_path / "brand").rename(tmp_path / "elsewhere")
    check = ("consent", "verify", "receipt.json", "--id", "C1")
    proven = ask(*check, "--key", key)
    assert proven["kind"] == "consent.withdrawn"
    assert proven["statements"][0]["state"] == "withdrawn"
    assert f"names: {key}" in run(*check).stdout
    (tmp_path / "brand.vkey").write_text(key + "\n", encoding="utf-8")
    assert "names:" not in run(*check, "--key", "brand.vkey").stdout
    other = ("consent", "verify", "receipt.json", "--id", "C2")
    assert "somebody else" in error_of(*other, "--key", key, expect=5)
    assert "another log" in error_of(*check, "--key", "x+00000000+AAAA", expect=5)
    receipt = json.loads((tmp_path / "receipt.json").read_text(encoding="utf-8"))
    receipt["statements"][0]["statement"]["state"] = "given"
    (tmp_path / "receipt.json").write_text(json.dumps(receipt), encoding="utf-8")
    assert "is not in the tree" in error_of(*check, "--key", key, expect=5)

    run("audit", "verify", "--party", "elsewhere")
    told = [one["kind"] for one in ask("audit", "show", "--party", "elsewhere")["entries"]]
    assert told.count("consent.recorded") == 2
    assert told.count("consent.withdrawn") == 1
    assert "audit.read" in told
