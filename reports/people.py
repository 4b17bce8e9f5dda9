"""Conversions beside the touched people they come from, for models that compare the two.

The tabulator states, with noise, how many of its touched people are of each coalition. Errors come
from a parametric bootstrap: tables with the released counts and fresh draws of their noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import groupby
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from languages import message
from psi.journey import Journey, coalitions_of
from reports.cells import CellEstimates
from reports.data_driven import MOST_PLAYERS, markov, shapley, strays_of
from reports.draws import drawn
from reports.estimate import Estimate, noisy_number, suppression_floor, withheld
from reports.laws import CONFIDENCE, NORMAL_QUANTILE, Spread, Term, spread

Floats = npt.NDArray[np.float64]

OTHERS: Final = message("other campaigns")
DRAWS: Final = 800
SEED: Final = 20_260_101
"""Fixed, so that the same table gives the same error."""


class Model(StrEnum):
    """How conversions are compared with people who did not convert."""

    SHAPLEY = "shapley"
    MARKOV = "markov"


@dataclass(frozen=True, eq=False)
class CoalitionTable:
    """Conversions by journey and people by coalition, as released, of `players` campaigns.

    Attributes:
        players: names; above ten campaigns the smallest are one.
        paths: each journey's campaigns in order, as players.
        of_path: (journeys,) the coalition of each.
        coalitions: each as players.
        people: (coalitions,) as released, those of grouped campaigns together.
        released: (coalitions,) how many released numbers, each with its noise, are in `people`.
    """

    estimates: CellEstimates
    players: tuple[str, ...]
    paths: tuple[tuple[int, ...], ...]
    of_path: npt.NDArray[np.int64]
    coalitions: tuple[frozenset[int], ...]
    people: Floats
    released: npt.NDArray[np.int64]

    @classmethod
    def find(
        cls, estimates: CellEstimates, journeys: Sequence[Journey], campaigns: Sequence[str]
    ) -> Self | None:
        """Return the table, or None where no people were released beside it."""
        moments = estimates.table.moments
        if moments is None or not moments.people:
            return None
        counts = estimates.values.sum(axis=1)
        players, number = _players(journeys, campaigns, counts)
        named = coalitions_of(journeys)
        grouped = [frozenset(number[name] for name in names) for names in named]
        coalitions = tuple(dict.fromkeys(grouped))
        place = {one: at for at, one in enumerate(coalitions)}
        released = np.array([place[one] for one in grouped])
        weights = np.array(moments.people, dtype=np.float64)
        people = np.asarray(np.bincount(released, weights=weights), dtype=np.float64)
        paths = tuple(
            tuple(player for player, _ in groupby(number[name] for name in journey.campaigns))
            for journey in journeys
        )
        of_path = np.array(
            [place[frozenset(number[name] for name in journey.coalition)] for journey in journeys]
        )
        drawn = np.bincount(released)
        return cls(estimates, players, paths, of_path, coalitions, people, drawn)

    def credited(
        self, model: Model, value: Estimate | None
    ) -> Iterator[tuple[str, Estimate, Estimate | None]]:
        """Yield each campaign's conversions, and its part of a value by the same shares."""
        counts = self.estimates.values.sum(axis=1).astype(np.float64)
        share = self._shares(model, counts, self.people)
        drawn_counts = counts + self._noise
        drawn_shares = self._shares(model, drawn_counts, self.people + self._people_noise)
        whole = counts.sum()
        every = self.estimates.count(self.estimates.all_rows, self.estimates.all_columns)
        for player, name in enumerate(self.players):
            conversions = (
                withheld()
                if every.suppressed
                else _estimate(
                    share[player] * whole, drawn_shares[:, player] * drawn_counts.sum(axis=1)
                )
            )
            part = value and _part(share[player], drawn_shares[:, player], value)
            yield name, conversions, part

    def _shares(self, model: Model, counts: Floats, people: Floats) -> Floats:
        """Return each player's share under a model; leading axes are tables."""
        belongs = self.of_path[:, np.newaxis] == np.arange(len(self.coalitions))
        if model is Model.MARKOV:
            strays = strays_of(self.of_path, counts, people)
            return markov(len(self.players), self.paths, counts, strays)
        enough = np.where(people >= self._floor, people, 0)
        return shapley(len(self.players), self.coalitions, counts @ belongs, enough)

    @cached_property
    def _floor(self) -> Floats:
        """The people below whom a coalition's rate is noise."""
        least = self.estimates.table.parameters.min_cell
        law = self.estimates.laws.people
        floors = {
            draws: suppression_floor(spread([Term(1, law, draws)]), least)
            for draws in set(self.released.tolist())
        }
        return np.array([floors[draws] for draws in self.released.tolist()])

    @cached_property
    def _noise(self) -> Floats:
        """Draw the noise of each journey's sum over the columns, (draws, journeys)."""
        source = np.random.default_rng(SEED)
        shape = (DRAWS, len(self.paths))
        terms = self.estimates.noise(1, len(self.estimates.all_columns))
        return sum(
            (one.coefficient * drawn(one.law, one.draws, shape, source) for one in terms),
            np.zeros(shape),
        )

    @cached_property
    def _people_noise(self) -> Floats:
        source = np.random.default_rng(SEED + 1)
        shape = (DRAWS, len(self.coalitions))
        law = self.estimates.laws.people
        noise = np.zeros(shape)
        for column, draws in enumerate(self.released.tolist()):
            noise[:, column] = drawn(law, draws, (DRAWS,), source)
        return noise


def _players(
    journeys: Sequence[Journey], campaigns: Sequence[str], counts: npt.NDArray[np.int64]
) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return the players and the player of each campaign; the smallest by last touch are one."""
    if len(campaigns) <= MOST_PLAYERS:
        return tuple(campaigns), {name: place for place, name in enumerate(campaigns)}
    size = dict.fromkeys(campaigns, 0)
    for journey, count in zip(journeys, counts.tolist(), strict=True):
        size[journey.last] += count
    kept = sorted(campaigns, key=lambda name: -size[name])[: MOST_PLAYERS - 1]
    players = (*(name for name in campaigns if name in kept), OTHERS)
    number = {name: place for place, name in enumerate(players)}
    return players, {name: number.get(name, len(kept)) for name in campaigns}


def _estimate(value: float, drawn: Floats) -> Estimate:
    """Return a number with the error of its bootstrap; withheld where tables often have none."""
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or len(known) < CONFIDENCE * len(drawn):
        return withheld()
    distance = np.abs(known - value)
    error = float(np.sqrt(np.mean(distance**2)))
    # So many draws miss a quantile by as much as a fixed seed pleases; the normal law is a floor.
    half_width = max(float(np.quantile(distance, CONFIDENCE)), NORMAL_QUANTILE * error)
    return noisy_number(float(value), Spread(error, half_width))


def _part(share: float, drawn: Floats, value: Estimate) -> Estimate:
    """Return a share of a value; the two errors together (delta method)."""
    if value.suppressed:
        return withheld()
    part = _estimate(share * value.value, drawn * value.value)
    if part.suppressed:
        return part
    error = np.hypot(part.standard_error, share * value.standard_error)
    half = np.hypot(part.half_width, share * value.half_width)
    return noisy_number(part.value, Spread(float(error), float(half)))
