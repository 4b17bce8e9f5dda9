"""RFC 9380 J.4: hash to curve25519, each step against the working group's vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from psi.elligator import Fraction, double, map_to_curve, points_of_pairs
from psi.expand import DST, hash_to_field
from psi.field import Elements, Multiplier, constant, invert, to_bytes
from psi.portable import hash_messages

HERE = Path(__file__).parent
RO = json.loads((HERE / "rfc9380_curve25519_ell2_ro.json").read_text())
NU = json.loads((HERE / "rfc9380_curve25519_ell2_nu.json").read_text())


def elements(values: list[str]) -> Elements:
    return np.hstack([constant(int(value, 16)) for value in values])


def integers(rows: np.ndarray[Any, Any]) -> list[int]:
    return [int.from_bytes(row.tobytes(), "little") for row in rows]


def affine(x: Fraction) -> list[int]:
    multiplier = Multiplier(x.numerator.shape[1])
    return integers(to_bytes(multiplier.multiply(x.numerator, invert(x.denominator))))


def test_hashes_of_the_ro_suite_as_one_batch() -> None:
    messages = [vector["msg"].encode() for vector in RO["vectors"]]
    points = hash_messages(messages, prefix=b"", dst=RO["dst"].encode())
    assert integers(points) == [int(vector["P"]["x"], 16) for vector in RO["vectors"]]


@pytest.mark.parametrize("vector", RO["vectors"], ids=lambda vector: vector["msg"][:12])
def test_hash_of_the_ro_suite_when_the_message_is_cut_into_prefix_and_key(
    vector: dict[str, Any],
) -> None:
    message = vector["msg"].encode()
    cut = len(message) // 2
    point = hash_messages([message[cut:]], prefix=message[:cut], dst=RO["dst"].encode())
    assert integers(point) == [int(vector["P"]["x"], 16)]


def test_field_elements_of_the_ro_suite() -> None:
    messages = [vector["msg"].encode() for vector in RO["vectors"]]
    u = hash_to_field(messages, prefix=b"", dst=RO["dst"].encode())
    expected = [int(vector["u"][i], 16) for i in range(2) for vector in RO["vectors"]]
    assert integers(to_bytes(u)) == expected


def test_mapped_points_of_both_suites() -> None:
    pairs = [
        (u, vector[name])
        for vector in RO["vectors"]
        for u, name in zip(vector["u"], ("Q0", "Q1"), strict=True)
    ] + [(vector["u"][0], vector["Q"]) for vector in NU["vectors"]]
    x, y = map_to_curve(elements([u for u, _ in pairs]))
    assert affine(x) == [int(point["x"], 16) for _, point in pairs]
    assert integers(to_bytes(y)) == [int(point["y"], 16) for _, point in pairs]


def test_cofactor_of_the_nu_suite() -> None:
    x, _ = map_to_curve(elements([vector["u"][0] for vector in NU["vectors"]]))
    for _ in range(3):
        x = double(x)
    assert affine(x) == [int(vector["P"]["x"], 16) for vector in NU["vectors"]]


def test_sums_of_the_ro_suite() -> None:
    u = elements([vector["u"][i] for i in range(2) for vector in RO["vectors"]])
    assert integers(points_of_pairs(u)) == [int(v["P"]["x"], 16) for v in RO["vectors"]]


def test_own_domain_separates_from_the_vectors() -> None:
    assert DST == b"COMMONGROUND-V01-curve25519_ELL2_RO"
    assert len(DST) == 35
    theirs = hash_messages([b"abc"], prefix=b"", dst=RO["dst"].encode())
    assert hash_messages([b"abc"], prefix=b"").tobytes() != theirs.tobytes()
