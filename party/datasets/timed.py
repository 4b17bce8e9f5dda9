"""From a request whose records are moments to the moments of one dataset's people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from party.datasets.conversion_moments import ConversionMoments
from party.datasets.definition import Definition
from party.datasets.labels import Label
from party.datasets.moments import Moments
from party.datasets.people import People
from party.datasets.rows import Rows
from party.datasets.touch_labels import AgeLabel, JourneyLabel, TouchLabel
from party.datasets.touch_moments import TouchMoments
from party.errors import DatasetError
from psi.buckets import RoundingKey
from psi.windows import Timing


@dataclass(frozen=True)
class Timed:
    """What a request whose records are moments states beside labels.

    `touches` says whose side it is: the tabulator's has touches, the other conversions. Winners are
    drawn from `salt` (32 bytes), which a resumed session has again.
    """

    timing: Timing
    most_records: int
    touches: bool
    salt: bytes = field(repr=False)


def time_columns(definition: Definition, label: Label | None, timed: Timed | None) -> list[str]:
    """Return the column of conversions' times; raise DatasetError where moments cannot be read."""
    if timed is None:
        return []
    if definition.person is None:
        raise DatasetError(
            f"dataset {definition.name} takes each row for a person, so that nobody has two "
            "moments: say with 'person' what makes rows one person"
        )
    if timed.touches:
        if not isinstance(label, JourneyLabel | AgeLabel):
            raise DatasetError(
                f"dataset {definition.name}: the requested label is not made of touches; describe "
                "it with 'journeys_of' or 'ages_of'"
            )
        return []
    if definition.conversion_time is None:
        raise DatasetError(
            f"dataset {definition.name} does not say when conversions were: write "
            "'conversions: {time: COLUMN}' in its description"
        )
    return [definition.conversion_time]


def moments_of(
    definition: Definition,
    label: Label | None,
    values: Sequence[str],
    rows: Rows,
    people: People,
    timed: Timed,
    rounding: RoundingKey | None,
) -> Moments:
    """Return the moments of a dataset's people; DatasetError where they cannot be read."""
    timing, most = timed.timing, timed.most_records
    if isinstance(label, JourneyLabel | AgeLabel):
        _require_listed(label, values)
        return TouchMoments.read(rows.columns, people, label, timing, most, timed.salt)
    time = definition.conversion_time or ""
    return ConversionMoments.read(rows.columns, people, time, label, values, timing, most, rounding)


def _require_listed(label: TouchLabel, values: Sequence[str]) -> None:
    if tuple(values) != label.values:
        raise DatasetError(
            "the dataset's list of this label is no longer the contract's: restore the description,"
            " or agree on a new contract"
        )
