"""E-mail addresses, normalised by profile 2026.1 (docs/protocol.md, Identifiers).

NFC, trim, Unicode lower case, NFC; exactly one @; the domain by UTS 46 (non-transitional, STD3) to
A-labels, with a dot inside and none at the end. Nothing else is removed: no dots, no tags, no
comments, except for Gmail when both parties chose the option.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache
from typing import Final

from psi.characters import refuse_invisible, trim
from psi.errors import Rejected
from psi.placeholders import NORMALISED, is_placeholder
from psi.reasons import Reason

# What most addresses look like. For these the rules above come to lower case: ASCII is its own NFC,
# and a domain of letters, digits and inner hyphens, none at places three and four, is its own
# A-label. A test compares this path with the long one.
_LABEL = r"(?!..--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN = re.compile(rf"[!#-?A-~]+@(?=[^@]{{1,253}}\Z){_LABEL}(?:\.{_LABEL})+")
GMAIL: Final = frozenset({"gmail.com", "googlemail.com"})


def normalise_email(raw: str, *, gmail: bool = False) -> str:
    """Return the address as profile 2026.1 writes it; raise `Rejected` when it has none."""
    text = trim(raw)
    normalised = text.lower() if _PLAIN.fullmatch(text) else _normalise_any(text)
    if gmail:
        normalised = without_aliases(normalised, GMAIL)
    if normalised in NORMALISED["email"]:
        raise Rejected(Reason.PLACEHOLDER)
    return normalised


def _normalise_any(raw: str) -> str:
    text = trim(unicodedata.normalize("NFC", raw))
    text = unicodedata.normalize("NFC", text.lower())
    if is_placeholder("email", text):
        raise Rejected(Reason.PLACEHOLDER)
    refuse_invisible(text)
    local, at, domain = text.partition("@")
    if not (local and at and domain) or "@" in domain or '"' in local:
        raise Rejected(Reason.EMAIL_SHAPE)
    return f"{local}@{_a_labels(domain)}"


@lru_cache(maxsize=4096)
def _a_labels(domain: str) -> str:
    import idna

    try:
        ascii_domain = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        # The library's message quotes the domain, so it must not travel on as a cause.
        raise Rejected(Reason.DOMAIN_INVALID) from None
    if ascii_domain.endswith("."):
        raise Rejected(Reason.DOMAIN_TRAILING_DOT)
    if "." not in ascii_domain:
        raise Rejected(Reason.DOMAIN_WITHOUT_DOT)
    return ascii_domain


def without_aliases(address: str, domains: Collection[str]) -> str:
    """Return a normalised address, of one of `domains` without dots and +tag before the @.

    Raises `Rejected` when nothing is left before the @.
    """
    local, _, domain = address.partition("@")
    if domain not in domains:
        return address
    local = local.partition("+")[0].replace(".", "")
    if not local:
        raise Rejected(Reason.EMAIL_EMPTY_LOCAL)
    return f"{local}@{domain}"
