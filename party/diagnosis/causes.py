"""The causes of a small match that a party can find in its own data, and what to do about each.

Counts are exact and about the party's own people: they are for its eyes. Examples are masked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from languages import message
from psi.digest_forms import FormFault
from psi.digest_variants import TextFault
from psi.reasons import Reason

MINOR_SHARE: Final = 0.01
"""Below this share of a column's people, bad values are the litter that every file has."""


class Level(StrEnum):
    """Whether something has to be corrected, or may be right as it is."""

    CORRECT = "correct"
    CONSIDER = "consider"


class Cause(StrEnum):
    """Why identifiers find nobody."""

    BAD_FORMAT = "bad format"
    SPREADSHEET = "number format of a spreadsheet"
    SEVERAL_IN_CELL = "several values in one cell"
    NO_REGION = "phone numbers without a country code"
    PLACEHOLDER = "placeholder instead of a value"
    ALREADY_HASHED = "raw column is already hashed"
    RAW_IN_DIGESTS = "raw values in a column of digests"
    ALGORITHM = "other hash algorithm"
    ENCODED_TWICE = "digest encoded twice"
    AROUND = "text around the digest"
    BASE64_CASE = "base64 in one letter case"
    CUT = "digest cut short"
    CASE = TextFault.CASE.value
    SPACE = TextFault.SPACE.value
    NEWLINE = TextFault.NEWLINE.value
    QUOTES = TextFault.QUOTES.value
    NATIONAL = TextFault.NATIONAL.value
    GMAIL = TextFault.GMAIL.value
    UTF16 = TextFault.UTF16.value
    TWICE = TextFault.TWICE.value
    OTHER_TEXT = TextFault.OTHER.value
    UNEXPLAINED = "digests that no usual mistake explains"
    MISSING_TYPE = "missing identifier type"
    LOW_COVERAGE = "few people have this identifier type"
    NOT_THERE = "the other side has no such identifier"
    SHARED = "one identifier on many people"
    CONSTANT = "one value in the whole column"
    PERSONAL = "personal data that is not declared"


@dataclass(frozen=True)
class Finding:
    """One cause in one column: `people` are those whom it may cost, `of` those of the dataset.

    `subject` is a column or an identifier type, `evidence` what was seen, `example` masked.
    """

    cause: Cause
    subject: str
    level: Level
    people: int
    of: int
    evidence: str
    remedy: str
    example: str = ""

    @property
    def share(self) -> float:
        """The share of the dataset's people."""
        return self.people / self.of if self.of else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "cause": str(self.cause),
            "subject": self.subject,
            "level": str(self.level),
            "people": self.people,
            "share": self.share,
            "evidence": self.evidence,
            "example": self.example,
            "remedy": self.remedy,
        }


def level_of(people: int, of: int) -> Level:
    """Return how much bad values matter: below `MINOR_SHARE` of `of` they are litter."""
    return Level.CORRECT if people >= MINOR_SHARE * of else Level.CONSIDER


def cause_of(fault: TextFault) -> Cause:
    """Return the cause of how a text was hashed."""
    return Cause(fault.value)


FORM_CAUSES: Final = {
    FormFault.ALGORITHM: Cause.ALGORITHM,
    FormFault.ENCODED_TWICE: Cause.ENCODED_TWICE,
    FormFault.AROUND: Cause.AROUND,
    FormFault.BASE64_CASE: Cause.BASE64_CASE,
    FormFault.CUT: Cause.CUT,
    FormFault.NO_DIGEST: Cause.RAW_IN_DIGESTS,
}

REMEDIES: Final = {
    Cause.SPREADSHEET: message(
        "export the column as text from the system that it came from; a "
        "spreadsheet has rounded the numbers"
    ),
    Cause.SEVERAL_IN_CELL: message("write one value a row, with the same person in each"),
    Cause.NO_REGION: message(
        "add 'region: XX' (two letters) to the column, or write the country code"
    ),
    Cause.PLACEHOLDER: message("nothing, they are left out; export an empty cell instead"),
    Cause.RAW_IN_DIGESTS: message(
        "keep raw values and digests in columns of their own, and declare each"
    ),
    Cause.ENCODED_TWICE: message("write the digest's bytes as hex once, not the hex of the hex"),
    Cause.AROUND: message(
        "write the bare digest: no 0x, no \\x, no quotation marks, no separators"
    ),
    Cause.BASE64_CASE: message("export again: the case of base64 carries bits, and they are lost"),
    Cause.CUT: message("widen the field that the digest was stored in, and hash again"),
    Cause.CASE: message("lower the case of the text before you hash it, or deliver raw values"),
    Cause.SPACE: message(
        "trim the text before you hash it, or deliver raw values; CHAR columns pad"
    ),
    Cause.NEWLINE: message(
        "hash the text without the line's end (`echo -n`, `printf %s`), or deliver raw values"
    ),
    Cause.QUOTES: message(
        "remove the quotation marks of CSV before you hash, or deliver raw values"
    ),
    Cause.NATIONAL: message(
        "write numbers as E.164 (+12025550100) before you hash, or deliver raw values with 'region'"
    ),
    Cause.GMAIL: message(
        "hash the address as it is; or let both sides agree on 'gmail: true' and deliver raw values"
    ),
    Cause.UTF16: message(
        "encode the text as UTF-8 before you hash it (in SQL Server: VARCHAR, not NVARCHAR)"
    ),
    Cause.TWICE: message("hash once: the input of the hash was a digest already"),
    Cause.OTHER_TEXT: message(
        "normalise as docs/protocol.md, Identifiers says before you hash, or deliver raw values"
    ),
    Cause.UNEXPLAINED: message(
        "ask how the digests were made: with a salt or a key, they meet "
        "nobody's. Otherwise check that the raw values are of the same "
        "people"
    ),
    Cause.SHARED: message("find out whose it is: a shop's, a form's default; leave it empty"),
    Cause.CONSTANT: message("check the export: it has written one value for everybody"),
}

FORMAT_REMEDIES: Final = {
    Reason.INVISIBLE: message("remove the space or control character inside the value"),
    Reason.EMAIL_SHAPE: message("write one address: local part, @, domain; no name, no comment"),
    Reason.EMAIL_EMPTY_LOCAL: message("write the whole address"),
    Reason.DOMAIN_TRAILING_DOT: message("remove the dot at the end"),
    Reason.DOMAIN_WITHOUT_DOT: message("write the full domain"),
    Reason.DOMAIN_INVALID: message("correct the domain"),
    Reason.PHONE_UNREADABLE: message(
        "check the column's 'region', or write numbers as +12025550100"
    ),
    Reason.PHONE_LENGTH: message(
        "check the column's 'region', and digits that were cut off; write numbers as +12025550100"
    ),
    Reason.NOT_ADVERTISING_ID: message("write the advertising id as its 32 hex digits"),
    Reason.IMEI_LENGTH: message("write the 14 or 15 digits as text"),
    Reason.IMEI_CHECK_DIGIT: message("check for digits that were swapped or replaced"),
    Reason.NOT_MAC: message("write the twelve hex digits"),
}
