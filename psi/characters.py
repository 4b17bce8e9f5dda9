"""Characters around and inside identifiers: what is trimmed, what is refused.

Trimming follows Unicode's White_Space property, not `str.strip`, which also takes the four
information separators U+001C … U+001F. The categories of docs/protocol.md, Identifiers (Cc, Cf,
Zs, Zl, Zp) are refused inside, so that two texts that look the same cannot become two keys. Lone
surrogates (Cs) are no text and refused with them.
"""

from __future__ import annotations

import unicodedata

from psi.errors import Rejected
from psi.reasons import Reason

WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_CONTROL = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})
_INVISIBLE = _CONTROL | {"Zs"}


def trim(text: str) -> str:
    """Return `text` without White_Space at either end."""
    return text.strip(WHITE_SPACE)


def refuse_invisible(text: str, *, spaces_allowed: bool = False) -> None:
    """Raise `Rejected` when `text` holds an invisible character (or a space, unless allowed)."""
    if text.isprintable() and (spaces_allowed or " " not in text):
        return
    refused = _CONTROL if spaces_allowed else _INVISIBLE
    if any(unicodedata.category(character) in refused for character in text):
        raise Rejected(Reason.INVISIBLE)
