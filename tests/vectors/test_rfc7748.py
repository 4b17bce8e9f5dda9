"""RFC 7748: raising is X25519, for the vectors of §5.2 and the Diffie–Hellman of §6.1."""

from __future__ import annotations

import numpy as np
import pytest

from psi.curve import Scalar, public_point, raise_points
from psi.errors import InvalidPoint

pytestmark = pytest.mark.usefixtures("each_engine")


def raise_one(scalar: bytes, point: bytes) -> bytes:
    points = np.frombuffer(point, dtype=np.uint8).reshape(1, 32)
    return raise_points(points, Scalar.from_bytes(scalar)).tobytes()


SCALAR_1 = bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")
POINT_1 = bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")
IMAGE_1 = bytes.fromhex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")

SCALAR_2 = bytes.fromhex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d")
POINT_2 = bytes.fromhex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")
IMAGE_2 = bytes.fromhex("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957")

ALICE = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
ALICE_POINT = bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
BOB = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
BOB_POINT = bytes.fromhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
SHARED = bytes.fromhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")


def test_first_vector_of_section_5_2() -> None:
    assert raise_one(SCALAR_1, POINT_1) == IMAGE_1


def test_second_vector_of_section_5_2_without_its_top_bit() -> None:
    assert raise_one(SCALAR_2, POINT_2[:31] + bytes([POINT_2[31] & 0x7F])) == IMAGE_2


def test_top_bit_that_rfc_7748_would_ignore_is_refused() -> None:
    with pytest.raises(InvalidPoint, match=r"not canonical .*: 1\."):
        raise_one(SCALAR_2, POINT_2)


@pytest.mark.parametrize(
    ("times", "image"),
    [
        (1, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"),
        (1000, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"),
    ],
)
def test_iterated_vectors_of_section_5_2(times: int, image: str) -> None:
    scalar = point = (9).to_bytes(32, "little")
    for _ in range(times):
        scalar, point = raise_one(scalar, point), scalar
    assert scalar.hex() == image


def test_public_points_and_shared_secret_of_section_6_1() -> None:
    assert public_point(Scalar.from_bytes(ALICE)) == ALICE_POINT
    assert public_point(Scalar.from_bytes(BOB)) == BOB_POINT
    assert raise_one(ALICE, BOB_POINT) == raise_one(BOB, ALICE_POINT) == SHARED
