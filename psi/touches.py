"""Touches into stretches: from slot to slot, what the touches had produced by then (protocol 5.8).

A touch at slot t counts for moments at slots t … t + lookback, so those that count at any slot are
neighbours in a person's order of events. Everything is columnar; nothing loops over people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from psi.errors import JourneyError
from psi.journey import MOST_CAMPAIGNS, Journey, campaigns_of
from psi.time_keys import Slots
from psi.windows import Window

Numbers = npt.NDArray[np.int64]

_ENDS: Final = 2  # an expanded journey that is cut keeps both ends


@dataclass(frozen=True, eq=False, repr=False)
class Touches:
    """n touches sorted by person, then time, then the order of events.

    `person` (n,), `time` (n,) in microseconds since 1970, `campaign` (n,) an index from 0.
    """

    person: Numbers
    time: Numbers
    campaign: Numbers

    @classmethod
    def ordered(cls, person: Numbers, time: Numbers, campaign: Numbers) -> Touches:
        """Return touches in the order that the type promises; ties keep the order given."""
        order = np.lexsort((time, person))
        return cls(person[order], time[order], campaign[order])

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True, eq=False, repr=False)
class Stretches:
    """m stretches sorted by person and slot; person `person[i]` has `label[i]` in [start, stop)."""

    person: Numbers
    start: Slots
    stop: Slots
    label: Numbers


@dataclass(frozen=True, eq=False, repr=False)
class _Spans:
    """Stretches in which the touches `first` … `last` count, and no others."""

    person: Numbers
    start: Slots
    stop: Slots
    first: Numbers
    last: Numbers

    def labelled(self, label: Numbers) -> Stretches:
        """Return them with labels, neighbours of one person and label joined."""
        new = np.ones(len(label), dtype=np.bool_)
        new[1:] = (
            (self.person[1:] != self.person[:-1])
            | (label[1:] != label[:-1])
            | (self.start[1:] != self.stop[:-1])
        )
        firsts = np.flatnonzero(new)
        lasts = np.append(firsts[1:], len(label))[: len(firsts)] - 1
        return Stretches(self.person[firsts], self.start[firsts], self.stop[lasts], label[firsts])


def journey_stretches(
    touches: Touches,
    window: Window,
    lookback: int,
    journeys: Sequence[Journey],
    campaigns: Sequence[str],
    *,
    half_life_seconds: int,
    uniforms: npt.NDArray[np.float64],
) -> Stretches:
    """Return the journey of each stretch, as an index into the public list `journeys`.

    Args:
        lookback: in slots.
        campaigns: what the touches' campaigns index.
        uniforms: one a touch, in (0, 1): they draw the winners. The touch with the largest
            t·ln 2/half-life + Gumbel noise wins, which has each touch win with its decay credit;
            one draw a touch is enough for all stretches that it counts in.
    """
    spans = _spans(touches, window, lookback, ())
    score = touches.time * (np.log(2) / (half_life_seconds * 1e6)) - np.log(-np.log(uniforms))
    winner = touches.campaign[_largest(score, spans.first, spans.last)]
    codes = _Codes(len(campaigns))
    exact, ends, last = codes.of_spans(touches, spans, winner)
    listed = codes.of_list(journeys, campaigns)
    order = np.argsort(listed)

    def position(code: Numbers) -> Numbers:
        places = np.minimum(np.searchsorted(listed[order], code), len(listed) - 1)
        found = order[places]
        return np.where(listed[found] == code, found, -1)

    label = position(exact)
    for shorter in (ends, last):
        label = np.where(label < 0, position(shorter), label)
    if np.any(label < 0):
        raise JourneyError("the list of journeys lacks a pair of last campaign and drawn one")
    return spans.labelled(label)


def age_stretches(
    touches: Touches, window: Window, lookback: int, bounds: Sequence[int]
) -> Stretches:
    """Return the last touch's campaign and age class in each stretch.

    `bounds` are in slots, rising from 0: class c holds ages from bounds[c] up to the next. The
    label is campaign · classes + class.
    """
    spans = _spans(touches, window, lookback, bounds[1:])
    age = spans.start - window.slot_of(touches.time[spans.last])
    classes = np.searchsorted(np.asarray(bounds), age, side="right") - 1
    return spans.labelled(touches.campaign[spans.last] * len(bounds) + classes)


def _spans(touches: Touches, window: Window, lookback: int, cuts: Sequence[int]) -> _Spans:
    """Cut each person's window where a touch begins or ceases to count, or is `cuts` slots old."""
    slot = window.slot_of(touches.time)
    # A slot of a person as one number; what ended before the window begins or starts after it ends
    # makes no stretch.
    width = window.slots + 2 * lookback + 4
    base = touches.person * width + lookback + 1
    clipped = np.clip(slot, -lookback - 1, window.slots)
    begins = base + clipped
    ends = np.minimum(begins + lookback + 1, base + window.slots)
    every = [begins, ends]
    every += [np.minimum(begins + cut, base + window.slots) for cut in cuts if cut <= lookback]
    points = np.sort(np.concatenate(every))  # a sort takes a sixth of what np.unique does
    points = points[np.append(True, points[1:] != points[:-1])[: len(points)]]
    person, offset = np.divmod(points, width)
    start = offset - lookback - 1
    stop = np.append(start[1:], window.slots)[: len(start)]
    stop[:-1][person[1:] != person[:-1]] = window.slots
    first = np.searchsorted(begins + lookback + 1, points, side="right")
    last = np.searchsorted(begins, points, side="right") - 1
    start = np.maximum(start, 0)
    kept = (first <= last) & (start < stop) & (start < window.slots)
    return _Spans(person[kept], start[kept], stop[kept], first[kept], last[kept])


