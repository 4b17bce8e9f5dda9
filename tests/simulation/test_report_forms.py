"""The noise that a number is said to have is the noise that it has, draw by draw.

Numbers are linear in every draw of noise. So each draw is moved by 1, the estimate is made anew
from what the parties would then have sent, and its change is the coefficient that the draw has.
"""

from dataclasses import fields
from itertools import product

import numpy as np
import pytest
from counted_session import SilentLaws
from counted_three import Drawn, counted, moved
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.session import SessionNoise, TableLaws
from reports.forms import Block

LAWS = TableLaws(SessionNoise(10**9, 5 * 10**8, 10**6))
MANY = 60


def labels_of(shape):
    return tuple(
        tuple(f"{axis}{at}" for at in range(size)) for axis, size in zip("gbv", shape, strict=True)
    )


shapes = st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 2))


@st.composite
def worlds(draw):
    """People in every cell, and some places of each axis, `∅` among them or not."""
    shape = draw(shapes)
    size = int(np.prod([labels + 1 for labels in shape]))
    people = draw(st.lists(st.integers(0, 900), min_size=size, max_size=size))
    some = st.lists(st.booleans(), min_size=MANY, max_size=MANY)
    blocks = tuple(
        Block(
            *(
                tuple(at for at, taken in zip(range(labels + 1), draw(some), strict=False) if taken)
                for labels in shape
            )
        )
        for _ in range(2)
    )
    people = np.array(people).reshape([labels + 1 for labels in shape])
    people[-1, -1, -1] = 0
    return shape, people, blocks


def zeros(law, shape):
    return np.full(shape, law.mean, dtype=np.int64)


def places(drawn, name):
    array = getattr(drawn, name)
    absent = {
        "release": lambda at: at[1:] == tuple(size - 1 for size in array.shape[1:]),
        "dummies": lambda at: (at[0], at[2]) == (array.shape[0] - 1, array.shape[2] - 1),
        "third_dummies": lambda at: at[:2] == tuple(size - 1 for size in array.shape[:2]),
    }.get(name, lambda at: False)
    return [at for at in product(*map(range, array.shape)) if not absent(at)]


@pytest.mark.parametrize("kind", ["private", "shareable"])
@settings(max_examples=12, deadline=None)
@given(worlds(), st.floats(-2, 2))
def test_every_draw_has_the_coefficient_that_its_term_says(kind, world, factor):
    shape, people, blocks = world
    labels, form = labels_of(shape), tuple(zip((1.0, factor), blocks, strict=True))
    drawn = Drawn.by(LAWS, shape, zeros)

    def value(draws):
        estimates = getattr(counted(people, LAWS, draws, labels), kind)
        return sum(weight * estimates.value(block) for weight, block in form), estimates

    before, estimates = value(drawn)
    variance = 0.0
    for one in fields(Drawn):
        law = getattr(LAWS, one.name)
        for place in places(drawn, one.name):
            change = value(moved(drawn, one.name, place))[0] - before
            variance += change**2 * law.variance
    stated = sum(term.variance for term in estimates.terms(*form))
    assert stated == pytest.approx(variance, abs=1e-6)
    parts = [estimates.covariance(one, other) for one in blocks for other in blocks]
    together = parts[0] + factor * (parts[1] + parts[2]) + factor**2 * parts[3]
    assert together == pytest.approx(variance, abs=1e-6)


@pytest.mark.parametrize("kind", ["private", "shareable"])
@settings(max_examples=40, deadline=None)
@given(worlds())
def test_without_noise_every_cell_is_the_truth(kind, world):
    shape, people, (block, _) = world
    laws = SilentLaws()
    estimates = getattr(counted(people, laws, Drawn.by(laws, shape, zeros), labels_of(shape)), kind)
    assert (estimates.presence == people).all()
    places = [list(axis) for axis in block]
    assert estimates.value(block) == people[np.ix_(*places)].sum()
    assert estimates.covariance(block, block) == 0


@settings(max_examples=40, deadline=None)
@given(worlds(), st.integers(0, 2**32))
def test_with_noise_at_its_mean_every_cell_is_the_truth(world, seed):
    """Whatever the recipient drew, its own reading subtracts it; others expect the mean."""
    shape, people, _ = world
    drawn = Drawn.by(LAWS, shape, zeros)
    own = np.random.default_rng(seed).integers(0, 2 * LAWS.dummies.mean, drawn.dummies.shape)
    own[-1, :, -1] = 0
    private = Drawn(**{**vars(drawn), "dummies": own})
    labels = labels_of(shape)
    assert (counted(people, LAWS, private, labels).private.presence == people).all()
    assert (counted(people, LAWS, drawn, labels).shareable.presence == people).all()


def test_what_cancels_has_no_noise():
    """The margins of a set are its size: what the tabulator adds to cells is not in them."""
    people = np.full((3, 3, 3), 500)
    people[-1, -1, -1] = 0
    shape = (2, 2, 2)
    drawn = Drawn.by(LAWS, shape, zeros)
    private = counted(people, LAWS, drawn, labels_of(shape)).private
    every = range(3)
    assert private.terms((1, Block(every, (0,), every))) == []
    assert private.audience((0,)).half_width == 0
    laws = [term.law for term in private.terms((1, Block((0,), every, every)))]
    assert laws == [LAWS.tabulator_fillers]
    over_third = private.terms((1, Block((0,), (0,), every)))
    assert [(term.law, term.draws) for term in over_third] == [(LAWS.release, 3)]
    unknown_to_tabulator = private.covariance(*[Block((2,), (0,), (0,))] * 2)
    expected = 2 * LAWS.release.variance + LAWS.totals.variance + LAWS.third_dummies.variance
    assert unknown_to_tabulator == pytest.approx(expected)
    with_none = private.covariance(Block((0,), (0,), (0,)), Block((0,), (0,), (2,)))
    assert with_none == pytest.approx(-LAWS.third_dummies.variance)
    against_unknown = private.covariance(Block((0,), (0,), (0,)), Block((2,), (0,), (0,)))
    assert against_unknown == pytest.approx(-LAWS.release.variance)
