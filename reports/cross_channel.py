"""Reach across two channels without double counting: people met by either, by one alone, by both.

The tabulator and the third are channels, whose labels are frequencies 1, 2, …, F−1 and "F+", or one
label for all whom they met. The recipient's are segments of its audience. A number is a sum over
cells of the one table, so nobody counts twice. Beside the values stand fitted ones, as in reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final, Self, overload

import numpy as np
import numpy.typing as npt

from languages import message
from reports.cells import CellEstimates, PrivateEstimates, ShareableEstimates
from reports.errors import MalformedTable, UnsuitableLabels
from reports.estimate import Estimate, Unit, withheld
from reports.fit import fit_table
from reports.forms import Block, Form, Weights
from reports.linear import Indices
from reports.reach import FittedEstimate, rows_by_frequency
from reports.rendering import Row
from reports.report import Numbers, PrivateReport, ShareableReport
from reports.sums import segments_of

Plane = npt.NDArray[np.float64]
"""What a person counts for, by both channels' labels: (tabulator's + 1, third's + 1), `∅` last."""

Numbered = Mapping[str | None, Estimate]
Fitted = Mapping[str | None, FittedEstimate]
"""Numbers by their label."""

EITHER: Final = None
"""The label of both together, as of any number of everybody."""
BOTH: Final = message("both")
_LEAST_VARIANCE: Final = 1e-9
"""Of a cell without noise, so that all of them are fitted alike."""


