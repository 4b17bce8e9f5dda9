"""How organisations really write identifiers down: the clutter that a reader must see through.

Each function takes normalised values (null where the organisation has none) and one number a row
that decides the style, and returns Arrow strings. Placeholders fill some gaps, as they do in
practice; they must be refused, or thousands of strangers become one person.
"""

import hashlib
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from examples.demo.draws import weighted
from examples.demo.people import choose, join

NO_DEVICE = "00000000-0000-0000-0000-000000000000"
SHA256_OF_NOTHING = hashlib.sha256(b"").hexdigest()
SHA256_OF_TEST = hashlib.sha256(b"test@test.com").hexdigest()

Shares = dict[str | None, float]
PhoneStyles = dict[tuple[str, str, str], float]

# What stands before the area code, around the exchange 555, and after the line number.
AT_THE_TILL: PhoneStyles = {
    ("(", ") 555-", ""): 0.30,
    ("", "-555-", ""): 0.25,
    ("", "555", ""): 0.15,
    ("", ".555.", ""): 0.10,
    ("+1 ", "-555-", ""): 0.08,
    ("1-", "-555-", ""): 0.05,
    (" ", " 555 ", " "): 0.05,
    ("", "-555-", " ext. 2"): 0.02,
}
IN_THE_APP: PhoneStyles = {
    ("+1", "555", ""): 0.75,
    ("+1 (", ") 555-", ""): 0.10,
    ("1", "555", ""): 0.10,
    ("", "-555-", ""): 0.05,
}
_TYPED: tuple[tuple[float, Callable[[pa.StringArray], pa.StringArray]], ...] = (
    (0.55, lambda emails: emails),
    (0.15, pc.utf8_title),
    (0.10, pc.utf8_upper),
    (0.10, lambda emails: join(emails, " ")),
    (0.06, lambda emails: join("  ", emails)),
    (0.04, lambda emails: join(pc.utf8_title(emails), "\u00a0")),
)


def typed_emails(numbers: np.ndarray, emails: pd.Series, gaps: Shares) -> pa.StringArray:
    """Write e-mails as people type them: capitals, and spaces around (also no-break ones)."""
    style = weighted(numbers, "e-mail typed", tuple(share for share, _ in _TYPED))
    plain = pa.array(emails, pa.string())
    return _fill(numbers, pc.choose(style, *(write(plain) for _, write in _TYPED)), gaps, "e-mail")


def hashed_emails(numbers: np.ndarray, digests: pd.Series, gaps: Shares) -> pa.StringArray:
    """Write hex digests as two exports do: lower case here, upper case there."""
    style = weighted(numbers, "digest typed", (0.6, 0.4))
    lower = pa.array(digests, pa.string())
    return _fill(numbers, pc.choose(style, lower, pc.utf8_upper(lower)), gaps, "digest")


def written_phones(
    numbers: np.ndarray, phones: pd.Series, styles: PhoneStyles, gaps: Shares
) -> pa.StringArray:
    """Write US numbers (E.164 with exchange 555) in national and other styles."""
    style = weighted(numbers, "phone written", tuple(styles.values()))
    before, between, after = (choose(part, style) for part in zip(*styles, strict=True))
    plain = pa.array(phones, pa.string())
    area = pc.utf8_slice_codeunits(plain, 2, 5)
    line = pc.utf8_slice_codeunits(plain, 8, 12)
    return _fill(numbers, join(before, area, between, line, after), gaps, "phone")


def device_ids(numbers: np.ndarray, maids: pd.Series, gaps: Shares) -> pa.StringArray:
    """Write advertising ids; a device that declined tracking shows zeros."""
    return _fill(numbers, pa.array(maids, pa.string()), gaps, "device")


def _fill(
    numbers: np.ndarray, values: pa.StringArray, gaps: Shares, purpose: str
) -> pa.StringArray:
    """Put one of `gaps` (by share; null among them) where a value is missing."""
    filler = choose(tuple(gaps), weighted(numbers, f"{purpose} gap", tuple(gaps.values())))
    return pc.coalesce(values, filler)
