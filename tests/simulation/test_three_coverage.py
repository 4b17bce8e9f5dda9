"""Over many seeded sessions of three: no bias, the stated error, and 95% intervals that hold."""

from collections import defaultdict

import numpy as np
import pytest
from counted_three import CountedThree

from privacy.session import SessionNoise, TableLaws
from reports.forms import Block

RUNS = 300
LAWS = TableLaws(SessionNoise(6 * 10**8, 8 * 10**8, 10**6))
LABELS = (("1", "2+"), ("gold", "silver"), ("young", "old"))
PEOPLE = np.random.default_rng(8).integers(300, 900, (3, 3, 3))
PEOPLE[-1, -1, -1] = 0
ROWS, BOTH, EVERY = range(2), range(2), range(3)


def truth(block):
    return int(PEOPLE[np.ix_(*map(list, block))].sum())


CELLS = {
    "all have it": Block((0,), (0,), (0,)),
    "unknown to the third": Block((0,), (1,), (2,)),
    "unknown to the recipient": Block((1,), (2,), (0,)),
    "unknown to the tabulator": Block((2,), (0,), (1,)),
    "the recipient's alone": Block((2,), (0,), (2,)),
    "the tabulator's alone": Block((0,), (2,), (2,)),
    "the third's alone": Block((2,), (2,), (0,)),
    "of any layer": Block(ROWS, (0,), EVERY),
    "met by either channel": Block(EVERY, BOTH, BOTH),
}


def of_layer(estimates):
    """Yield what a report of one layer is made of, and the truth of each."""
    young = estimates.of_third((0,))
    people = PEOPLE[:, :, 0]
    yield "count", young.count(ROWS, (0,)), people[:2, 0].sum()
    yield "audience", young.audience((0,)), people[:, 0].sum()
    yield "offered", young.offered((1,)), people[1].sum()
    yield "share", young.share(ROWS, (0,)), people[:2, 0].sum() / people[:, 0].sum()
    yield "part", young.part((1,), BOTH, ROWS, BOTH), people[1, :2].sum() / people[:2, :2].sum()
    yield "base share", young.base_share((1,)), people[1].sum() / people[:2].sum()
    yield "mean", young.mean((1, 2), BOTH), 1 + people[1, :2].sum() / people[:2, :2].sum()
    among = (people[1, 0] / people[:2, 0].sum()) / (people[1].sum() / people[:2].sum())
    yield "index", young.index((1,), (0,)), 100 * among
    unknown, people = estimates.of_third((2,)), PEOPLE[:, :, 2]
    yield (
        "share of the unknown",
        unknown.share(ROWS, (0,)),
        people[:2, 0].sum() / people[:, 0].sum(),
    )
    yield "offered of the unknown", unknown.offered((0,)), people[0].sum()


@pytest.fixture(scope="module")
def seen():
    """Estimates and truth of every number, by kind and name."""
    session = CountedThree(PEOPLE, LAWS, LABELS, seed=21)
    found = defaultdict(list)
    for _ in range(RUNS):
        outcome = session.run()
        for kind in ("private", "shareable"):
            estimates = getattr(outcome, kind)
            for name, block in CELLS.items():
                found[kind, name].append((estimates.sum(block), truth(block)))
            for name, estimate, true in of_layer(estimates):
                found[kind, name].append((estimate, true))
    return found


NAMES = [*CELLS, "count", "audience", "offered", "share", "part", "base share", "mean", "index",
         "share of the unknown", "offered of the unknown"]  # fmt: skip


@pytest.mark.parametrize("kind", ["private", "shareable"])
@pytest.mark.parametrize("name", NAMES)
def test_a_number_is_unbiased_and_its_interval_holds(seen, kind, name):
    estimates, true = [one for one, _ in seen[kind, name]], seen[kind, name][0][1]
    values = np.array([one.value for one in estimates])
    errors = np.array([one.standard_error for one in estimates])
    assert not any(one.suppressed for one in estimates)
    assert abs(values.mean() - true) < 4 * values.std() / RUNS**0.5
    assert values.std() == pytest.approx(errors.mean(), rel=0.16)
    assert 0.9 <= np.mean([one.low <= true <= one.high for one in estimates]) <= 0.985


def test_the_shareable_reading_is_never_more_exact(seen):
    for name in NAMES:
        private, shareable = (seen[kind, name][0][0] for kind in ("private", "shareable"))
        assert private.standard_error <= shareable.standard_error * 1.05
