"""Meta custom audiences: a CSV with the headers email, phone and madid.

Published forms: Meta Business Help, "How to format a customer list when creating a custom
audience" (the headers, each up to three times) and Marketing API, "Customer File Custom
Audiences", section "Hashing and Normalization" (e-mails trimmed and in lower case; phones without
symbols and leading zeros, with the country code; SHA-256 in lower-case hex; advertising ids in
lower case with hyphens, not hashed).
"""

from __future__ import annotations

from typing import Final

EMAIL: Final = "email"
PHONE: Final = "phone"
DEVICE: Final = "madid"


def phone(normalised: str) -> str:
    """Return a number as Meta hashes it: E.164 without the +. No country code begins with 0."""
    return normalised.removeprefix("+")
