"""Phone numbers, normalised by profile 2026.1 (docs/protocol.md, Identifiers).

E.164 with +, read by libphonenumber's metadata from the column's default region; *possible*
numbers, extension dropped. Three decisions the page leaves open:

- A number that is possible only inside its own area (seven digits in the USA) is refused: it names
  somebody else in the next area.
- libphonenumber strips a trunk prefix again when it reads its own output for some numbers that are
  possible but not valid. Here it is read until nothing changes, so that a partner who already
  holds the E.164 form gets the same key.
- A number whose national part is one repeated digit is a placeholder in every country.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from psi.characters import refuse_invisible, trim
from psi.errors import IdentifierError, Rejected
from psi.placeholders import is_placeholder, is_repeated_digit
from psi.reasons import Reason

# What most numbers look like. libphonenumber takes 40 microseconds and more for each; for these
# it only drops punctuation, unless a prefix of the plan matches. A test compares the two paths.
_PLAIN = re.compile(r"\(?\+?[0-9(][0-9 ().-]{6,30}")
_PUNCTUATION = str.maketrans("", "", "+ ().-")
_SHORTEST_CODE, _LONGEST_CODE = 1, 3
_LONGEST_NATIONAL = 17
_READINGS = 8  # how often a trunk prefix may come off before the text is no number


@dataclass(frozen=True)
class _Plan:
    """What one region's metadata says about the digits of a number."""

    code: str
    lengths: frozenset[int]
    longest: int
    valid: re.Pattern[str]
    exit: re.Pattern[str] | None
    trunk: re.Pattern[str] | None
    trunk_is_dropped: bool  # and not rewritten, as Argentina's is

    def bare(self, national: str) -> str | None:
        """Return `national` without trunk prefix; None where that takes libphonenumber to say."""
        match = self.trunk.match(national) if self.trunk else None
        if match is None:
            return national
        rest = national[match.end() :]
        certain = self.trunk_is_dropped and len(rest) in self.lengths
        return rest if certain and self.valid.fullmatch(rest) else None

    def keeps(self, national: str) -> bool:
        """Return whether `national` has a possible length and no trunk prefix to strip."""
        return len(national) in self.lengths and not (self.trunk and self.trunk.match(national))


def normalise_phone(raw: str, *, region: str | None = None) -> str:
    """Return the number in E.164; raise `Rejected` when it has none.

    `region` (ISO 3166 alpha-2, upper case) is assumed for numbers without a country code;
    `IdentifierError` when libphonenumber does not know it.
    """
    text = trim(raw)
    if is_placeholder("phone", text):
        raise Rejected(Reason.PLACEHOLDER)
    number = _read_plain(text, region) or _read_until_settled(text, region)
    code, national = _split(number)
    if is_repeated_digit(national):
        raise Rejected(Reason.PLACEHOLDER)
    return f"+{code}{national}"


def require_region(region: str | None) -> None:
    """Raise `IdentifierError` when `region` is given and libphonenumber does not know it."""
    import phonenumbers

    if region is not None and region not in phonenumbers.SUPPORTED_REGIONS:
        raise IdentifierError(
            f"unknown phone region {region!r}: write two upper-case letters, such as GB or CN"
        )


def _read_plain(text: str, region: str | None) -> str | None:
    """Return E.164 where libphonenumber would only drop punctuation and prefixes, else None."""
    if _PLAIN.fullmatch(text) is None:
        return None
    digits = text.translate(_PUNCTUATION)
    home = None if "+" in text else _region_plan(region)
    leaving = home.exit.match(digits) if home and home.exit else None
    if leaving:
        digits = digits[leaving.end() :]
        if digits.startswith("0"):
            return None  # no country code begins with 0, so that was no exit code
    if leaving or "+" in text:
        code, national = _split(digits)
        plan = _code_plan(code)
    else:
        plan, national = home, digits
        if plan and digits.startswith(plan.code):
            # Too long for a national number: then the country code is read as one.
            if len(digits) <= plan.longest:
                return None
            national = digits[len(plan.code) :]
    bare = plan.bare(national) if plan else None
    return _settled(plan.code + bare) if plan and bare else None


def _settled(digits: str) -> str | None:
    """Return +digits when libphonenumber would return it unchanged, else None."""
    code, national = _split(digits)
    plan = _code_plan(code)
    return f"+{digits}" if plan and plan.keeps(national) else None


def _split(number: str) -> tuple[str, str]:
    """Return (country code, national number); the code is empty when none is assigned."""
    digits = number.removeprefix("+")
    codes = _country_codes()
    for length in range(_SHORTEST_CODE, _LONGEST_CODE + 1):
        if digits[:length] in codes:
            return digits[:length], digits[length:]
    return "", digits


def _read_until_settled(text: str, region: str | None) -> str:
    require_region(region)
    refuse_invisible(text, spaces_allowed=True)
    for _ in range(_READINGS):
        number = _read(text, region)
        if number == text or _settled(number.removeprefix("+")) == number:
            return number
        text = number
    raise Rejected(Reason.PHONE_UNREADABLE)


def _read(text: str, region: str | None) -> str:
    import phonenumbers
    from phonenumbers import NumberParseException, ValidationResult

    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as error:
        # The library's message is not passed on: it may quote the number.
        unreadable = error.error_type in {
            NumberParseException.INVALID_COUNTRY_CODE,
            NumberParseException.NOT_A_NUMBER,
        }
        reason = Reason.PHONE_UNREADABLE if unreadable else Reason.PHONE_LENGTH
        raise Rejected(reason) from None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        raise Rejected(Reason.PHONE_LENGTH)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


@cache
def _country_codes() -> frozenset[str]:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    return frozenset(str(code) for code in COUNTRY_CODE_TO_REGION_CODE)


@cache
def _code_plan(code: str) -> _Plan | None:
    """Return the plan of a country code's main region."""
    from phonenumbers import PhoneMetadata, region_code_for_country_code

    if not code:
        return None
    region = region_code_for_country_code(int(code))
    return _plan(PhoneMetadata.metadata_for_region_or_calling_code(int(code), region))


@cache
def _region_plan(region: str | None) -> _Plan | None:
    from phonenumbers import PhoneMetadata

    return None if region is None else _plan(PhoneMetadata.metadata_for_region(region, None))


def _plan(metadata: object) -> _Plan | None:
    from phonenumbers import PhoneMetadata

    if not isinstance(metadata, PhoneMetadata) or metadata.general_desc is None:
        return None
    lengths = metadata.general_desc.possible_length
    trunk, leave = metadata.national_prefix_for_parsing, metadata.international_prefix
    return _Plan(
        code=str(metadata.country_code),
        lengths=frozenset(length for length in lengths if length <= _LONGEST_NATIONAL),
        longest=max(lengths),
        valid=re.compile(metadata.general_desc.national_number_pattern or ""),
        exit=re.compile(leave) if leave else None,
        trunk=re.compile(trunk) if trunk else None,
        trunk_is_dropped=not metadata.national_prefix_transform_rule,
    )
