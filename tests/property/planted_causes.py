"""Datasets in which the causes of a small match are planted: one generator, a function a cause.

Person i has the e-mail `Person{i}@Example.com` and the phone `(202) 555-{i}` of the USA. The
digests are made here with hashlib alone, in the ways in which people go wrong.
"""

import base64
import csv
import hashlib
from pathlib import Path

import yaml

from party.datasets import load_definition

PEOPLE = 60
MAIL, TEL = {"mail": "id.email_sha256"}, {"tel": "id.phone_sha256"}
RAW_MAIL, RAW_TEL = {"email": "id.email"}, {"phone": {"kind": "id.phone", "region": "US"}}
SALT = "pepper"


def email(i):
    return f"person{i}@example.com"


def written_email(i):
    return f"Person{i}@Example.com"


def phone(i):
    return f"+1202555{i:04d}"


def written_phone(i):
    return f"(202) 555-{i:04d}"


def sha256(text, encoding="utf-8"):
    return hashlib.sha256(text.encode(encoding)).hexdigest()


def as_base64(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def some(i, value, usual, every=4):
    """Return `value` for every fourth person, `usual` for the others."""
    return value if i % every == 0 else usual


# cause planted: (declared columns, cells of person i, whether a sample is needed, causes named)
PLANTED = {
    "not an address": (
        RAW_MAIL,
        lambda i: [some(i, f"person{i} at example", email(i))],
        False,
        {"bad format"},
    ),
    "numbers of a spreadsheet": (
        RAW_TEL,
        lambda i: [some(i, f"1.20255{i:02d}E+10", written_phone(i))],
        False,
        {"number format of a spreadsheet"},
    ),
    "phones as fractions": (
        RAW_TEL,
        lambda i: [f"1202555{i:04d}.0"],
        False,
        {"number format of a spreadsheet"},
    ),
    "two addresses in a cell": (
        RAW_MAIL,
        lambda i: [some(i, f"{email(i)}; {email(i + 1000)}", email(i))],
        False,
        {"several values in one cell"},
    ),
    "no region": (
        {"phone": "id.phone"},
        lambda i: [written_phone(i)],
        False,
        {"phone numbers without a country code"},
    ),
    "placeholders": (
        RAW_MAIL,
        lambda i: [some(i, "unknown", email(i))],
        False,
        {"placeholder instead of a value"},
    ),
    "digests of placeholders": (
        MAIL,
        lambda i: [some(i, sha256("unknown"), sha256(email(i)))],
        False,
        {"placeholder instead of a value"},
    ),
    "digests in a raw column": (
        RAW_MAIL,
        lambda i: [sha256(email(i))],
        False,
        {"raw column is already hashed"},
    ),
    "some digests in a raw column": (
        RAW_MAIL,
        lambda i: [some(i, sha256(email(i)), email(i))],
        False,
        {"raw column is already hashed"},
    ),
    "digests in a raw openid": (
        {"wx": "id.openid:wx1"},
        lambda i: [sha256(f"open{i}")],
        False,
        {"raw column is already hashed"},
    ),
    "raw values in a digest column": (
        TEL,
        lambda i: [some(i, phone(i), sha256(phone(i)))],
        False,
        {"raw values in a column of digests"},
    ),
    "MD5 for SHA-256": (
        MAIL,
        lambda i: [hashlib.md5(email(i).encode()).hexdigest()],
        False,
        {"other hash algorithm"},
    ),
    "SHA-1 for SHA-256": (
        MAIL,
        lambda i: [hashlib.sha1(email(i).encode()).hexdigest()],
        False,
        {"other hash algorithm"},
    ),
    "SHA-256 for MD5": (
        {"imei": "id.imei_md5"},
        lambda i: [sha256(f"35{i:013d}")],
        False,
        {"other hash algorithm"},
    ),
    "hex of hex": (
        MAIL,
        lambda i: [sha256(email(i)).encode().hex()],
        False,
        {"digest encoded twice"},
    ),
    "hex of the hex of MD5": (
        MAIL,
        lambda i: [hashlib.md5(email(i).encode()).hexdigest().encode().hex()],
        False,
        {"digest encoded twice"},
    ),
    "base64 of hex": (
        MAIL,
        lambda i: [base64.b64encode(sha256(email(i)).encode()).decode()],
        False,
        {"digest encoded twice"},
    ),
    "0x before the digest": (
        MAIL,
        lambda i: ["0x" + sha256(email(i)).upper()],
        False,
        {"text around the digest"},
    ),
    "base64 in lower case": (
        MAIL,
        lambda i: [as_base64(email(i)).lower()],
        False,
        {"base64 in one letter case"},
    ),
    "digests cut at 50": (MAIL, lambda i: [sha256(email(i))[:50]], False, {"digest cut short"}),
    "newline, told by a placeholder": (
        MAIL,
        lambda i: [some(i, sha256("unknown\n"), sha256(email(i) + "\n"), every=30)],
        False,
        {"newline hashed in"},
    ),
    "white space, told by an empty cell": (
        MAIL,
        lambda i: [some(i, sha256(" "), sha256(email(i) + " "), every=30)],
        False,
        {"white space hashed in"},
    ),
    "hashed twice, told by a placeholder": (
        MAIL,
        lambda i: [some(i, sha256(sha256("n/a")), sha256(sha256(email(i))), every=30)],
        False,
        {"hashed twice"},
    ),
    "upper case": (MAIL, lambda i: [sha256(email(i).upper())], True, {"letter case hashed in"}),
    "case as written": (
        MAIL,
        lambda i: [sha256(written_email(i))],
        True,
        {"letter case hashed in"},
    ),
    "white space": (MAIL, lambda i: [sha256(email(i) + " ")], True, {"white space hashed in"}),
    "padded to CHAR(64)": (
        MAIL,
        lambda i: [sha256(email(i).ljust(64))],
        True,
        {"white space hashed in"},
    ),
    "newline": (MAIL, lambda i: [sha256(email(i) + "\n")], True, {"newline hashed in"}),
    "newline of Windows": (TEL, lambda i: [sha256(phone(i) + "\r\n")], True, {"newline hashed in"}),
    "quotation marks": (
        MAIL,
        lambda i: [sha256(f'"{email(i)}"')],
        True,
        {"quotation marks hashed in"},
    ),
    "national number": (
        TEL,
        lambda i: [sha256(f"202555{i:04d}")],
        True,
        {"phone number not in E.164 when hashed"},
    ),
    "number without +": (
        TEL,
        lambda i: [sha256(phone(i)[1:])],
        True,
        {"phone number not in E.164 when hashed"},
    ),
    "number as written": (
        TEL,
        lambda i: [sha256(written_phone(i))],
        True,
        {"phone number not in E.164 when hashed"},
    ),
    "UTF-16": (MAIL, lambda i: [sha256(email(i), "utf-16-le")], True, {"text hashed as UTF-16"}),
    "hashed twice": (MAIL, lambda i: [sha256(sha256(email(i)))], True, {"hashed twice"}),
    "hashed twice in upper-case hex": (
        MAIL,
        lambda i: [sha256(sha256(email(i)).upper())],
        True,
        {"hashed twice"},
    ),
    "SHA-256 of MD5": (
        MAIL,
        lambda i: [sha256(hashlib.md5(email(i).encode()).hexdigest())],
        True,
        {"hashed twice"},
    ),
    "salted": (
        MAIL,
        lambda i: [sha256(SALT + email(i))],
        True,
        {"digests that no usual mistake explains"},
    ),
    "case and newline": (
        MAIL,
        lambda i: [sha256(email(i).upper() + "\n")],
        True,
        {"letter case hashed in", "newline hashed in"},
    ),
    "national and newline": (
        TEL,
        lambda i: [sha256(f"202555{i:04d}\n")],
        True,
        {"phone number not in E.164 when hashed", "newline hashed in"},
    ),
    "MD5 and newline": (
        MAIL,
        lambda i: [hashlib.md5(f"{email(i)}\n".encode()).hexdigest()],
        True,
        {"other hash algorithm", "newline hashed in"},
    ),
    "hex of hex and upper case": (
        MAIL,
        lambda i: [sha256(email(i).upper()).encode().hex()],
        True,
        {"digest encoded twice", "letter case hashed in"},
    ),
    "newline in mails and national phones": (
        MAIL | TEL,
        lambda i: [sha256(email(i) + "\n"), sha256(f"202555{i:04d}")],
        True,
        {"newline hashed in", "phone number not in E.164 when hashed"},
    ),
    "half with a newline": (
        MAIL,
        lambda i: [some(i, sha256(email(i) + "\n"), sha256(email(i)), every=2)],
        True,
        {"newline hashed in"},
    ),
    "raw beside wrong digests": (
        RAW_MAIL | MAIL,
        lambda i: [written_email(i), sha256(written_email(i))],
        False,
        {"letter case hashed in"},
    ),
    "raw values among digests beside a raw column": (
        RAW_MAIL | MAIL,
        lambda i: [written_email(i), some(i, written_email(i), sha256(email(i)))],
        False,
        {"raw values in a column of digests"},
    ),
    "digests of placeholders beside a raw column": (
        RAW_MAIL | MAIL,
        lambda i: [written_email(i), some(i, sha256("unknown"), sha256(email(i)))],
        False,
        {"placeholder instead of a value"},
    ),
    "one address on many people": (
        RAW_MAIL,
        lambda i: [some(i, "shop@example.com", email(i))],
        False,
        {"one identifier on many people"},
    ),
    "one digest on many people": (
        MAIL,
        lambda i: [some(i, sha256("shop@example.com"), sha256(email(i)))],
        False,
        {"one identifier on many people"},
    ),
    "one value for all": (
        RAW_MAIL,
        lambda i: ["shop@example.com"],
        False,
        {"one value in the whole column"},
    ),
}

CLEAN = {
    "raw": (RAW_MAIL | RAW_TEL, lambda i: [f" {written_email(i)} ", written_phone(i)], False),
    "digests in hex": (MAIL | TEL, lambda i: [sha256(email(i)), sha256(phone(i)).upper()], True),
    "digests in base64": (MAIL, lambda i: [as_base64(email(i))], True),
    "digests without a sample": (MAIL, lambda i: [sha256(email(i))], False),
    "raw beside its digests": (
        RAW_MAIL | MAIL,
        lambda i: [written_email(i), sha256(email(i))],
        True,
    ),
    "cells left empty": (
        RAW_MAIL,
        lambda i: ["" if i % 3 else email(i)],
        False,
    ),
    "households of five": (RAW_MAIL, lambda i: [email(i // 5)], False),
    "openids of 32 hex digits": (
        {"wx": "id.openid:wx1"},
        lambda i: [hashlib.md5(f"open{i}".encode()).hexdigest()],
        False,
    ),
    "advertising ids": (
        {"maid": "id.maid"},
        lambda i: [f"38400000-8cf0-11bd-b23e-10b96e4{i:05d}"],
        False,
    ),
}


def plant(folder: Path, columns, cells, *, people=PEOPLE, name="people"):
    """Write a dataset of people with these cells; return its definition."""
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["ref", "consent", *columns])
        rows.writerows([f"r{i}", "yes", *cells(i)] for i in range(people))
    path = folder / f"{name}.yaml"
    document = {
        "dataset": name,
        "source": f"{name}.csv",
        "person": "ref",
        "columns": {**columns, "consent": "consent"},
        "consent": {
            "column": "consent",
            "given": ["yes"],
            "purposes": ["dpv:TargetedAdvertising"],
            "recipients": ["channel"],
        },
    }
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return load_definition(path)


def write_sample(folder: Path, people=range(12), *, beside=None):
    """Write raw values as they are in the source system; `beside` adds a column of digests."""
    path = folder / "raw.csv"
    name, digest_of = beside or ("", None)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["email", "phone", *([name] if digest_of else [])])
        rows.writerows(
            [written_email(i), written_phone(i), *([digest_of(i)] if digest_of else [])]
            for i in people
        )
    return path
