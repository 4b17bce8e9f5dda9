"""What one person changes, counted on what is offered: the record that noise is held against.

Steps before this one apply the bounds. This one trusts none of them: it counts the keys of each
person in what would leave, and whether they are under one label. A session whose noise would cover
less than this record says ends before anything is spent (`require_covered`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from party.datasets.offers import LabelledKeys
from party.datasets.steps import BoundStep
from party.errors import DatasetError


def measure(bound: LabelledKeys, most: int) -> BoundStep:
    """Return how many people have keys, and how many of them at most `most` under one label.

    `BoundStep.most` is the most keys that one person has. An owner counts for each of a key's
    people.
    """
    key, person = bound.owners.T
    people = int(person.max(initial=-1)) + 1
    keys = np.bincount(person, minlength=people)
    labels = bound.labels[key]
    lowest = np.full(people, np.iinfo(labels.dtype).max, dtype=labels.dtype)
    highest = np.full(people, -1, dtype=labels.dtype)
    np.minimum.at(lowest, person, labels)
    np.maximum.at(highest, person, labels)
    within = (keys > 0) & (keys <= most) & (lowest == highest)
    return BoundStep(
        f"people counted to have at most {most} keys, under one label",
        int(np.count_nonzero(keys)),
        int(np.count_nonzero(within)),
        most=int(keys.max(initial=0)),
    )


def measure_moments(records: npt.NDArray[np.int64], most: int) -> BoundStep:
    """Return the same of people whose records are moments, from how many are sent for each.

    The tabulator's records are keys; the recipient's are conversions, of whose keys one is met.
    """
    within = (records > 0) & (records <= most)
    return BoundStep(
        f"people counted to have at most {most} records",
        int(np.count_nonzero(records)),
        int(np.count_nonzero(within)),
        most=int(records.max(initial=0)),
    )


def require_covered(steps: Sequence[BoundStep], noise_bound: int) -> None:
    """Raise `DatasetError` unless the record says that noise for `noise_bound` keys covers all.

    A bound that was not applied, and one that was applied and not recorded, are faults of this
    program and not of the data; nothing is spent.
    """
    counted = [step for step in steps if step.most is not None]
    covered = all(
        step.before == step.after and step.most is not None and step.most <= noise_bound
        for step in counted
    )
    if not counted or not covered:
        raise DatasetError(
            f"the noise of this request covers {noise_bound} keys of a person, and the record of "
            "what was prepared does not say that nobody has more: nothing was spent or sent. This "
            "is a fault of the program; please report it"
        )