def _largest(score: npt.NDArray[np.float64], first: Numbers, last: Numbers) -> Numbers:
    """Return where the largest score of each range first … last is, by a table of powers of 2."""
    found = np.empty(len(first), dtype=np.int64)
    length = last - first + 1
    level = np.frexp(length.astype(np.float64))[1] - 1
    best = np.arange(len(score), dtype=np.int64)
    for step in range(int(level.max(initial=0)) + 1):
        here = level == step
        left, right = best[first[here]], best[last[here] - (1 << step) + 1]
        found[here] = np.where(score[left] >= score[right], left, right)
        other = best[1 << step :]
        mine = best[: len(other)]
        best = np.where(score[mine] >= score[other], mine, other)
    return found


@dataclass(frozen=True)
class _Codes:
    """Journeys of `campaigns` campaigns as numbers: up to four places, the gap, the winner."""

    campaigns: int

    def code(self, places: Sequence[Numbers | int], gap: Numbers | int, winner: Numbers) -> Numbers:
        """Return the number of each journey; `places` hold indices from 1, 0 where there is none.

        The places are filled from the left.
        """
        code: Numbers = np.zeros(len(winner), dtype=np.int64)
        for place in (*places, *[0] * (MOST_CAMPAIGNS - len(places))):
            code = code * (self.campaigns + 1) + place
        return (code * 2 + gap) * self.campaigns + winner

    def of_list(self, journeys: Sequence[Journey], campaigns: Sequence[str]) -> Numbers:
        """Return the numbers of listed journeys."""
        if not set(campaigns_of(journeys)) <= set(campaigns):
            raise JourneyError("the list of journeys names a campaign that the touches lack")
        number = {name: index for index, name in enumerate(campaigns)}
        places = np.zeros((MOST_CAMPAIGNS, len(journeys)), dtype=np.int64)
        for column, one in enumerate(journeys):
            places[: len(one.campaigns), column] = [number[name] + 1 for name in one.campaigns]
        gap = np.array([one.gap for one in journeys], dtype=np.int64)
        return self.code(list(places), gap, np.array([number[one.winner] for one in journeys]))

    def of_spans(
        self, touches: Touches, spans: _Spans, winner: Numbers
    ) -> tuple[Numbers, Numbers, Numbers]:
        """Return each span's journey as it was, as its two ends, and as its last campaign."""
        changes = np.ones(len(touches), dtype=np.bool_)
        changes[1:] = touches.campaign[1:] != touches.campaign[:-1]
        changes[1:] |= touches.person[1:] != touches.person[:-1]
        run = np.cumsum(changes) - 1
        of_run = np.append(touches.campaign[changes] + 1, np.zeros(MOST_CAMPAIGNS, dtype=np.int64))
        first, last = run[spans.first], run[spans.last]
        runs = last - first + 1
        cut = runs > MOST_CAMPAIGNS
        second = np.where(cut, last - (MOST_CAMPAIGNS - _ENDS), first + 1)
        places = [of_run[first]]
        for beyond in range(MOST_CAMPAIGNS - 1):
            place = second + beyond
            places.append(np.where(place <= last, of_run[np.minimum(place, last)], 0))
        exact = self.code(places, cut.astype(np.int64), winner)
        final = self.code([of_run[last]], 1, winner)
        ends = np.where(runs > 1, self.code([of_run[first], of_run[last]], 1, winner), final)
        return exact, ends, final
