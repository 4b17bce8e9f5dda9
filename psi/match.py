"""Match: what each side computes from the two sets of tags (protocol §4)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from psi.errors import WrongAnswer
from psi.sets import LabelledSet, contains


def count_common(one: LabelledSet, other: LabelledSet) -> int:
    """Return how many tags two sets share, dummies among them; the exact count stays here."""
    return int(np.count_nonzero(contains(other.elements, one.elements)))


def is_below_minimum(common: int, *, dummies: int, most_identifiers: int, minimum: int) -> bool:
    """Say whether a list may not come to exist.

    `common - dummies` never exceeds the true number of common identifiers, whatever the
    receiver drew, and one person of the sender's accounts for `most_identifiers` at most.
    """
    return common - dummies < minimum * most_identifiers


def matched_positions(mine: LabelledSet, theirs: LabelledSet) -> npt.NDArray[np.int64]:
    """Return the positions in `mine` whose tags the other set has too, ascending."""
    return np.flatnonzero(contains(theirs.elements, mine.elements))


def require_dummies(matched: npt.NDArray[np.int64], dummies: npt.NDArray[np.int64]) -> None:
    """Require that all positions of dummies are among those that matched.

    Raises:
        WrongAnswer: the sender left agreed dummies out.
    """
    if not np.isin(dummies, matched, assume_unique=True).all():
        raise WrongAnswer(
            "agreed dummies are missing from the counterpart's set: its count of the match "
            "would not be noisy. No list is made; talk to them"
        )
