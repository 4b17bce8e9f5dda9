"""Who takes part in one session: the people who may, who consent, and have a requested label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from party.datasets.assignment import Assignment, Flags
from party.datasets.buckets import BucketLabel, place
from party.datasets.coded import NOTHING
from party.datasets.combination import buckets_of
from party.datasets.consent import Protected, consenting
from party.datasets.erased import NOT_ERASED
from party.datasets.labels import Label, expressions_of
from party.datasets.people import People
from party.datasets.rows import Rows
from party.datasets.steps import BoundStep
from party.datasets.traffic import clean
from party.datasets.words import Asked, Grant
from psi.buckets import RoundingKey

if TYPE_CHECKING:
    import pyarrow as pa

    from party.datasets.moments import Moments

_IN_RANGE: Final = "people whose value is in a range"
_COMPUTED: Final = "people on whose rows the expression works, with their values in a range"


@dataclass(frozen=True, eq=False, repr=False)
class Selection:
    """The people who take part, the label of each (int16), and how they were chosen.

    `consenting` are the references of all who may take part and consent, with valid traffic and a
    requested label or without. `protected` says which rules beside consent left people out.
    `amounts` are what each person's rows add up to, in millionths, where the label is
    value buckets, and `moments` those of people whose records are moments.
    """

    people: People
    label_of: npt.NDArray[np.int16]
    consenting: pa.Array
    steps: tuple[BoundStep, ...]
    protected: Protected
    amounts: npt.NDArray[np.int64] | None = None
    moments: Moments | None = None


def select(
    rows: Rows,
    *,
    label: Label | None,
    values: Sequence[str],
    purpose: str,
    recipients: Sequence[str],
    now: float,
    rounding: RoundingKey | None = None,
    events_until: float | None = None,
) -> Selection:
    """Choose by consent for this purpose and each recipient, by valid traffic, then by label.

    With consent leave who was erased, and minors without a guardian's. Separate consent for
    sensitive columns that a label is made of comes after it: the snapshot is of consent as such.

    A person whose label is not among `values` has none; without `label` everyone has label 0.
    `rounding` places values between two bounds; DatasetError where it is needed and missing. Events
    after `events_until`, which is `now` unless given, are invalid traffic.
    """
    everyone = rows.people
    of_somebody = int(np.count_nonzero(everyone.of_row != NOTHING))
    consents = np.ones(len(everyone), dtype=np.bool_)
    for recipient in recipients:
        statements = rows.consent.of_rows(purpose, recipient, now)
        consents &= consenting(statements, everyone.of_row, len(everyone))
    until = now if events_until is None else events_until
    steps = [
        BoundStep("rows of a person", rows.count, of_somebody),
        BoundStep("people", of_somebody, len(everyone)),
    ]
    grants = [(purpose, recipient) for recipient in recipients]
    people, who_may = _who_may(rows, consents, rows.asked(everyone, now, grants), until)
    steps += who_may
    references = people.references
    people, separately = _separately_consenting(rows, people, now, grants)
    under = rows.minors.under if rows.minors else None
    protected = Protected(under, tuple(one.column for one in rows.sensitive))
    steps += separately
    cleaned = clean(rows.traffic, people, rows.columns, rows.lists, until)
    people = cleaned.people
    steps += cleaned.steps
    if label is None:
        label_of = np.zeros(len(people), dtype=np.int16)
        return Selection(people, label_of, references, tuple(steps), protected)
    found = label.assign(rows.columns, people.of_row, len(people))
    bucket = buckets_of(label)
    if bucket is not None:
        found = place(found, bucket, people.references, rounding)
    positions = requested(found, label, values)
    without_conflict = int(np.count_nonzero(~found.conflicting))
    labelled = people.only(positions != NOTHING)
    steps.append(BoundStep("people whose rows agree on the label", len(people), without_conflict))
    left = without_conflict
    computed = bool(expressions_of(label))
    if label.number_columns or computed:
        left -= int(np.count_nonzero(found.outside))
        name = _COMPUTED if computed else _IN_RANGE
        steps.append(BoundStep(name, without_conflict, left))
    chosen = positions != NOTHING
    steps.append(BoundStep("people with a requested label", left, len(labelled)))
    label_of = positions[chosen]
    if bucket is None or found.amounts is None:
        return Selection(labelled, label_of, references, tuple(steps), protected)
    amounts = found.amounts[chosen]
    steps += _value_steps(bucket, amounts, rows, labelled)
    return Selection(labelled, label_of, references, tuple(steps), protected, amounts)


def _who_may(
    rows: Rows, consents: Flags, asked: Asked, until: float
) -> tuple[People, list[BoundStep]]:
    """Return who was not erased, consents, and is of age or has a guardian's consent."""
    everyone, steps = rows.people, []
    may = np.ones(len(everyone), dtype=np.bool_)
    rules = [("people who consent", consents)]
    if rows.erased:
        rules.insert(0, (NOT_ERASED, ~rows.erased.are_called(everyone.references)))
    if rows.minors is not None:
        ages = rows.minors.sort(asked, until)
        rules.append((rows.minors.step, ages.take_part))
    for name, allowed in rules:
        before = int(np.count_nonzero(may))
        may &= allowed
        steps.append(BoundStep(name, before, int(np.count_nonzero(may))))
    return everyone.only(may), steps


def _separately_consenting(
    rows: Rows, people: People, now: float, grants: Sequence[Grant]
) -> tuple[People, list[BoundStep]]:
    """Return who gave separate consent for each sensitive column that is made use of."""
    steps = []
    for one in rows.sensitive:
        left = people.only(one.consenting(rows.asked(people, now, grants)))
        steps.append(BoundStep(one.step, len(people), len(left)))
        people = left
    return people, steps


def _value_steps(
    bucket: BucketLabel, amounts: npt.NDArray[np.int64], rows: Rows, people: People
) -> list[BoundStep]:
    """Return how rows became one value a person, and whose is cut to the lowest or top bound."""
    said = rows.columns[bucket.column].codes != NOTHING
    counted = int(np.count_nonzero(said & (people.of_row != NOTHING)))
    within = amounts <= bucket.buckets.bounds[-1]
    if not bucket.buckets.refunds:
        within &= amounts >= 0
    return [
        BoundStep("values, added up for each person", counted, len(people)),
        BoundStep("values within the bounds, others cut", len(people), int(np.sum(within))),
    ]


def requested(found: Assignment, label: Label, values: Sequence[str]) -> npt.NDArray[np.int16]:
    """Return each person's position among the requested values, or -1."""
    position = {value: index for index, value in enumerate(values)}
    of_value = [position.get(value, NOTHING) for value in label.values]
    return np.array([*of_value, NOTHING], dtype=np.int16)[found.positions]
