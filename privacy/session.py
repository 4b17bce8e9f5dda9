"""The noise that the parties of one session agree on, and what each is charged for it.

docs/protocol.md, Dummies, Fillers, Release and Charges. Public parameters in;
laws and spends out. Nothing here draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from privacy.accounting import Spend
from privacy.errors import InvalidParameter
from privacy.noise import DiscreteLaplaceLaw, exact_scale
from privacy.truncated import TruncatedLaplace

SessionKind = Literal["match", "crosstab"]
SessionRole = Literal["receiver", "sender", "tabulator", "recipient", "vendor"]

_ROLES: dict[str, tuple[str, ...]] = {
    "match": ("receiver", "sender"),
    "crosstab": ("tabulator", "recipient", "vendor"),
}


@dataclass(frozen=True)
class SessionNoise:
    """The privacy parameters of a request: ε in 1e-9, δ in 1e-15.

    Attributes:
        epsilon_release_nano: ε_r of the released table; a match has none and ignores it.
        epsilon_dummy_nano: ε_d of dummies and fillers.
        delta_dummy_e15: δ_d of dummies and fillers.
        records_per_person: L, the enforced bound on records of one person.
        keys_per_person: the most identifiers offered for one person, by the tabulator of a
            crosstab or by either side of a match.
    """

    epsilon_release_nano: int
    epsilon_dummy_nano: int
    delta_dummy_e15: int
    records_per_person: int = 1
    keys_per_person: int = 1

    def __post_init__(self) -> None:
        if min(self.records_per_person, self.keys_per_person) < 1:
            raise InvalidParameter("a person has at least one record and one key")
        exact_scale(self.epsilon_dummy_nano, self.tabulator_sensitivity)

    @property
    def tabulator_sensitivity(self) -> int:
        """L_T: the most by which one person of the tabulator changes the table."""
        return self.records_per_person * self.keys_per_person

    @cached_property
    def release(self) -> DiscreteLaplaceLaw:
        """The law of e, which the tabulator adds to every cell."""
        return DiscreteLaplaceLaw.for_release(self.epsilon_release_nano, self.tabulator_sensitivity)

    @cached_property
    def dummies(self) -> TruncatedLaplace:
        """The law of τ, the dummies that a recipient or vendor puts into one cell."""
        return self._truncated(self.records_per_person)

    @cached_property
    def tabulator_fillers(self) -> TruncatedLaplace:
        """The law of the fillers in one label of the tabulator, or of a side of a match."""
        return self._truncated(self.tabulator_sensitivity)

    @property
    def recipient_fillers(self) -> TruncatedLaplace:
        """The law of the fillers in one label of a party that sends one key a record."""
        return self.dummies

    def _truncated(self, sensitivity: int) -> TruncatedLaplace:
        return TruncatedLaplace(self.epsilon_dummy_nano, self.delta_dummy_e15, sensitivity)


def session_spends(kind: SessionKind, role: SessionRole, noise: SessionNoise) -> Spend:
    """Return what a party is charged for a whole session before its first byte.

    The tabulator pays (ε_r, 0) for the table and (ε_d, δ_d) for its sizes; everyone else, and
    both sides of a match, (ε_d, δ_d). δ includes the sampler's statistical distance.
    InvalidParameter when the kind of session has no such role.
    """
    if role not in _ROLES.get(kind, ()):
        raise InvalidParameter(f"a {kind} has no {role}; roles are {_ROLES}")
    sends_many_keys = kind == "match" or role == "tabulator"
    law = noise.tabulator_fillers if sends_many_keys else noise.dummies
    dummies = Spend.truncated(noise.epsilon_dummy_nano, law.delta_charged_e15)
    if role == "tabulator":
        return Spend.pure(noise.epsilon_release_nano) + dummies
    return dummies
