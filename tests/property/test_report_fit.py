"""The fit is consistent, adds up, and moves no more than it must."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from reports.fit import fit_table, fit_total

tables = arrays(
    np.int64,
    array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.integers(-200, 2000),
)


@settings(deadline=None)
@given(tables)
def test_fitted_cells_are_not_negative_and_keep_the_total(table):
    fitted = fit_table(table)
    assert fitted.min() >= 0
    assert abs(fitted.sum() - max(table.sum(), 0)) < 1e-4


@settings(deadline=None)
@given(tables)
def test_parts_add_up_to_fitted_totals(table):
    fitted = fit_table(table)
    if table.sum() <= 0:
        assert not fitted.any()
        return
    total = float(table.sum())
    for axis in (0, 1):
        expected = fit_total(table.sum(axis=axis).astype(float), total)
        np.testing.assert_allclose(fitted.sum(axis=axis), expected, atol=1e-4)


@given(tables)
def test_what_is_consistent_is_not_moved(table):
    consistent = np.abs(table)
    np.testing.assert_allclose(fit_table(consistent), consistent, atol=1e-6)


@settings(deadline=None)
@given(tables, st.integers(0, 2**32))
def test_cells_of_unequal_variance_add_up_too(table, seed):
    variances = np.random.default_rng(seed).uniform(1, 20, len(table))
    fitted = fit_table(table, variances)
    assert fitted.min() >= 0
    if table.sum() > 0:
        segments = fit_total(table.sum(axis=0).astype(float), float(table.sum()))
        np.testing.assert_allclose(fitted.sum(axis=0), segments, atol=1e-4)


@settings(deadline=None)
@given(
    arrays(np.float64, st.integers(1, 8), elements=st.floats(-100, 100)),
    st.floats(0, 500),
    st.integers(0, 2**32),
)
def test_what_is_noisier_is_moved_more(values, total, seed):
    numbers = np.random.default_rng(seed)
    variances = numbers.uniform(0.5, 10, len(values))
    fitted = fit_total(values, total, variances)
    assert abs(fitted.sum() - total) < 1e-6
    others = numbers.dirichlet(np.ones(len(values)), 50) * total
    nearest = (np.square(others - values) / variances).sum(axis=1).min()
    assert (np.square(fitted - values) / variances).sum() <= nearest + 1e-6


@settings(deadline=None)
@given(
    arrays(np.float64, st.integers(1, 8), elements=st.floats(-100, 100)),
    st.floats(0, 500),
    st.integers(0, 2**32),
)
def test_no_other_values_of_that_sum_are_nearer(values, total, seed):
    fitted = fit_total(values, total)
    assert abs(fitted.sum() - total) < 1e-6
    others = np.random.default_rng(seed).dirichlet(np.ones(len(values)), 50) * total
    nearest = np.square(others - values).sum(axis=1).min()
    assert np.square(fitted - values).sum() <= nearest + 1e-6
