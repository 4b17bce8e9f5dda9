"""The noise of a session and what it costs a party: the one place where both are computed.

docs/protocol.md, Dummies, Fillers, Release and Charges. Public parameters in; laws and spends
out. Nothing here draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from privacy.accounting import Spend
from privacy.noise import DiscreteLaplaceLaw
from privacy.truncated import TruncatedLaplace

_KEPT: Final = 16
"""Laws that are kept: a counterpart chooses ε and δ, and the thresholds of one take up to 50 MB."""


@dataclass(frozen=True)
class SessionNoise:
    """The privacy parameters of a request: ε in 1e-9, δ in 1e-15.

    A *bound* below is the most by which one person changes what is counted: the records of one
    person that are kept, times the keys that are sent for each.

    Attributes:
        epsilon_release_nano: ε_r of the released table; a match has none and ignores it.
        epsilon_dummies_nano: ε_d of dummies and fillers.
        delta_dummies_e15: δ_d of dummies and fillers.
    """

    epsilon_release_nano: int
    epsilon_dummies_nano: int
    delta_dummies_e15: int

    def release(self, bound: int) -> DiscreteLaplaceLaw:
        """Return the law of e, which the tabulator with this bound adds to every cell.

        Raises:
            InvalidParameter: ε or the bound is out of range.
        """
        return _released(self.epsilon_release_nano, bound)

    def sizes(self, bound: int) -> TruncatedLaplace:
        """Return the law of a party's dummies in each cell and of its fillers in each label.

        Raises:
            InvalidParameter: ε, δ or the bound is out of range.
        """
        return _truncated(self.epsilon_dummies_nano, self.delta_dummies_e15, bound)

    def totals(self, bound: int) -> DiscreteLaplaceLaw:
        """Return the law of the noise on totals of the others' labels, for a third of this bound.

        Raises:
            InvalidParameter: ε or the bound is out of range.
        """
        return _released(self.epsilon_dummies_nano, bound)

    def spend(self, bound: int, *, releases: bool) -> Spend:
        """Return what a party is charged for a whole session before its first byte.

        (ε_d, δ_d) for its sizes, where δ includes the sampler's distance; and the one that
        releases the table, (ε_r, 0) for it.

        Raises:
            InvalidParameter: ε, δ or the bound is out of range.
        """
        sizes = Spend.truncated(self.epsilon_dummies_nano, self.sizes(bound).delta_charged_e15)
        return Spend.pure(self.epsilon_release_nano) + sizes if releases else sizes


@dataclass(frozen=True)
class TableLaws:
    """The laws of a table, as its reports and its quote need them."""

    noise: SessionNoise
    tabulator_bound: int = 1
    recipient_bound: int = 1
    tabulator_keys: int | None = None
    """The most keys of one person in the tabulator's set, where not all of them are counted."""
    epsilon_people_nano: int = 0
    third_bound: int = 1

    @property
    def release(self) -> DiscreteLaplaceLaw:
        """The law of e."""
        return self.noise.release(self.tabulator_bound)

    @property
    def people(self) -> DiscreteLaplaceLaw:
        """The law of the noise on people by coalition; InvalidParameter where none are released."""
        return DiscreteLaplaceLaw.for_release(self.epsilon_people_nano, 1)

    @property
    def dummies(self) -> TruncatedLaplace:
        """The law of τ, the dummies that the recipient puts into one cell."""
        return self.noise.sizes(self.recipient_bound)

    @property
    def tabulator_fillers(self) -> TruncatedLaplace:
        """The law of the fillers in one label of the tabulator."""
        return self.noise.sizes(self.tabulator_keys or self.tabulator_bound)

    @property
    def recipient_fillers(self) -> TruncatedLaplace:
        """The law of the fillers in one label of the recipient."""
        return self.noise.sizes(self.recipient_bound)

    @property
    def totals(self) -> DiscreteLaplaceLaw:
        """The law of the noise on one total, which protects the third's people."""
        return self.noise.totals(self.third_bound)

    @property
    def third_dummies(self) -> TruncatedLaplace:
        """The law of the dummies that the third puts into one cell."""
        return self.noise.sizes(self.third_bound)

    @property
    def third_fillers(self) -> TruncatedLaplace:
        """The law of the fillers in one label of the third."""
        return self.noise.sizes(self.third_bound)


@lru_cache(maxsize=_KEPT)
def _released(epsilon_nano: int, sensitivity: int) -> DiscreteLaplaceLaw:
    """Return a law once: a report of thousands of numbers asks for it at each."""
    return DiscreteLaplaceLaw.for_release(epsilon_nano, sensitivity)


@lru_cache(maxsize=_KEPT)
def _truncated(epsilon_nano: int, delta_e15: int, sensitivity: int) -> TruncatedLaplace:
    """Return a law once: its exact n and thresholds take longer than a thousand draws."""
    return TruncatedLaplace(epsilon_nano, delta_e15, sensitivity)
