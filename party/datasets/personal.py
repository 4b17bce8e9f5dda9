"""What raw personal data looks like: e-mail addresses, telephone numbers, cards, accounts, ids.

A kind has a shape, which a column's texts are searched for, and a check, which tells a number from
digits that only look like one. Where a check lets many through by accident, more of a column's
texts must pass before it is said to hold the kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final

from party.datasets.national_ids import NATIONAL_IDS, Check, bare, luhn

_HALF: Final = 0.5
_MOST: Final = 0.8
_BEFORE: Final = "(?:^|[^0-9A-Za-z])"
_AFTER: Final = "(?:$|[^0-9A-Za-z])"
_FILES: Final = frozenset(
    [
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "webp",
        "avif",
        "bmp",
        "mp4",
        "webm",
        "html",
        "htm",
        "js",
        "css",
        "json",
    ]
)
_CALLED_PHONE: Final = re.compile(
    r"phone|mobile|handy|telefon|(?:^|[_ .-])tel(?:$|[_ .-])|手机|手機|电话|電話|联系方式",
    re.IGNORECASE,
)
_WEAK: Final = frozenset(("JP", "IN", "DE", "NL", "CH", "GB", "US", "KR"))
"""Ids of bare digits of which one number in ten passes, and those that no digit checks."""


@dataclass(frozen=True)
class PersonalKind:
    """One kind of personal data.

    `shape` is a pattern without groups for RE2 and Python alike. A column holds the kind when
    `share` of the texts of its shape pass `check`, and at least `least` of those looked at. With
    `whole`, the share is of all texts that are not blank, since the shape is a common one. `remedy`
    says what to declare.
    """

    name: str
    shape: str
    check: Callable[[str], bool]
    share: float = _HALF
    least: int = 1
    whole: bool = False
    remedy: str = "leave it out of the source"

    @property
    def search(self) -> str:
        """The pattern by which texts of this shape are found."""
        return f"{_BEFORE}(?:{self.shape}){_AFTER}"

    @cached_property
    def _found(self) -> re.Pattern[str]:
        return re.compile(f"(?<![0-9A-Za-z])(?:{self.shape})(?![0-9A-Za-z])", re.ASCII)

    def holds(self, text: str) -> bool:
        """Say whether a text has such data in it."""
        return any(self.check(found) for found in self._found.findall(text))


def _is_address(text: str) -> bool:
    return text.rpartition(".")[2].lower() not in _FILES


def _is_phone(text: str, region: str | None = None) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, region))
    except phonenumbers.NumberParseException:
        return False


def _is_card(text: str) -> bool:
    """ISO/IEC 7812: the length that the issuer's first digits ask for, and the check digit."""
    digits = bare(text)
    return luhn(digits) and any(
        low <= int(digits[: len(str(low))]) <= high and len(digits) in lengths
        for low, high, lengths in _ISSUERS
    )


_ISSUERS: Final = (
    (4, 4, (13, 16, 19)),
    (51, 55, (16,)),
    (2221, 2720, (16,)),
    (34, 34, (15,)),
    (37, 37, (15,)),
    (3528, 3589, (16, 17, 18, 19)),
    (6011, 6011, (16, 17, 18, 19)),
    (644, 659, (16, 17, 18, 19)),
    (62, 62, (16, 17, 18, 19)),
)


def _is_account(text: str) -> bool:
    """ISO 13616: the check digits of an IBAN, by ISO 7064 MOD 97-10."""
    digits = bare(text)
    moved = digits[4:] + digits[:4]
    return 15 <= len(digits) <= 34 and int("".join(str(int(one, 36)) for one in moved)) % 97 == 1


def _passes(check: Check, text: str) -> bool:
    return check(bare(text))


_PHONE_REMEDY: Final = "declare it as id.phone, or leave it out of the source"
_NATIONAL_PHONE: Final = r"[(]?[0-9][0-9 ()./-]{5,17}[0-9]"

ADDRESSES: Final = (
    PersonalKind(
        "e-mail address",
        r"[^\s@<>\"',;:()]+@[^\s@<>\"',;:()/]+\.[A-Za-z]{2,24}",
        _is_address,
        0.0,
        remedy="declare it as id.email, or leave it out of the source",
    ),
)
"""All that is looked for where times and amounts are declared, which may look like any number."""
_KINDS: Final = (
    *ADDRESSES,
    PersonalKind(
        "telephone number", r"[+][1-9][0-9 ()./-]{6,18}[0-9]", _is_phone, remedy=_PHONE_REMEDY
    ),
    PersonalKind(
        "telephone number", r"1[3-9][0-9]{9}", partial(_is_phone, region="CN"), _MOST, 3,
        whole=True, remedy=_PHONE_REMEDY,
    ),
    PersonalKind(
        "payment card number",
        r"[2-6][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{1,4}(?:[ -]?[0-9]{1,3})?"
        r"|3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}",
        _is_card,
    ),
    PersonalKind(
        "bank account number (IBAN)",
        r"[A-Za-z]{2}[0-9]{2}(?: ?[0-9A-Za-z]{4}){2,7}(?: ?[0-9A-Za-z]{1,3})?",
        _is_account,
        0.2,
    ),
    *(
        PersonalKind(
            f"{one.name} ({one.country})",
            one.written,
            partial(_passes, one.check),
            _MOST if one.country in _WEAK else _HALF,
            3 if one.country in _WEAK else 1,
        )
        for one in NATIONAL_IDS
    ),
)  # fmt: skip


def kinds_for(column: str, regions: tuple[str, ...]) -> tuple[PersonalKind, ...]:
    """Return what to look for in a column: its name may say that national numbers are phones.

    `regions` are those of the numbers that the dataset declares.
    """
    found = list(_KINDS)
    if _CALLED_PHONE.search(column):
        found.append(
            PersonalKind(
                "telephone number", _NATIONAL_PHONE, lambda text: True, remedy=_PHONE_REMEDY
            )
        )
    found += [
        PersonalKind(
            "telephone number",
            _NATIONAL_PHONE,
            partial(_is_phone, region=region),
            _MOST,
            3,
            whole=True,
            remedy=_PHONE_REMEDY,
        )
        for region in regions
    ]
    return tuple(found)
