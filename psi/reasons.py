"""Why a value is refused: the closed list of profile 2026.1 (docs/protocol.md, Identifiers)."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """One reason; its text is what reports, errors and test vectors show."""

    PLACEHOLDER = "placeholder"
    INVISIBLE = "space or invisible character inside"
    EMAIL_SHAPE = "not one local part, one @, one domain"
    EMAIL_EMPTY_LOCAL = "nothing left of the local part"
    DOMAIN_TRAILING_DOT = "domain ends with a dot"
    DOMAIN_WITHOUT_DOT = "domain without a dot"
    DOMAIN_INVALID = "domain is not valid under IDNA"
    PHONE_UNREADABLE = "not a phone number for this region"
    PHONE_LENGTH = "impossible length for its country"
    NOT_ADVERTISING_ID = "not an advertising id"
    IMEI_LENGTH = "not 14 or 15 digits"
    IMEI_CHECK_DIGIT = "check digit is wrong"
    NOT_MAC = "not twelve hex digits"
    DIGEST_ENCODING = "neither hex nor base64"
    DIGEST_NOT_CANONICAL = "base64 is not canonical"
    DIGEST_LENGTH_SHA256 = "wrong length for sha256"
    DIGEST_LENGTH_MD5 = "wrong length for md5"
    DIGEST_OF_PLACEHOLDER = "digest of a placeholder"
