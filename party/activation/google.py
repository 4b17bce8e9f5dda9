"""Google Customer Match: Email and Phone in one CSV, hashed; Mobile Device ID in another, as it is.

Published forms: Google Ads Help, "Format your customer data file" (the headers, which may stand
several times; lower case; no spaces; phones as E.164) and "Formatting guidelines for uploading
hashed data"; Data Manager API, "Format user data" (in addresses of gmail.com and googlemail.com
the dots before the @ and a +suffix are removed; E.164 with +; SHA-256, in hex). Mobile device ids
cannot be combined with other data, so they go into a list and a file of their own, unhashed
(Google Ads API, "Customer Match": keys of uploads, user identifiers). The help page calls the field
Mobile Device ID, and gives it a template of its own.
"""

from __future__ import annotations

from typing import Final

from psi.emails import GMAIL, without_aliases

EMAIL: Final = "Email"
PHONE: Final = "Phone"
DEVICE: Final = "Mobile Device ID"


def email(normalised: str) -> str:
    """Return an address as Google hashes it: the profile's form with its Gmail option."""
    return without_aliases(normalised, GMAIL)
