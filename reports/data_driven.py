"""Data-driven attribution: Shapley values of coalitions, and removal effects of a Markov chain.

Both compare those who converted with those who did not: conversions by journey, and the touched
people by coalition, the set of campaigns in a journey. Pure functions of counts; negative counts,
which noise makes, count as none. Arrays may have a leading axis, for many tables at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Coalition = frozenset[int]

MOST_PLAYERS: Final = 10
"""Shapley values take every set of campaigns; above this the smallest campaigns are grouped."""


def shapley(
    players: int, coalitions: Sequence[Coalition], conversions: Floats, people: Floats
) -> Floats:
    """Return each campaign's share of the conversions, adding up to 1; NaN where no φ is above 0.

    φ_i = Σ_{S∌i} |S|!(K−|S|−1)!/K! · (v(S∪i) − v(S)), where v(S) is the conversion rate of the
    people whose coalition is S, and v(∅) = 0. Nobody has some coalitions: adding a campaign that
    makes such a one tells nothing, so its v is the largest of its subsets'. A negative φ counts as
    none, and the others are scaled: φ adds up to v of all campaigns, which may be next to 0, so
    that shares of that sum would mean nothing.

    Args:
        players: K, numbered from 0.
        coalitions: who has a number below; each once.
        conversions: (…, coalitions) of people of each coalition.
        people: (…, coalitions) touched people of each; 0 where there are none, or too few to tell.

    Returns:
        (…, K).
    """
    masks = [sum(1 << player for player in one) for one in coalitions]
    measured = np.full((*people.shape[:-1], 1 << players), np.nan)
    some = np.full(people.shape, np.nan)
    np.divide(np.maximum(conversions, 0), people, out=some, where=people > 0)
    measured[..., masks] = some
    rate, best = np.zeros_like(measured), np.zeros_like(measured)
    subsets = np.arange(1 << players)
    for mask in range(1, 1 << players):  # every subset of a mask is a smaller number
        smaller = [mask & ~(1 << player) for player in range(players) if mask >> player & 1]
        below = best[..., smaller].max(axis=-1)
        own = measured[..., mask]
        rate[..., mask] = np.where(np.isnan(own), below, own)
        best[..., mask] = np.maximum(below, rate[..., mask])
    size = np.array([mask.bit_count() for mask in range(1 << players)])
    weight = np.array(
        [
            factorial(count) * factorial(players - count - 1) / factorial(players)
            for count in range(players)
        ]
    )
    values = []
    for player in range(players):
        without = subsets[subsets >> player & 1 == 0]
        gain = rate[..., without | 1 << player] - rate[..., without]
        values.append(gain @ weight[size[without]])
    return _scaled(np.maximum(np.stack(values, axis=-1), 0))


def markov(
    players: int, paths: Sequence[Sequence[int]], conversions: Floats, strays: Floats
) -> Floats:
    """Return each campaign's share of the conversions, adding up to 1; NaN where nobody converted.

    A first-order chain from the start over campaigns to conversion or to nothing. The removal
    effect of a campaign is the share of conversions that are lost when whoever comes to it goes
    away; effects are scaled to add up to 1.

    Args:
        players: K, numbered from 0.
        paths: campaigns in order.
        conversions: (…, paths) that ended in a conversion.
        strays: (…, paths) that ended in nothing.

    Returns:
        (…, K).
    """
    start, done, away = players, players + 1, players + 2
    flow = np.zeros((*conversions.shape[:-1], players + 1, players + 3))
    for number, path in enumerate(paths):
        converted = np.maximum(conversions[..., number], 0)
        strayed = np.maximum(strays[..., number], 0)
        before = start
        for campaign in path:
            flow[..., before, campaign] += converted + strayed
            before = campaign
        flow[..., before, done] += converted
        flow[..., before, away] += strayed
    total = flow.sum(axis=-1, keepdims=True)
    step = np.divide(flow, total, out=np.zeros_like(flow), where=total > 0)
    whole = _reached(step, players)
    effects = []
    for player in range(players):
        removed = step.copy()
        removed[..., player] = 0  # whoever comes to it is lost
        effects.append(whole - _reached(removed, players))
    return _scaled(np.stack(effects, axis=-1))


def strays_of(of_path: npt.NDArray[np.int64], conversions: Floats, people: Floats) -> Floats:
    """Return how many people went each path to nothing, (…, paths).

    A coalition's people who did not convert went its paths as its converters did; where none
    converted, its paths alike. `of_path` (paths,) is the coalition of each path; `conversions` are
    by path and `people` by coalition.
    """
    belongs = of_path[:, np.newaxis] == np.arange(people.shape[-1])
    counts = np.maximum(conversions, 0)
    converted = counts @ belongs
    stayed = np.maximum(people - converted, 0)
    whole = converted[..., of_path]
    alike = np.broadcast_to(1 / belongs.sum(axis=0)[of_path], counts.shape)
    part = np.divide(counts, whole, out=alike.copy(), where=whole > 0)
    return np.asarray(stayed[..., of_path] * part, dtype=np.float64)


def _reached(step: Floats, players: int) -> Floats:
    """Return the probability that the chain comes from the start to a conversion."""
    among, out = step[..., : players + 1], step[..., players + 1, np.newaxis]
    found = np.linalg.solve(np.eye(players + 1) - among, out)
    return np.asarray(found[..., players, 0], dtype=np.float64)


def _scaled(values: Floats) -> Floats:
    whole = values.sum(axis=-1, keepdims=True)
    scaled = np.full_like(values, np.nan)
    np.divide(values, whole, out=scaled, where=whole > 0)
    return scaled
