"""Where a party is established and where its data lies: what decides which borders are crossed.

Places are countries and territories by the letters of ISO 3166-1. The members of the European
Economic Area are one area, within which the GDPR knows no transfer; everything else is an area of
its own, so mainland China, Hong Kong, Macao and Taiwan are four, as the PIPL's export rules have
them. Nothing here looks at addresses or networks: it is what the party says, and signs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from languages import message
from party.document import Section, TextRule

JURISDICTION: Final = "jurisdiction"
STORAGE: Final = "storage"
PLACE_KEYS: Final = (JURISDICTION, STORAGE)
EEA: Final = "EEA"
MOST_PLACES: Final = 16

_ASSIGNED: Final = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
CODES: Final = frozenset(_ASSIGNED.split())
"""ISO 3166-1 alpha-2: the 249 that are assigned."""
_IN_THE_AREA: Final = """
AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK
AX GF GP MF MQ RE YT
"""
_EEA_MEMBERS: Final = frozenset(_IN_THE_AREA.split())
"""The states, and those of their territories that have letters of their own and are in the Union:
Åland and France's outermost regions (TFEU 355). Svalbard is not in the Area."""
_PLACE: Final = TextRule(
    message("a country by its two letters of ISO 3166-1, such as CN or NL"),
    re.compile(r"[A-Z]{2}"),
    2,
)


@dataclass(frozen=True)
class Places:
    """What one party declares: whose law it is established under, and where its data lies.

    `storage` are the countries in which data of this product is kept or can be reached from,
    backups and remote access included.
    """

    jurisdiction: str
    storage: tuple[str, ...]

    @classmethod
    def of(cls, jurisdiction: str, storage: Sequence[str] = ()) -> Places:
        """Return a declaration; data lies where the party is established unless said otherwise."""
        return cls(jurisdiction, tuple(storage) or (jurisdiction,))

    @classmethod
    def read(cls, section: Section) -> Places | None:
        """Return what a card declares, None where it says nothing; one key alone is a fault."""
        said = [key for key in PLACE_KEYS if key in section]
        if not said:
            return None
        if len(said) == 1:
            missing = next(key for key in PLACE_KEYS if key not in said)
            raise section.fault(
                missing,
                f"is missing beside '{said[0]}'; declare both, such as 'jurisdiction: NL' and"
                " 'storage: [NL]', or neither",
            )
        places = cls(
            section.text(JURISDICTION, _PLACE), section.texts(STORAGE, _PLACE, most=MOST_PLACES)
        )
        for key, codes in ((JURISDICTION, (places.jurisdiction,)), (STORAGE, places.storage)):
            for code in codes:
                if code not in CODES:
                    raise section.fault(
                        key, f"ISO 3166-1 has no '{code}'; expected {_PLACE.expects}"
                    )
        return places

    @property
    def areas(self) -> tuple[str, ...]:
        """Return the areas in which data of this party is, in order: codes, or EEA."""
        return tuple(dict.fromkeys(area_of(one) for one in (self.jurisdiction, *self.storage)))

    def to_json(self) -> dict[str, object]:
        """Return the two keys of a card."""
        return {JURISDICTION: self.jurisdiction, STORAGE: list(self.storage)}

    def __str__(self) -> str:
        return f"{self.jurisdiction}, data in {', '.join(self.storage)}"


def area_of(code: str) -> str:
    """Return the area of a country: EEA for its members, else the country itself."""
    return EEA if code in _EEA_MEMBERS else code
