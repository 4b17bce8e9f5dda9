"""TikTok customer files: one type of identifier a file, one identifier a line, hashed.

Published form: TikTok Ads Manager Help, "List of supported IDs and formats for a customer file"
(the headers; e-mails without spaces in lower case; phones as E.164 with +; advertising ids in one
case throughout; SHA-256). Some editions of that page remove dots and +tags of e-mails, or the +
of phones; this follows the edition that asks for neither. Two of its three published hashes (the
e-mail's and the advertising id's) are test vectors; the phone's is of neither number beside it.
"""

from __future__ import annotations

from typing import Final

EMAIL: Final = "Email_SHA256"
PHONE: Final = "Phone_SHA256"
DEVICE: Final = "MAID_SHA256"
