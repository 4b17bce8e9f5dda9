"""How far a request about conversions may go: what a contract grants with attribution and delay.

The recipient chooses these numbers (docs/protocol.md, 5.8), and they are the tabulator's memory,
its people's loss by a recipient that does not keep to its bound, and how far back touches are read.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

from party.document import Section
from psi.windows import MOST_ORDINAL

MOMENTS: Final = "moments"
MOST_KEYS_A_PERSON: Final = 1 << 16
_MOST_LOOKBACK_DAYS: Final = 3660


@dataclass(frozen=True)
class MomentTerms:
    """The most that may be asked for; a contract that says nothing grants the defaults.

    Attributes:
        most_conversions: M, conversions of one person that may count.
        keys_a_conversion: keys that the tabulator may be asked to send for each of them and each
            identifier of a person; K_T is at most this, times M, times identifiers.
        lookback_days: for how long after it a touch may count.
    """

    most_conversions: int = 4
    keys_a_conversion: int = 64
    lookback_days: int = 30

    @classmethod
    def read(cls, output: Section) -> MomentTerms:
        """Read the section `moments` of a granted output."""
        section = output.section(MOMENTS, required=tuple(asdict(cls())))
        return cls(
            section.integer("most_conversions", 1, MOST_ORDINAL),
            section.integer("keys_a_conversion", 1, MOST_KEYS_A_PERSON),
            section.integer("lookback_days", 0, _MOST_LOOKBACK_DAYS),
        )

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        return asdict(self)
