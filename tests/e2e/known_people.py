"""Synthetic people whose matches are known, as files of two organisations in unlike forms.

Person i is the same person at both. The advertiser writes e-mails by hand and phones in the
national format; the channel holds digests of e-mails. Who meets whom is said here with plain
sets, sharing no code with the product.
"""

import csv
import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

HEADER = ["ref", "email", "phone", "frequency", "segment", "consent"]
FREQUENCIES, SEGMENTS = ["1", "2", "3+"], ["gold", "silver"]


def email(i):
    return f"person{i}@example.com"


def phone(i):
    return f"+1202555{i:04d}"


def _sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Holding:
    """The people of one organisation: numbers from `start` up to `stop`."""

    party: str
    start: int
    stop: int

    def has_email(self, i):
        return self.party == "advertiser" or i % 5 != 0

    def has_phone(self, i):
        return i % 3 != 0 if self.party == "advertiser" else i % 4 != 0 or i % 5 == 0

    def consents(self, i):
        return i % 17 != 0 if self.party == "advertiser" else i % 19 != 0

    @property
    def consenting(self):
        return {i for i in range(self.start, self.stop) if self.consents(i)}

    def identifiers(self, i):
        """Return the person's identifiers in the contract's order."""
        held = [phone(i)] if self.has_phone(i) else []
        return held + ([email(i)] if self.has_email(i) else [])

    def row(self, i):
        if self.party == "advertiser":
            mail, number = f" Person{i}@Example.COM", f"(202) 555-{i:04d}"
        else:
            mail, number = _sha256(email(i)), phone(i)
        return [
            reference(self.party, i),
            mail if self.has_email(i) else "",
            number if self.has_phone(i) else "",
            frequency(i),
            segment(i),
            "yes" if self.consents(i) else "no",
        ]

    def write(self, folder: Path, name: str) -> Path:
        """Write the people as CSV; return the path of their description."""
        write_csv(folder / f"{name}.csv", [self.row(i) for i in range(self.start, self.stop)])
        kind = "id.email" if self.party == "advertiser" else "id.email_sha256"
        return write_description(folder, name, kind)


def write_csv(path: Path, rows, header=HEADER, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows([header, *rows])


def write_description(folder: Path, name: str, email_kind="id.email") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(
        f"""dataset: {name}
source: {name}.csv
person: ref
columns:
  email: {email_kind}
  phone: {{kind: id.phone, region: US}}
  frequency: attribute
  segment: attribute
  consent: consent
consent:
  column: consent
  given: ["yes"]
  purposes: [dpv:TargetedAdvertising, dpv:MarketResearch]
  recipients: [advertiser, channel]
labels:
  frequency: {{column: frequency, values: {FREQUENCIES}}}
  segment: {{column: segment, values: {SEGMENTS}}}
""",
        encoding="utf-8",
    )
    return path


def reference(party, i):
    return f"{party[0]}-ref{i}"


def frequency(i):
    return FREQUENCIES[i // 4 % 3]


def segment(i):
    return SEGMENTS[i // 2 % 2]


def matched(one: Holding, other: Holding):
    """Return the people that a match finds: any identifier of both, with consent at both."""
    return {
        i
        for i in one.consenting & other.consenting
        if set(one.identifiers(i)) & set(other.identifiers(i))
    }


def reached(recipient: Holding, tabulator: Holding):
    """Return people by (frequency, segment), where the recipient sends one identifier each."""
    return Counter(
        (frequency(i), segment(i))
        for i in recipient.consenting & tabulator.consenting
        if recipient.identifiers(i)[0] in tabulator.identifiers(i)
    )


def traces(text):
    """Return what in a text could only come from somebody's data."""
    return set(_TRACES.findall(text)) | (_DIGESTS & set(_HEX.findall(text.lower())))


_TRACES = re.compile(r"(?i)person\d+|555-\d{4}|202555\d{4}|[ac]-ref\d+")
_HEX = re.compile(r"[0-9a-f]{64}")
_DIGESTS = {_sha256(of(i)) for i in range(4000) for of in (email, phone)}
