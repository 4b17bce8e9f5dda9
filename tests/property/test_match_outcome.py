"""What a receiver makes of two sets of tags: what matched, and that no agreed dummy is missing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psi.errors import WrongAnswer
from psi.match import matched_positions, require_dummies
from psi.sets import LabelledSet

numbers = st.lists(st.integers(0, 30), unique=True, max_size=20)


def tags_of(values):
    rows = np.zeros((len(values), 16), dtype=np.uint8)
    rows[:, 15] = values
    return LabelledSet((len(values),), rows)


@given(numbers, numbers)
def test_what_both_have_is_matched_in_its_order(mine, theirs):
    found = matched_positions(tags_of(mine), tags_of(theirs))
    assert found.tolist() == [place for place, tag in enumerate(mine) if tag in theirs]


@given(numbers, numbers, st.data())
def test_a_match_without_one_of_its_dummies_makes_no_list(mine, theirs, data):
    places = data.draw(st.sets(st.integers(0, len(mine) - 1))) if mine else set()
    dummies = np.array(sorted(places), dtype=np.int64)
    matched = matched_positions(tags_of(mine), tags_of(theirs))
    if places <= set(matched.tolist()):
        require_dummies(matched, dummies)
    else:
        with pytest.raises(WrongAnswer, match="agreed dummies are missing"):
            require_dummies(matched, dummies)