@dataclass(frozen=True)
class Channels:
    """Two channels and how often each label of theirs was met.

    Attributes:
        names: of the tabulator and of the third.
        times: of each, how often by label; the last bucket counts as its lower bound.
    """

    names: tuple[str, str]
    times: tuple[tuple[int, ...], tuple[int, ...]]

    @classmethod
    def of(cls, names: tuple[str, str], labels: Sequence[tuple[str, ...]]) -> Self:
        """Read both channels' labels; UnsuitableLabels unless they are frequencies, or one."""
        one, other = (times_of(each) for each in labels)
        return cls(names, (one, other))

    @property
    def most(self) -> int:
        """The highest frequency of both together that labels tell exactly: that many or more."""
        return min(max(each) for each in self.times)

    def counts(self) -> Mapping[str, Plane]:
        """Return whom each part of the reach counts, by its name; parts do not overlap."""
        one, other = self._met
        return {
            message("{channel} only", channel=self.names[0]): np.outer(one, ~other).astype(float),
            message("{channel} only", channel=self.names[1]): np.outer(~one, other).astype(float),
            BOTH: np.outer(one, other).astype(float),
        }

    def reached(self) -> Mapping[str | None, Plane]:
        """Return whom each channel has met, and both together."""
        one, other = self._met
        return {
            self.names[0]: np.outer(one, np.ones(len(other))),
            self.names[1]: np.outer(np.ones(len(one)), other),
            EITHER: (one[:, None] | other).astype(float),
        }

    def impressions(self) -> Mapping[str | None, Plane]:
        """Return how often each channel has met people, and both together."""
        one, other = (np.array([*each, 0.0]) for each in self.times)
        return {
            self.names[0]: np.outer(one, np.ones(len(other))),
            self.names[1]: np.outer(np.ones(len(one)), other),
            EITHER: one[:, None] + other,
        }

    @property
    def together(self) -> npt.NDArray[np.int64]:
        """How often people of each cell were met by both channels together."""
        one, other = (np.array([*each, 0]) for each in self.times)
        together: npt.NDArray[np.int64] = one[:, None] + other
        return together

    def by_frequency(self) -> Mapping[str, Plane]:
        """Return the people of each part by how often they were met."""
        found: dict[str, Plane] = {}
        for part, weights in self.counts().items():
            top = self.most if part == BOTH else int((self.together * weights).max())
            capped = np.minimum(self.together, top)
            for times in np.unique(capped[weights > 0]).tolist():
                at = f"{times}+" if times == top else str(times)
                found[message("{part}: {times}", part=part, times=at)] = weights * (capped == times)
        return found

    @property
    def _met(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        one, other = (np.arange(len(each) + 1) < len(each) for each in self.times)
        return one, other


@dataclass(frozen=True)
class SegmentChannels:
    """One segment of the recipient, or all of them (`segment` None): numbers by name.

    Attributes:
        audience: the recipient's records.
        reach: people met by each channel, and by either.
        share_reached: of the audience, likewise.
        parts: people met by one channel alone, and by both.
        part_shares: each part over all who were met by either.
        at_least: people met k times or more by both channels together.
        by_frequency: the parts by how often their people were met.
        average_frequency: times a person met was met, by each channel and by both together.
        impressions: times people were met in all, likewise.
    """

    segment: str | None
    audience: Estimate
    reach: Fitted
    share_reached: Numbered
    parts: Fitted
    part_shares: Numbered
    at_least: Fitted
    by_frequency: Fitted
    average_frequency: Numbered
    impressions: Numbered

    def rows(self) -> Iterator[Row]:
        """Yield the numbers."""
        yield from self._fitted("reach", self.reach)
        yield from self._fitted("reached by", self.parts)
        yield from self._plain("share of reach", "share", self.part_shares)
        yield from self._fitted("reach at least", self.at_least)
        yield from self._fitted("reached exactly", self.by_frequency)
        yield from self._plain("average frequency", "times", self.average_frequency)
        yield from self._plain("impressions", "impressions", self.impressions)
        yield Row("audience", "people", self.audience, segment=self.segment)
        yield from self._plain("share reached", "share", self.share_reached)

    def _plain(
        self,
        metric: str,
        unit: Unit,
        numbers: Numbered,
    ) -> Iterator[Row]:
        for label, number in numbers.items():
            yield Row(metric, unit, number, label, self.segment)

    def _fitted(
        self,
        metric: str,
        numbers: Fitted,
    ) -> Iterator[Row]:
        for label, one in numbers.items():
            fitted = one.fitted, one.inconsistent
            yield Row(metric, "people", one.estimate, label, self.segment, *fitted)


@dataclass(frozen=True)
class CrossChannel(Numbers):
    """Reach of two channels together, by segment and in total."""

    title = "cross-channel reach"
    by_attribute: ClassVar[bool] = False
    notes: ClassVar[tuple[str, ...]] = (
        message(
            "Nobody is counted twice: numbers without a channel's name are of both together. Whom "
            "a channel alone has met is its incremental reach, on top of the other's."
        ),
        message(
            "The last frequency bucket counts as its lower bound, so average frequency and "
            "impressions are at least what is stated."
        ),
        message(
            "Fitted values are not below 0, do not grow with frequency and add up; values are "
            "unbiased."
        ),
    )

    segments: tuple[SegmentChannels, ...]
    total: SegmentChannels

    @classmethod
    def measure(cls, estimates: CellEstimates) -> Self:
        """Compute the numbers; UnsuitableLabels as `Channels.of`."""
        measured = _Measured(estimates, channels_of(estimates))
        return cls(
            tuple(
                measured.segment(name, columns)
                for name, columns in segments_of(estimates.table.recipient_labels)
            ),
            measured.segment(None, estimates.all_columns),
        )

    def rows(self) -> Iterator[Row]:
        """Yield every number, segments first."""
        for segment in (*self.segments, self.total):
            yield from segment.rows()


@dataclass(frozen=True)
class _Measured:
    """The numbers of one table."""

    estimates: CellEstimates
    channels: Channels

    @cached_property
    def fitted(self) -> Plane:
        """People met by either channel, (tabulator's + 1, third's + 1, columns), fitted."""
        people = self.estimates.presence[:, :-1].transpose(0, 2, 1)
        shape = people.shape[:2]
        variances = np.maximum(self.estimates.variances[:, 0], _LEAST_VARIANCE)
        met = np.ones(shape, dtype=bool)
        met[-1, -1] = False
        fitted = np.zeros(people.shape)
        fitted[met] = fit_table(people[met], variances[met])
        return fitted

    def segment(self, name: str | None, columns: Indices) -> SegmentChannels:
        channels = self.channels
        reach = {label: self._people(one, columns) for label, one in channels.reached().items()}
        met, times = channels.reached(), channels.impressions()
        audience = np.ones_like(met[EITHER])
        return SegmentChannels(
            name,
            self.estimates.audience(columns),
            reach,
            {label: self._ratio(one, audience, columns) for label, one in met.items()},
            {label: self._people(one, columns) for label, one in channels.counts().items()},
            {
                label: self._ratio(one, met[EITHER], columns)
                for label, one in channels.counts().items()
            },
            {
                f"{least}+": self._people((channels.together >= least).astype(float), columns)
                for least in range(1, channels.most + 1)
            },
            {label: self._people(one, columns) for label, one in channels.by_frequency().items()},
            {label: self._ratio(one, met[label], columns) for label, one in times.items()},
            {label: self._number(one, columns) for label, one in times.items()},
        )

    def _people(self, weights: Plane, columns: Indices) -> FittedEstimate:
        """Estimate people, with what they are among all numbers made consistent."""
        fitted = self.fitted[:, :, list(columns)].sum(axis=2)
        return FittedEstimate(self._number(weights, columns), float((fitted * weights).sum()))

    def _number(self, weights: Plane, columns: Indices) -> Estimate:
        """Estimate a sum; what is one cell of the table is suppressed where it is small."""
        form = _form(weights, columns)
        alone = np.count_nonzero(weights) * len(columns) == 1
        return self.estimates.cell(form[0][1]) if alone else self.estimates.number(form)

    def _ratio(self, part: Plane, whole: Plane, columns: Indices) -> Estimate:
        of = _form(whole, columns)
        hidden = self._number(part, columns).suppressed
        if hidden or not self._number(whole, columns).clear:
            return withheld()
        return self.estimates.ratio_of(_form(part, columns), of)


def times_of(labels: tuple[str, ...]) -> tuple[int, ...]:
    """Return how often people of each label were met; UnsuitableLabels where it cannot be told.

    One label is everybody whom the channel has met.
    """
    if len(labels) == 1:
        return (1,)
    try:
        order = rows_by_frequency(labels)
    except UnsuitableLabels as error:
        raise UnsuitableLabels(
            message(
                "reach across channels needs frequency labels of both, 1, 2, … "
                "and the last with a plus, or no label; here are {labels}",
                labels=", ".join(labels[:4]),
            )
        ) from error
    return tuple(order.index(row) + 1 for row in range(len(labels)))


def channels_of(estimates: CellEstimates) -> Channels:
    """Return the channels of a table; UnsuitableLabels as `times_of`."""
    table = estimates.table
    if table.third is None:
        raise MalformedTable(message("this table has one channel: reach across channels needs two"))
    tabulator, _, third = table.third.parties
    return Channels.of((tabulator, third), (table.tabulator_labels, table.third.labels))


def _form(plane: Plane, columns: Indices) -> Form:
    """Return the people of some columns, each times what the plane has for its cell."""
    rows_of: dict[tuple[float, ...], list[int]] = {}
    for row, counted in enumerate(plane.tolist()):
        if any(counted):
            rows_of.setdefault(tuple(counted), []).append(row)
    return [
        (1, Block(tuple(rows), tuple(columns), Weights(counted)))
        for counted, rows in rows_of.items()
    ]


@overload
def build(estimates: PrivateEstimates) -> PrivateReport[CrossChannel]: ...
@overload
def build(estimates: ShareableEstimates) -> ShareableReport[CrossChannel]: ...
def build(
    estimates: PrivateEstimates | ShareableEstimates,
) -> PrivateReport[CrossChannel] | ShareableReport[CrossChannel]:
    """Build the report, of the kind that its estimates are; UnsuitableLabels as `measure`."""
    channels_of(estimates)
    if isinstance(estimates, PrivateEstimates):
        return PrivateReport(estimates, CrossChannel)
    return ShareableReport(estimates, CrossChannel)
