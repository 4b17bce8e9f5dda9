"""Batched hash-to-curve equals RFC 9380 read one message and one plain integer at a time."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from psi.curve import hash_to_curve
from psi.elligator import points_of_pairs
from psi.expand import DST
from psi.field import constant
from psi.keys import Keys
from psi.portable import hash_messages

P = 2**255 - 19
J = 486662
Affine = tuple[int, int] | None  # None is infinity


def expand_message_xmd(message: bytes, dst: bytes, length: int) -> bytes:
    """§5.3.1 with SHA-512."""
    dst_prime = dst + bytes([len(dst)])
    b0 = hashlib.sha512(bytes(128) + message + length.to_bytes(2, "big") + b"\0" + dst_prime)
    block = hashlib.sha512(b0.digest() + b"\1" + dst_prime).digest()
    uniform = block
    for i in range(2, -(-length // 64) + 1):
        mixed = bytes(x ^ y for x, y in zip(b0.digest(), block, strict=True))
        block = hashlib.sha512(mixed + bytes([i]) + dst_prime).digest()
        uniform += block
    return uniform[:length]


def curve(x: int) -> int:
    return (x**3 + J * x * x + x) % P


def is_square(value: int) -> bool:
    return pow(value, (P - 1) // 2, P) in (0, 1)


def root(square: int) -> int:
    candidate = pow(square, (P + 3) // 8, P)
    if candidate * candidate % P != square:
        candidate = candidate * pow(2, (P - 1) // 4, P) % P
    assert candidate * candidate % P == square
    return candidate


def elligator(u: int) -> Affine:
    """§6.7.1, with Z = 2, and the sign of §6.7.1's steps 7 to 8."""
    x1 = -J * pow(1 + 2 * u * u, -1, P) % P
    x, odd = (x1, 1) if is_square(curve(x1)) else ((-x1 - J) % P, 0)
    y = root(curve(x))
    return x, y if y % 2 == odd else -y % P


def plus(a: Affine, b: Affine) -> Affine:
    """The Montgomery curve's group law in affine coordinates, every case of it."""
    if a is None or b is None:
        return a or b
    (x0, y0), (x1, y1) = a, b
    if x0 == x1 and (y0 + y1) % P == 0:
        return None
    if x0 == x1:
        slope = (3 * x0 * x0 + 2 * J * x0 + 1) * pow(2 * y0, -1, P)
    else:
        slope = (y1 - y0) * pow(x1 - x0, -1, P)
    x = (slope * slope - J - x0 - x1) % P
    return x, (slope * (x0 - x) - y0) % P


def clear_cofactor(point: Affine) -> int:
    for _ in range(3):
        point = plus(point, point)
    return 0 if point is None else point[0]


def hash_one(message: bytes, dst: bytes = DST) -> bytes:
    uniform = expand_message_xmd(message, dst, 96)
    u0, u1 = (int.from_bytes(uniform[i : i + 48], "big") % P for i in (0, 48))
    return clear_cofactor(plus(elligator(u0), elligator(u1))).to_bytes(32, "little")


def pair_points(pairs: list[tuple[int, int]]) -> list[int]:
    u = [constant(first) for first, _ in pairs] + [constant(second) for _, second in pairs]
    return [int.from_bytes(row.tobytes(), "little") for row in points_of_pairs(np.hstack(u))]


def expected_points(pairs: list[tuple[int, int]]) -> list[int]:
    return [clear_cofactor(plus(elligator(u0), elligator(u1))) for u0, u1 in pairs]


@pytest.mark.usefixtures("each_engine")
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.binary(max_size=150), max_size=9), st.binary(max_size=40))
@example([b""], b"")
@example([b"x" * 111, b"x" * 112, b"x" * 113, b"x" * 127, b"x" * 128, b"x" * 129], b"")
def test_batch_equals_one_at_a_time(messages: list[bytes], prefix: bytes) -> None:
    points = hash_to_curve(Keys.from_list(messages), prefix=prefix)
    assert [row.tobytes() for row in points] == [hash_one(prefix + key) for key in messages]


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 255, 256, 257])
def test_batch_sizes(size: int) -> None:
    messages = [b"email\0" + hashlib.sha256(b"%d" % i).digest() for i in range(size)]
    points = hash_to_curve(Keys.from_list(messages), prefix=b"session")
    assert points.shape == (size, 32)
    assert [row.tobytes() for row in points] == [hash_one(b"session" + key) for key in messages]


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("chunk", [2047, 2048, 2049, 4096])
def test_chunks_and_the_batches_within_them_give_the_same_bytes(chunk: int) -> None:
    keys = Keys.from_list([b"%d" % i for i in range(2052)])
    points = hash_to_curve(keys, prefix=b"session", chunk=chunk)
    for i in (0, 2046, 2047, 2048, 2049, 2051):
        assert points[i].tobytes() == hash_one(b"session%d" % i)


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=20), st.binary(min_size=1, max_size=255))
@example(b"", b"d" * 255)
def test_any_domain_of_up_to_255_bytes(message: bytes, dst: bytes) -> None:
    assert hash_messages([message], prefix=b"", dst=dst).tobytes() == hash_one(message, dst)


elements = st.one_of(st.sampled_from([0, 1, 2, P - 1, P - 2, (P - 1) // 2]), st.integers(0, P - 1))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(elements, elements), min_size=1, max_size=9))
@example([(0, 0), (0, 1), (1, 0)])
def test_pairs_of_field_elements(pairs: list[tuple[int, int]]) -> None:
    assert pair_points(pairs) == expected_points(pairs)


@settings(max_examples=20, deadline=None)
@given(st.lists(elements, min_size=1, max_size=5))
def test_equal_points_are_doubled(chosen: list[int]) -> None:
    pairs = [(u, u) for u in chosen] + [(u, -u % P) for u in chosen] + [(3, 5)]
    assert all(elligator(u0) == elligator(u1) for u0, u1 in pairs[:-1])
    assert pair_points(pairs) == expected_points(pairs)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, P - 1), min_size=1, max_size=5))
def test_opposite_points_give_zero_and_spoil_no_other(chosen: list[int]) -> None:
    pairs = [(u, pow(2 * u, -1, P)) for u in chosen] + [(3, 5)]
    assert all(plus(elligator(u0), elligator(u1)) is None for u0, u1 in pairs[:-1])
    points = pair_points(pairs)
    assert points[:-1] == [0] * len(chosen)
    assert points[-1:] == expected_points([(3, 5)])


def test_prefix_and_key_are_one_message() -> None:
    whole = hash_to_curve(Keys.from_list([b"session-key"]), prefix=b"")
    split = hash_to_curve(Keys.from_list([b"-key"]), prefix=b"session")
    assert whole.tobytes() == split.tobytes()


def test_sessions_share_no_point() -> None:
    keys = Keys.from_list([b"%d" % i for i in range(9)])
    first = hash_to_curve(keys, prefix=b"session 1")
    second = hash_to_curve(keys, prefix=b"session 2")
    assert not {row.tobytes() for row in first} & {row.tobytes() for row in second}
