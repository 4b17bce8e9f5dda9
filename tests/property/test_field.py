"""Batched arithmetic modulo 2²⁵⁵ − 19 equals Python's integers, at the edges of every limb."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psi import field
from psi.field import LIMB_BITS, LIMBS, Elements, Multiplier, P

LOWEST, HIGHEST = -(2**15), 2**29 + 2**15  # what "reduced" allows a limb to be

edge_values = st.sampled_from(
    [k for base in (0, P, 2 * P, 2**255, 2**256) for k in range(base - 20, base + 21)]
    + [2**29 - 1, 2**232, 2**254, 2**255 - 2**232, (P - 1) // 2, 486662]
).filter(lambda value: 0 <= value < 2**256)
values = st.one_of(edge_values, st.integers(0, 2**256 - 1))
batches = st.lists(values, min_size=1, max_size=9)

limbs = st.one_of(
    st.sampled_from([LOWEST, -1, 0, 1, 2**28, 2**29 - 1, 2**29, HIGHEST]),
    st.integers(LOWEST, HIGHEST),
)
columns = st.one_of(
    st.sampled_from([[limb] * LIMBS for limb in (LOWEST, -1, 0, 2**29 - 1, 2**29, HIGHEST)]),
    st.lists(limbs, min_size=LIMBS, max_size=LIMBS),
)
reduced = st.lists(columns, min_size=1, max_size=7).map(
    lambda chosen: np.array(chosen, dtype=np.int64).T.copy()
)
pairs = st.integers(1, 7).flatmap(
    lambda width: st.tuples(
        *[
            st.lists(columns, min_size=width, max_size=width).map(
                lambda chosen: np.array(chosen, dtype=np.int64).T.copy()
            )
        ]
        * 2
    )
)


def encode(integers: list[int], width: int = 32) -> np.ndarray:
    rows = [np.frombuffer(k.to_bytes(width, "little"), dtype=np.uint8) for k in integers]
    return np.array(rows)


def value_of(elements: Elements) -> list[int]:
    return [
        sum(int(limb) << (LIMB_BITS * i) for i, limb in enumerate(column)) % P
        for column in elements.T
    ]


def require_reduced(elements: Elements) -> None:
    assert elements.dtype == np.int64
    assert elements.min() >= LOWEST
    assert elements.max() <= HIGHEST


def require_equal(elements: Elements, expected: list[int]) -> None:
    require_reduced(elements)
    assert value_of(elements) == [k % P for k in expected]


@given(batches)
def test_bytes_come_back_canonical(integers: list[int]) -> None:
    elements = field.from_bytes(encode(integers))
    require_equal(elements, integers)
    assert field.to_bytes(elements).tolist() == encode([k % P for k in integers]).tolist()


@given(st.lists(st.integers(0, 2**384 - 1) | st.just(2**384 - 1), min_size=1, max_size=5))
def test_48_bytes_are_reduced_modulo_p(integers: list[int]) -> None:
    require_equal(field.from_bytes(encode(integers, 48)), integers)


@given(reduced)
def test_any_reduced_representation_is_written_canonically(a: Elements) -> None:
    kept = a.copy()
    assert field.to_bytes(a).tolist() == encode(value_of(a)).tolist()
    assert field.is_zero(a).tolist() == [k == 0 for k in value_of(a)]
    assert field.is_odd(a).tolist() == [k % 2 == 1 for k in value_of(a)]
    assert a.tolist() == kept.tolist()


@pytest.mark.parametrize("multiple", [0, 1, 2, 63, 64])
def test_every_multiple_of_p_is_zero(multiple: int) -> None:
    value = multiple * P
    column = [(value >> (LIMB_BITS * i)) & (2**LIMB_BITS - 1) for i in range(LIMBS)]
    a = np.array([column], dtype=np.int64).T
    assert field.is_zero(a).all()
    assert not field.is_zero(field.add(a, field.constant(1))).any()


@given(pairs)
def test_sum_difference_and_product(operands: tuple[Elements, Elements]) -> None:
    a, b = operands
    kept = a.tolist(), b.tolist()
    m = Multiplier(a.shape[1])
    left, right = value_of(a), value_of(b)
    require_equal(field.add(a, b), [x + y for x, y in zip(left, right, strict=True)])
    require_equal(field.subtract(a, b), [x - y for x, y in zip(left, right, strict=True)])
    require_equal(m.multiply(a, b), [x * y for x, y in zip(left, right, strict=True)])
    require_equal(m.square(a), [x * x for x in left])
    assert (a.tolist(), b.tolist()) == kept


@given(reduced, st.sampled_from([0, 1, -1, 2, 4, 486662, -486662, 2**31 - 1, 1 - 2**31]))
def test_scaling(a: Elements, factor: int) -> None:
    require_equal(field.scale(a, factor), [x * factor for x in value_of(a)])


@given(pairs)
def test_product_may_be_written_over_an_operand(operands: tuple[Elements, Elements]) -> None:
    a, b = operands
    m = Multiplier(a.shape[1])
    product, square = value_of(m.multiply(a, b)), value_of(m.square(a))
    assert value_of(m.multiply(a.copy(), b, out=b)) == product
    assert value_of(b) == product
    assert value_of(m.square(a, out=a)) == square
    assert value_of(a) == square


@given(reduced, values)
def test_constant_broadcasts(a: Elements, factor: int) -> None:
    product = Multiplier(a.shape[1]).multiply(a, field.constant(factor))
    require_equal(product, [x * factor for x in value_of(a)])


@settings(max_examples=20)
@given(reduced)
def test_power(a: Elements) -> None:
    root = Multiplier(a.shape[1]).power_p58(a)
    require_equal(root, [pow(x, (P - 5) // 8, P) for x in value_of(a)])


@given(st.lists(values, min_size=0, max_size=40))
def test_inverse_of_zero_is_zero_and_spoils_no_other(integers: list[int]) -> None:
    elements = field.from_bytes(encode([*integers, 0, P]))
    inverse = field.invert(elements)
    require_equal(inverse, [pow(k, -1, P) if k % P else 0 for k in [*integers, 0, P]])


def test_inverse_of_nothing() -> None:
    assert field.invert(np.empty((LIMBS, 0), dtype=np.int64)).shape == (LIMBS, 0)
