"""UID2, which The Trade Desk and others take: SHA-256 in base64, one type of identifier a file.

Published form: Unified ID 2.0 documentation, "Normalization and Encoding" (e-mails trimmed and in
lower case; of gmail.com addresses, and of no other domain's, dots and +tag are removed; phones as
E.164 with +; the hash's 32 bytes in base64). The headers are the names of the API's own fields.
"""

from __future__ import annotations

from typing import Final

from psi.emails import without_aliases

EMAIL: Final = "email_hash"
PHONE: Final = "phone_hash"
_DOMAINS: Final = ("gmail.com",)


def email(normalised: str) -> str:
    """Return an address as UID2 hashes it."""
    return without_aliases(normalised, _DOMAINS)
