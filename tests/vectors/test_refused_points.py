"""What a set of points is refused for: not canonical, of low order, repeated (RFC 7748 §5, §6)."""

from __future__ import annotations

import os

import numpy as np
import pytest

from psi.curve import Points, Scalar, public_point, raise_points, require_distinct, require_points
from psi.errors import InvalidPoint

pytestmark = pytest.mark.usefixtures("each_engine")

P = 2**255 - 19
SCALAR = Scalar.from_bytes(bytes(range(100, 132)))

LOW_ORDER = {
    "order 2": (0).to_bytes(32, "little"),
    "order 4": (1).to_bytes(32, "little"),
    "order 8": bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    "other order 8": bytes.fromhex(
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"
    ),
    "order 4 of the twist": (P - 1).to_bytes(32, "little"),
}
NOT_CANONICAL = {
    **{f"p + {k}": (P + k).to_bytes(32, "little") for k in range(19)},
    "top bit alone": (2**255).to_bytes(32, "little"),
    "top bit on 9": (2**255 + 9).to_bytes(32, "little"),
    "top bit on p": (2**255 + P).to_bytes(32, "little"),
    "all ones": b"\xff" * 32,
    "top byte 0x80, rest ones": b"\xff" * 31 + b"\x80",
}
CANONICAL = {
    "nine": (9).to_bytes(32, "little"),
    "p - 2": (P - 2).to_bytes(32, "little"),
    "low word ones": (P - 2**64).to_bytes(32, "little"),
    "second word short": (P - 2**64 + 18).to_bytes(32, "little"),
    "third word short": (P - 2**128 + 18).to_bytes(32, "little"),
    "top word short": (P - 2**192 + 18).to_bytes(32, "little"),
}


def honest(count: int) -> list[bytes]:
    return [public_point(Scalar.from_bytes(os.urandom(32))) for _ in range(count)]


def as_points(encoded: list[bytes]) -> Points:
    return np.frombuffer(b"".join(encoded), dtype=np.uint8).reshape(-1, 32)


@pytest.mark.parametrize("point", CANONICAL.values(), ids=CANONICAL.keys())
def test_canonical_point_beside_the_bound_is_accepted(point: bytes) -> None:
    require_points(as_points([point]))


def test_distinct_canonical_set_is_accepted_and_raised() -> None:
    points = as_points(honest(9))
    require_points(points)
    require_distinct(raise_points(points, SCALAR))


def test_empty_set_is_accepted() -> None:
    require_points(as_points([]))
    assert raise_points(as_points([]), SCALAR).shape == (0, 32)


@pytest.mark.parametrize("point", NOT_CANONICAL.values(), ids=NOT_CANONICAL.keys())
def test_point_that_is_not_canonical_is_refused_before_raising(point: bytes) -> None:
    points = as_points([*honest(2), point, *honest(1)])
    for refuse in (require_points, lambda batch: raise_points(batch, SCALAR)):
        with pytest.raises(InvalidPoint, match=r"not canonical .*: 1\."):
            refuse(points)


@pytest.mark.parametrize("point", LOW_ORDER.values(), ids=LOW_ORDER.keys())
def test_point_of_low_order_inside_a_batch_is_refused(point: bytes) -> None:
    points = as_points([*honest(2), point, *honest(1)])
    with pytest.raises(InvalidPoint, match=r"an image of zero.*: 1\."):
        raise_points(points, SCALAR)


def test_all_refused_points_are_counted_across_chunks() -> None:
    points = as_points([*LOW_ORDER.values(), *honest(3), *LOW_ORDER.values()])
    with pytest.raises(InvalidPoint, match=r"an image of zero.*: 10\."):
        raise_points(points, SCALAR, chunk=4)
    points = as_points([*NOT_CANONICAL.values(), *honest(3)])
    with pytest.raises(InvalidPoint, match=rf"not canonical .*: {len(NOT_CANONICAL)}\."):
        raise_points(points, SCALAR, chunk=4)


@pytest.mark.parametrize("width", [32, 16])
def test_repeats_are_counted(width: int) -> None:
    rows = as_points(honest(6))[[0, 1, 2, 0, 3, 0, 4, 2, 5]][:, :width]
    with pytest.raises(InvalidPoint, match=r"repeats of another one: 3\."):
        require_distinct(rows)


def test_repeated_points_are_refused_before_raising() -> None:
    with pytest.raises(InvalidPoint, match=r"repeats of another one: 1\."):
        require_points(as_points(honest(3))[[0, 1, 2, 0]])


@pytest.mark.parametrize("width", [32, 16])
def test_rows_that_share_a_head_only_are_distinct(width: int) -> None:
    rows = np.zeros((40, width), dtype=np.uint8)
    rows[:, -1] = np.arange(40)
    require_distinct(rows)


def test_trailing_zeros_do_not_hide_a_difference() -> None:
    rows = np.zeros((2, 32), dtype=np.uint8)
    rows[1, 8] = 1
    require_distinct(rows)


def test_points_with_the_same_image_show_as_repeated_images() -> None:
    # u and 1/u differ by the point (0, 0) of order 2, which a clamped scalar takes away.
    point = honest(1)[0]
    other = pow(int.from_bytes(point, "little"), -1, P).to_bytes(32, "little")
    points = as_points([point, other])
    require_points(points)
    with pytest.raises(InvalidPoint, match=r"repeats of another one: 1\."):
        require_distinct(raise_points(points, SCALAR))


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((4, 16), dtype=np.uint8),
        np.zeros(32, dtype=np.uint8),
        np.zeros((1, 32), dtype=np.int64),
        np.zeros((1, 33), dtype=np.uint8),
    ],
    ids=["tags", "flat", "words", "wide"],
)
def test_buffer_of_another_shape_is_refused(points: Points) -> None:
    with pytest.raises(InvalidPoint, match="rows of 32 bytes"):
        require_points(points)
    with pytest.raises(InvalidPoint, match="rows of 32 bytes"):
        raise_points(points, SCALAR)


@pytest.mark.parametrize("bad", [LOW_ORDER["order 8"], NOT_CANONICAL["p + 5"]])
def test_refusal_depends_on_neither_point_nor_place(bad: bytes) -> None:
    messages = set()
    for place in range(4):
        encoded = honest(4)
        encoded[place] = bad
        with pytest.raises(InvalidPoint) as refusal:
            raise_points(as_points(encoded), SCALAR, chunk=2)
        messages.add(str(refusal.value))
        assert refusal.value.__cause__ is None
        assert refusal.value.__context__ is None
    (message,) = messages
    assert bad.hex()[:8] not in message


def test_refusal_of_a_repeat_depends_on_neither_point_nor_place() -> None:
    messages = set()
    for place in range(1, 4):
        encoded = honest(4)
        encoded[place] = encoded[0]
        with pytest.raises(InvalidPoint) as refusal:
            require_points(as_points(encoded))
        messages.add(str(refusal.value))
    assert len(messages) == 1
