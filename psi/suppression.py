"""Suppression: taking people off a list that is out (docs/protocol.md, Suppression).

The sender names exactly 1,024 points of the set that it sent in the match: those of people who
have withdrawn, and unused reserve. The receiver raises them with the match's scalar and drops the
entries of its list whose tags come up. Pure functions: a run has one shape whatever is in it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from psi.curve import Scalar, raise_points
from psi.errors import InvalidPoint, LimitExceeded
from psi.legs import Form
from psi.own import OwnSet, Positions
from psi.points import Points, Tags, require_distinct
from psi.sets import LabelledSet, contains, find

Indices = npt.NDArray[np.int64]

RUN_POINTS: Final = 1024
"""Points that a run names, whatever has happened."""
MOST_RUNS: Final = 31
"""Runs of one list: one a day for the longest month."""


def still_due(own: OwnSet, withdrawn: Indices, used: Points) -> Indices:
    """Return those of the withdrawn keys whose points no earlier run has named, in their order.

    Args:
        own: the sender's set of the match, sorted.
        withdrawn: indices of keys.
        used: the points of all earlier runs.
    """
    return withdrawn[~_stand_in(used, own.labelled)[_positions_of(own, withdrawn)]]


def choose_run(own: OwnSet, due: Indices, used: Points, *, reserve: int) -> Points:
    """Return the points of the sender's next run, sorted: what is due, filled up with reserve.

    Args:
        own: the sender's set of the match, sorted.
        due: indices of keys that no run has named. The first ones go first, so their order must
            say nothing about the values of their points.
        used: the points of all earlier runs.
        reserve: the reserve points in `own`, for all runs together.

    Raises:
        LimitExceeded: the reserve does not fill a run any more.
    """
    named = _positions_of(own, due[:RUN_POINTS])
    spare = own.reserve_positions(reserve)
    spare = spare[~_stand_in(used, own.labelled)[spare]][: RUN_POINTS - len(named)]
    if len(named) + len(spare) < RUN_POINTS:
        raise LimitExceeded("the reserve of this list is used up: make the list again")
    # The set is sorted by value, so ascending positions are ascending points.
    chosen = np.sort(np.concatenate([named, spare]))
    return np.ascontiguousarray(own.labelled.elements[chosen])


def require_run(points: Points, committed: LabelledSet, used: Points) -> None:
    """Require of a run that it is what a sender may name, and nothing of its own making.

    Args:
        points: (n, 32) of the run.
        committed: the sender's set as it came in the match.
        used: the points of all earlier runs.

    Raises:
        LimitExceeded: more or fewer points than a run has.
        InvalidPoint: points that repeat, that the set does not have, or of an earlier run.
    """
    if points.shape != (RUN_POINTS, Form.POINTS.value):
        raise LimitExceeded(f"a suppression run has {RUN_POINTS} points, no more and no fewer")
    require_distinct(points)
    foreign = RUN_POINTS - int(np.count_nonzero(contains(committed.elements, points)))
    if foreign:
        raise InvalidPoint(
            f"points of the run that the sender's set of the match does not have: {foreign}. "
            "Nothing was taken off the list; talk to them"
        )
    again = int(np.count_nonzero(contains(used, points)))
    if again:
        raise InvalidPoint(
            f"points of the run that an earlier run had: {again}. Nothing was taken off the "
            "list; talk to them"
        )


def run_tags(points: Points, scalar: Scalar) -> Tags:
    """Return the tags of a run's points, raised with the receiver's scalar of the match."""
    return np.ascontiguousarray(raise_points(points, scalar)[:, : Form.TAGS.value])


def is_suppressed(tags: Tags, hits: Tags) -> npt.NDArray[np.bool_]:
    """Say of each of a list's tags whether a run took it off."""
    return contains(hits, tags)


def _positions_of(own: OwnSet, keys: Indices) -> Positions:
    """Return where the points of keys stand in their owner's set."""
    place = np.full(len(own.source), -1, dtype=np.int64)
    of_keys = np.flatnonzero(own.source >= 0)
    place[own.source[of_keys]] = of_keys
    return place[keys]


def _stand_in(points: Points, labelled: LabelledSet) -> npt.NDArray[np.bool_]:
    """Say of each element of a sorted set whether it is one of `points`."""
    marked = np.zeros(len(labelled), dtype=np.bool_)
    places = find(points, labelled.elements)
    marked[places[places >= 0]] = True
    return marked
