"""The numbers of a session as its request states them, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from party.document import Section
from privacy.units import NANO

MOST_INTEGER: Final = (1 << 53) - 1
_NUMBERS: Final = (
    "epsilon_release_nano",
    "epsilon_dummies_nano",
    "delta_dummies_e15",
    "known_answers",
    "records_per_person",
)


@dataclass(frozen=True)
class Parameters:
    """The numbers of one session: ε in 1e-9, δ in 1e-15, F, L, and identifiers a person.

    A match has no release, and ε 0 for it. `most_identifiers` is, by party, the most identifiers
    that are sent for one person. `suppression_runs` is how many runs may take people who withdraw
    off a match's list; the sender's set has a reserve for each. 0 is not written.
    """

    epsilon_release_nano: int = NANO
    epsilon_dummies_nano: int = NANO
    delta_dummies_e15: int = 1_000_000
    known_answers: int = 128
    records_per_person: int = 1
    most_identifiers: Mapping[str, int] = field(default_factory=dict)
    suppression_runs: int = 0

    def to_json(self) -> dict[str, object]:
        """Return the parameters as they stand in a request."""
        numbers: dict[str, object] = {name: getattr(self, name) for name in _NUMBERS}
        if self.suppression_runs:
            numbers["suppression_runs"] = self.suppression_runs
        return {**numbers, "most_identifiers": dict(self.most_identifiers)}


def read_parameters(root: Section, parties: tuple[str, ...]) -> Parameters:
    """Read the section `parameters`; a number for each of `parties` where it is by party."""
    section = root.section(
        "parameters",
        required=(*_NUMBERS, "most_identifiers"),
        optional=("suppression_runs",),
    )
    most = section.section("most_identifiers", required=parties)
    return Parameters(
        **{name: section.integer(name, 0, MOST_INTEGER) for name in _NUMBERS},
        most_identifiers=MappingProxyType(
            {party: most.integer(party, 1, MOST_INTEGER) for party in parties}
        ),
        suppression_runs=(
            section.integer("suppression_runs", 1, MOST_INTEGER)
            if "suppression_runs" in section
            else 0
        ),
    )
