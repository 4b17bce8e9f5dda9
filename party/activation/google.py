"""Google Customer Match: a CSV with the headers Email and Phone, values hashed.

Published forms: Google Ads Help, "Format your customer data file" (the headers, which may stand
several times; lower case; no spaces; phones as E.164) and "Formatting guidelines for uploading
hashed data"; Data Manager API, "Format user data" (in addresses of gmail.com and googlemail.com
the dots before the @ and a +suffix are removed; E.164 with +; SHA-256, in hex). Mobile device ids
go into a file of their own, unhashed, which is not written here.
"""

from __future__ import annotations

from typing import Final

from psi.emails import GMAIL, without_aliases

EMAIL: Final = "Email"
PHONE: Final = "Phone"


def email(normalised: str) -> str:
    """Return an address as Google hashes it: the profile's form with its Gmail option."""
    return without_aliases(normalised, GMAIL)
