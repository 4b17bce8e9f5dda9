"""Labels made of touches: journeys, and ages of the last touch (docs/protocol.md, Moments).

They hold from slot to slot and so are not one label a person: they serve attribution and delay,
whose requests state the window. Their values are public, from campaigns that the description names.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt

from party.contract_terms import LABEL_VALUE, MOST_LABEL_VALUES
from party.datasets.assignment import Positions
from party.datasets.coded import CodedColumn
from party.datasets.joined import columns_json, joined, read_columns, require_parts
from party.datasets.rules import COLUMN
from party.document import Section
from party.errors import DatasetError
from psi.ages import MOST_HOURS, Ages
from psi.errors import JourneyError
from psi.journey import (
    MOST_CAMPAIGNS,
    Journey,
    campaigns_of,
    list_journeys,
    read_journeys,
    require_campaign,
)
from psi.touches import Stretches, Touches, age_stretches, journey_stretches
from psi.windows import Timing

HALF_LIFE_SECONDS: Final = 7 * 86_400
"""Of the time-decay credit with which winners are drawn."""
_MOST_CAMPAIGNS: Final = 64
_MOST_CLASSES: Final = 64
_HOUR: Final = 3_600
JOURNEYS, AGES = "journeys_of", "ages_of"


@dataclass(frozen=True)
class _OfTouches(ABC):
    """What both have: the columns that name a touch's campaign, and the column of its time."""

    campaign_columns: tuple[str, ...]
    time: str
    number_columns: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def campaigns(self) -> tuple[str, ...]:
        """The campaigns of the list."""

    def campaign_of(self, columns: Mapping[str, CodedColumn]) -> Positions:
        """Return for each row its campaign's position in the list, or -1."""
        return joined(columns, self.campaign_columns).positions_of(self.campaigns)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return (*self.campaign_columns, self.time)

    def assign(
        self, columns: Mapping[str, CodedColumn], person: Positions, people: int
    ) -> NoReturn:
        """Raise DatasetError: what holds from slot to slot is no label of a person."""
        raise DatasetError(
            f"a label made of touches, as that of '{self.time}', is no label of a person; only "
            "attribution and delay are counted by it"
        )


@dataclass(frozen=True)
class JourneyLabel(_OfTouches):
    """The journey that touches have produced by a slot; `in_full` is None for a written list."""

    journeys: tuple[Journey, ...]
    in_full: int | None

    @cached_property
    def values(self) -> tuple[str, ...]:
        """The public list of journeys."""
        return tuple(one.text for one in self.journeys)

    @cached_property
    def campaigns(self) -> tuple[str, ...]:
        """The campaigns of the list."""
        return campaigns_of(self.journeys)

    def stretches(
        self, touches: Touches, timing: Timing, uniforms: npt.NDArray[np.float64]
    ) -> Stretches:
        """Return people's stretches; labels are positions among `values`."""
        return journey_stretches(
            touches,
            timing.window,
            timing.lookback,
            self.journeys,
            self.campaigns,
            half_life_seconds=HALF_LIFE_SECONDS,
            uniforms=uniforms,
        )

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        document = {JOURNEYS: columns_json(self.campaign_columns), "time": self.time}
        if self.in_full is None:
            return {**document, "journeys": list(self.values)}
        return {**document, "campaigns": list(self.campaigns), "in_full": self.in_full}


