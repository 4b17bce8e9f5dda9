"""Device identifiers, normalised by profile 2026.1 (docs/protocol.md, Identifiers).

Only ASCII letters and digits count: full-width forms and letters that merely lower to ASCII (the
Kelvin sign) are refused, not folded.
"""

from __future__ import annotations

import re

from psi.characters import refuse_invisible, trim
from psi.errors import Rejected
from psi.luhn import with_check_digit
from psi.placeholders import is_placeholder
from psi.reasons import Reason

_UUID = re.compile(
    r"([0-9A-Fa-f]{8})-?([0-9A-Fa-f]{4})-?([0-9A-Fa-f]{4})-?([0-9A-Fa-f]{4})-?([0-9A-Fa-f]{12})"
)
_HYPHENS_OF_UUID = (0, 4)
_OAID = re.compile(r"[0-9A-Za-z_-]{8,64}")
_SEPARATORS = str.maketrans("", "", ": .-")
_IMEI = re.compile(r"[0-9]{14,15}")
_MAC = re.compile(r"[0-9A-Fa-f]{12}")


def normalise_maid(raw: str) -> str:
    """Return an IDFA or GAID as a lower-case hyphenated UUID; with all hyphens or none."""
    text = _visible("maid", raw)
    match = _UUID.fullmatch(text)
    if match is None or text.count("-") not in _HYPHENS_OF_UUID:
        raise Rejected(Reason.NOT_ADVERTISING_ID)
    return "-".join(match.groups()).lower()


def normalise_oaid(raw: str) -> str:
    """Return an OAID in lower case: 8 to 64 letters, digits, hyphens or underscores."""
    text = _visible("oaid", raw)
    if _OAID.fullmatch(text) is None:
        raise Rejected(Reason.NOT_ADVERTISING_ID)
    return text.lower()


def normalise_imei(raw: str) -> str:
    """Return fifteen digits; a missing check digit is completed, a present one is checked."""
    digits = _visible("imei", raw, spaces_allowed=True).translate(_SEPARATORS)
    if _IMEI.fullmatch(digits) is None:
        raise Rejected(Reason.IMEI_LENGTH)
    completed = with_check_digit(digits[:14])
    if any(is_placeholder("imei", form) for form in (digits, digits[:14], completed)):
        raise Rejected(Reason.PLACEHOLDER)
    if len(digits) == len(completed) and digits != completed:
        raise Rejected(Reason.IMEI_CHECK_DIGIT)
    return completed


def normalise_mac(raw: str) -> str:
    """Return twelve upper-case hex digits without separators."""
    digits = _visible("mac", raw, spaces_allowed=True).translate(_SEPARATORS)
    if _MAC.fullmatch(digits) is None:
        raise Rejected(Reason.NOT_MAC)
    if is_placeholder("mac", digits):
        raise Rejected(Reason.PLACEHOLDER)
    return digits.upper()


def _visible(kind: str, raw: str, *, spaces_allowed: bool = False) -> str:
    text = trim(raw)
    if is_placeholder(kind, text):
        raise Rejected(Reason.PLACEHOLDER)
    refuse_invisible(text, spaces_allowed=spaces_allowed)
    return text
