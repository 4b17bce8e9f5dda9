"""A notice: what people are shown before they consent, in the fields of ISO/IEC TS 27560.

It is written once, as a YAML file, and every record of consent names it by the SHA-256 of its
canonical JSON. Terms are W3C DPV's where it has them. Where the law of China applies, a notice
says for each purpose and recipient what Article 23 of the PIPL asks, and consent to it is given
for each recipient by itself.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, Final

import rfc8785

from languages import message
from party.contract_terms import NAME, PURPOSE
from party.document import Section, TextRule
from party.errors import ConsentError
from party.yaml_text import MOST_BYTES, read_yaml

SCHEMA: Final = "ISO/IEC TS 27560:2023"
CHINA: Final = "CN"
LEGAL_BASES: Final = (
    "eu-gdpr:A6-1-a",
    "eu-gdpr:A6-1-a-explicit-consent",
    "eu-gdpr:A9-2-a",
    "pipl:A13-1",
    "pipl:A29",
)
"""Consent as a basis: DPV's terms for the GDPR, and the PIPL's articles, for which it has none."""

_MOST: Final = 64
_MOST_DAYS: Final = 36_525
_LINE: Final = TextRule(message("one line of text"), most=300)
_URL: Final = TextRule(
    message("an address that begins with https://"), re.compile(r"https://[!-~]+"), 500
)
_LANGUAGE: Final = TextRule(
    message("a language, such as en or zh-Hans"), re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*"), 35
)
_DIGEST: Final = TextRule(
    message("a SHA-256 of 64 digits and lower-case letters"), re.compile("[0-9a-f]+")
)
CATEGORY: Final = TextRule(
    message("a category of data, such as pd:EmailAddress"),
    re.compile(r"[a-z][a-z0-9-]*:[A-Za-z][A-Za-z0-9_-]*"),
    100,
)
_COUNTRY: Final = TextRule(
    message("a country of ISO 3166-1, such as DE"), re.compile(r"[A-Z]{2}"), 2
)
_REQUIRED: Final = (
    "notice", "url", "language", "text_sha256", "purposes", "data", "controllers", "recipients",
    "storage", "retention_days", "jurisdiction", "withdrawal", "legal_basis",
)  # fmt: skip
_OPTIONAL: Final = ("valid_days", "separate_consent_for")
_SEPARATE: Final = ("recipient", "contact", "purpose", "method", "data")


@dataclass(frozen=True)
class Controller:
    """Who answers for the processing, and how to reach them."""

    name: str
    contact: str


@dataclass(frozen=True)
class SeparateConsent:
    """What is consented to by itself for one recipient and purpose (PIPL, Articles 23 and 29)."""

    recipient: str
    contact: str
    purpose: str
    method: str
    data: tuple[str, ...]


@dataclass(frozen=True)
class Notice:
    """One notice. `text_sha256` is of the text that people read; `valid_days` None is no end."""

    name: str
    url: str
    language: str
    text_sha256: str
    purposes: tuple[str, ...]
    data: tuple[str, ...]
    controllers: tuple[Controller, ...]
    recipients: tuple[str, ...]
    storage: tuple[str, ...]
    retention_days: int
    jurisdiction: str
    withdrawal: str
    legal_basis: tuple[str, ...]
    valid_days: int | None = None
    separate_consent_for: tuple[SeparateConsent, ...] = ()

    @property
    def grants(self) -> list[tuple[str, str]]:
        """Every purpose with every recipient."""
        return list(product(self.purposes, self.recipients))

    def covers(self, purpose: str | None, recipient: str | None) -> bool:
        """Say whether it speaks of a purpose and a recipient; None is any."""
        return purpose in (None, *self.purposes) and recipient in (None, *self.recipients)

    def separately(self, purpose: str, recipient: str, category: str | None = None) -> bool:
        """Say whether it asks for consent to this by itself; None is any category of data."""
        return any(
            (one.purpose, one.recipient) == (purpose, recipient)
            and (category is None or category in one.data)
            for one in self.separate_consent_for
        )

    def to_json(self) -> dict[str, Any]:
        """Return the document that `of_document` reads."""
        document: dict[str, Any] = {
            "notice": self.name,
            "url": self.url,
            "language": self.language,
            "text_sha256": self.text_sha256,
            "purposes": list(self.purposes),
            "data": list(self.data),
            "controllers": [vars(one) for one in self.controllers],
            "recipients": list(self.recipients),
            "storage": list(self.storage),
            "retention_days": self.retention_days,
            "jurisdiction": self.jurisdiction,
            "withdrawal": self.withdrawal,
            "legal_basis": list(self.legal_basis),
        }
        if self.valid_days is not None:
            document["valid_days"] = self.valid_days
        if self.separate_consent_for:
            document["separate_consent_for"] = [
                vars(one) | {"data": list(one.data)} for one in self.separate_consent_for
            ]
        return document

    @cached_property
    def text(self) -> str:
        """The canonical JSON (RFC 8785)."""
        return rfc8785.dumps(self.to_json()).decode()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, as hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @classmethod
    def of_document(cls, document: object, what: str) -> Notice:
        """Read a notice; raise `ConsentError` that names `what`, the key and the remedy."""

        def fail(problem: str) -> ConsentError:
            return ConsentError(message("{what}: {details}", what=what, details=problem))

        root = Section(document, "", fail, required=_REQUIRED, optional=_OPTIONAL)
        read = cls(
            name=root.text("notice", NAME),
            url=root.text("url", _URL),
            language=root.text("language", _LANGUAGE),
            text_sha256=root.text("text_sha256", _DIGEST),
            purposes=root.texts("purposes", PURPOSE, most=_MOST),
            data=root.texts("data", CATEGORY, most=_MOST),
            controllers=tuple(
                Controller(one.text("name", _LINE), one.text("contact", _LINE))
                for one in root.sections("controllers", required=("name", "contact"), most=_MOST)
            ),
            recipients=root.texts("recipients", NAME, most=_MOST),
            storage=root.texts("storage", _COUNTRY, most=_MOST),
            retention_days=root.integer("retention_days", 1, _MOST_DAYS),
            jurisdiction=root.text("jurisdiction", _COUNTRY),
            withdrawal=root.text("withdrawal", _LINE),
            legal_basis=root.choices("legal_basis", LEGAL_BASES),
            valid_days=root.integer("valid_days", 1, _MOST_DAYS) if "valid_days" in root else None,
            separate_consent_for=_read_separate(root),
        )
        read._require_consistent(root)
        return read

    def _require_consistent(self, root: Section) -> None:
        if len(self.text_sha256) != 64:
            raise root.fault("text_sha256", "a SHA-256 has 64 digits: sha256sum prints it")
        for one in self.separate_consent_for:
            if not self.covers(one.purpose, one.recipient) or not set(one.data) <= set(self.data):
                raise root.fault(
                    "separate_consent_for",
                    f"'{one.recipient}' with {one.purpose} stands there, and its recipient, "
                    "purpose or data is not among those of the notice; add it there",
                )
        if self.jurisdiction != CHINA:
            return
        for purpose, recipient in self.grants:
            if not self.separately(purpose, recipient):
                raise root.fault(
                    "separate_consent_for",
                    f"'{recipient}' with {purpose} is missing: whoever gives personal information "
                    "to another handler names it, its contact, the purpose, the method and the "
                    "data, and asks for consent to that by itself (PIPL, Article 23)",
                )


def _read_separate(root: Section) -> tuple[SeparateConsent, ...]:
    if "separate_consent_for" not in root:
        return ()
    return tuple(
        SeparateConsent(
            recipient=one.text("recipient", NAME),
            contact=one.text("contact", _LINE),
            purpose=one.text("purpose", PURPOSE),
            method=one.text("method", _LINE),
            data=one.texts("data", CATEGORY, most=_MOST),
        )
        for one in root.sections("separate_consent_for", required=_SEPARATE, most=_MOST * _MOST)
    )


def load_notice(path: str | Path) -> Notice:
    """Return the notice in a YAML file.

    Raises `ConsentError` naming file, key and what to write instead.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConsentError(f"{path}: cannot be read: {error.strerror}") from None
    return Notice.of_document(read_yaml(data, str(path), ConsentError), str(path))