@dataclass(frozen=True)
class AgeLabel(_OfTouches):
    """The last touch's campaign and how long ago it was."""

    ages: Ages

    @property
    def values(self) -> tuple[str, ...]:
        """Every campaign with every class of age."""
        return self.ages.texts

    @property
    def campaigns(self) -> tuple[str, ...]:
        """The campaigns of the list."""
        return self.ages.campaigns

    def stretches(
        self, touches: Touches, timing: Timing, uniforms: npt.NDArray[np.float64]
    ) -> Stretches:
        """Return people's stretches; labels are positions among `values`. Nothing is drawn.

        Raises `DatasetError` where a class does not begin with a slot of the request.
        """
        seconds = timing.window.slot_seconds
        bounds = [hours * _HOUR for hours in self.ages.hours]
        if any(bound % seconds for bound in bounds):
            raise DatasetError(
                f"classes of age begin at whole slots, and a slot of the request has {seconds} "
                "seconds; ask with shorter slots"
            )
        in_slots = [bound // seconds for bound in bounds]
        return age_stretches(touches, timing.window, timing.lookback, in_slots)

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        return {
            AGES: columns_json(self.campaign_columns),
            "time": self.time,
            "campaigns": list(self.campaigns),
            "hours": list(self.ages.hours),
        }


TouchLabel: TypeAlias = JourneyLabel | AgeLabel


def read_journey_label(labels: Section, name: str) -> JourneyLabel:
    """Read a label with the key `journeys_of`: of campaigns, or of a written list."""
    written = "journeys" in labels.section(name, required=(), optional=_JOURNEY_KEYS)
    required = ("journeys",) if written else ("campaigns", "in_full")
    section = labels.section(name, required=(JOURNEYS, "time", *required))
    columns, time = read_columns(section, JOURNEYS), section.text("time", COLUMN)
    try:
        if written:
            texts = section.texts("journeys", LABEL_VALUE, most=MOST_LABEL_VALUES)
            journeys, in_full = read_journeys(texts), None
        else:
            campaigns = _read_campaigns(section)
            in_full = section.integer("in_full", 0, MOST_CAMPAIGNS)
            _require_listable(section, len(campaigns), in_full)
            journeys = list_journeys(campaigns, in_full)
    except JourneyError as error:
        raise section.fault("journeys" if written else "campaigns", str(error)) from None
    label = JourneyLabel(columns, time, journeys, in_full)
    require_parts(section, JOURNEYS, columns, label.campaigns)
    _require_values(section, label.values)
    return label


def read_age_label(labels: Section, name: str) -> AgeLabel:
    """Read a label with the key `ages_of`."""
    section = labels.section(name, required=(AGES, "time", "campaigns", "hours"))
    columns, time = read_columns(section, AGES), section.text("time", COLUMN)
    hours = section.integers("hours", 0, MOST_HOURS, items=_MOST_CLASSES)
    try:
        ages = Ages(_read_campaigns(section), hours)
    except JourneyError as error:
        raise section.fault("hours", str(error)) from None
    require_parts(section, AGES, columns, ages.campaigns)
    _require_values(section, ages.texts)
    return AgeLabel(columns, time, ages)


_JOURNEY_KEYS: Final = (JOURNEYS, "time", "campaigns", "in_full", "journeys")
TOUCH_KEYS: Final = {JOURNEYS: _JOURNEY_KEYS, AGES: (AGES, "time", "campaigns", "hours")}


def _read_campaigns(section: Section) -> tuple[str, ...]:
    campaigns = section.texts("campaigns", LABEL_VALUE, most=_MOST_CAMPAIGNS)
    for campaign in campaigns:
        try:
            require_campaign(campaign)
        except JourneyError as error:
            raise section.fault("campaigns", str(error)) from None
    return campaigns


def _require_listable(section: Section, campaigns: int, in_full: int) -> None:
    """Refuse a list that is too long before it is made: it grows with a power of the campaigns."""
    longest = campaigns**in_full + campaigns**2 + (campaigns**3 if in_full else 0)
    if longest > 16 * MOST_LABEL_VALUES:
        raise section.fault(
            "in_full", f"{campaigns} campaigns in full to {in_full} make far more than "
            f"{MOST_LABEL_VALUES:,} journeys; take fewer campaigns, or a smaller number"
        )  # fmt: skip


def _require_values(section: Section, values: tuple[str, ...]) -> None:
    if len(values) > MOST_LABEL_VALUES:
        raise section.fault(
            "campaigns", f"these make {len(values):,} values, and {MOST_LABEL_VALUES:,} is the "
            "most; take fewer campaigns or classes"
        )  # fmt: skip
    if max(map(len, values)) > LABEL_VALUE.most:
        raise section.fault("campaigns", "the names are too long to be joined; use shorter ones")
