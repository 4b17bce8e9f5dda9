"""The numbers of a session as its request states them, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from party.document import Section
from privacy.units import NANO
from psi.errors import LimitExceeded
from psi.windows import Timing, Window

MOST_INTEGER: Final = (1 << 53) - 1
_NUMBERS: Final = (
    "epsilon_release_nano",
    "epsilon_dummies_nano",
    "delta_dummies_e15",
    "known_answers",
    "records_per_person",
)
_TIMING: Final = ("start", "slot_seconds", "slots", "lookback", "most_keys", "room")
_PEOPLE: Final = "epsilon_people_nano"


@dataclass(frozen=True)
class Parameters:
    """The numbers of one session: ε in 1e-9, δ in 1e-15, F, L, and identifiers a person.

    A match has no release, and ε 0 for it. `most_identifiers` is, by party, the most identifiers
    that are sent for one person. `suppression_runs` is how many runs may take people who withdraw
    off a match's list; the sender's set has a reserve for each. 0 is not written. `timing` stands
    in requests whose records are moments, such as attribution.
    """

    epsilon_release_nano: int = NANO
    epsilon_dummies_nano: int = NANO
    delta_dummies_e15: int = 1_000_000
    known_answers: int = 128
    records_per_person: int = 1
    most_identifiers: Mapping[str, int] = field(default_factory=dict)
    suppression_runs: int = 0
    timing: Timing | None = None

    def later(self, seconds: int) -> Parameters:
        """Return them for a request made so much later: a window moves by as many whole slots."""
        return self if self.timing is None else replace(self, timing=self.timing.later(seconds))

    def to_json(self) -> dict[str, object]:
        """Return the parameters as they stand in a request."""
        numbers: dict[str, object] = {name: getattr(self, name) for name in _NUMBERS}
        if self.suppression_runs:
            numbers["suppression_runs"] = self.suppression_runs
        if self.timing is not None:
            numbers["timing"] = _write_timing(self.timing)
        return {**numbers, "most_identifiers": dict(self.most_identifiers)}


def read_parameters(root: Section, parties: tuple[str, ...]) -> Parameters:
    """Read the section `parameters`; a number for each of `parties` where it is by party."""
    section = root.section(
        "parameters",
        required=(*_NUMBERS, "most_identifiers"),
        optional=("suppression_runs", "timing"),
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
        timing=_read_timing(section) if "timing" in section else None,
    )


def _write_timing(timing: Timing) -> dict[str, object]:
    window = timing.window
    document: dict[str, object] = {
        "start": window.start,
        "slot_seconds": window.slot_seconds,
        "slots": window.slots,
        "lookback": timing.lookback,
        "most_keys": timing.most_keys,
        "room": timing.room,
    }
    if timing.epsilon_people_nano:
        document[_PEOPLE] = timing.epsilon_people_nano
    return document


def _read_timing(parameters: Section) -> Timing:
    section = parameters.section("timing", required=_TIMING, optional=(_PEOPLE,))
    read = {name: section.integer(name, 0, MOST_INTEGER) for name in _TIMING}
    try:
        window = Window(read["start"], read["slot_seconds"], read["slots"])
    except LimitExceeded as error:
        raise section.fault("slots", str(error)) from None
    return Timing(
        window,
        read["lookback"],
        read["most_keys"],
        read["room"],
        section.integer(_PEOPLE, 1, MOST_INTEGER) if _PEOPLE in section else 0,
    )
