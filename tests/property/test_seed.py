"""The seed: HKDF-SHA-512 as RFC 5869 has it, one context a draw, and secrets that stay hidden."""

from __future__ import annotations

import copy
import pickle

import pytest
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import example, given
from hypothesis import strategies as st

from psi.errors import LimitExceeded, PsiError
from psi.scalar import Scalar
from psi.seed import Seed

SECRET = bytes(range(200, 232))
SESSION = b"session id of any length"


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA512(), length=length, salt=salt, info=info).derive(secret)


@given(
    st.binary(min_size=32, max_size=32),
    st.binary(max_size=200),
    st.text(st.characters(codec="utf-8"), max_size=40),
    st.integers(1, 400),
)
@example(SECRET, SESSION, "scalar", 64)
@example(SECRET, b"", "nonce", 65)
@example(SECRET, SESSION, "scalar", 16_320)
def test_derivation_is_hkdf_sha512(secret: bytes, session: bytes, context: str, n: int) -> None:
    info = b"commonground/v1/" + context.encode()
    assert Seed(secret).derive(session, context, n) == hkdf(secret, session, info, n)


@pytest.mark.parametrize("length", [16_321, 2**20])
def test_more_than_hkdf_can_give_is_refused(length: int) -> None:
    with pytest.raises(LimitExceeded, match="16320 bytes at most"):
        Seed(SECRET).derive(SESSION, "order", length)


@pytest.mark.parametrize("length", [16, 32, 64, 100])
def test_many_derivations_are_single_ones_with_a_number(length: int) -> None:
    seed = Seed(SECRET)
    many = seed.derive_many(SESSION, "filler/3", 12, length)
    assert many == [seed.derive(SESSION, f"filler/3/{i}", length) for i in range(12)]
    assert len(set(many)) == 12


def test_no_derivations_are_none() -> None:
    assert Seed(SECRET).derive_many(SESSION, "filler", 0) == []


def test_sessions_contexts_and_seeds_are_apart_whatever_was_asked_before() -> None:
    seed = Seed(SECRET)
    draws = [
        seed.derive(session, context)
        for session in (b"session 1", b"session 2", b"session 1")
        for context in ("scalar", "order")
    ]
    assert draws[:2] == draws[4:]
    assert len(set(draws)) == 4
    assert Seed(bytes(32)).derive(b"session 1", "scalar") not in draws


def test_scalar_is_the_clamped_derivation() -> None:
    derived = bytearray(hkdf(SECRET, SESSION, b"commonground/v1/scalar", 32))
    derived[0] &= 248
    derived[31] &= 127
    derived[31] |= 64
    assert Seed(SECRET).scalar(SESSION).secret_bytes() == bytes(derived)


@given(st.binary(min_size=32, max_size=32))
@example(bytes(32))
@example(b"\xff" * 32)
def test_every_scalar_is_clamped(secret: bytes) -> None:
    for scalar in (Scalar.from_bytes(secret), Scalar(secret)):
        value = int.from_bytes(scalar.secret_bytes(), "little")
        assert value % 8 == 0
        assert 2**254 <= value < 2**255
        middle = int.from_bytes(secret, "little") % 2**254 // 8 * 8
        assert value - 2**254 == middle


def test_generated_seeds_differ() -> None:
    assert Seed.generate().secret_bytes() != Seed.generate().secret_bytes()
    assert len(Seed.generate().secret_bytes()) == 32


@pytest.mark.parametrize("kind", [Seed, Scalar])
@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_secret_of_another_length_is_refused(kind: type[Seed | Scalar], length: int) -> None:
    with pytest.raises(PsiError, match="has 32 bytes"):
        kind(bytes(length))


@pytest.mark.parametrize("kind", [Seed, Scalar])
def test_secret_does_not_show_itself(kind: type[Seed | Scalar]) -> None:
    secret = kind(SECRET)
    shown = f"{secret!r} {secret} {[secret]}"
    assert shown.count("(hidden)") == 3
    assert secret.secret_bytes().hex()[:6] not in shown
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize("kind", [Seed, Scalar])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_secret_does_not_pickle(kind: type[Seed | Scalar], protocol: int) -> None:
    with pytest.raises(TypeError, match="does not pickle"):
        pickle.dumps(kind(SECRET), protocol)


@pytest.mark.parametrize("kind", [Seed, Scalar])
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_secret_is_not_copied(kind: type[Seed | Scalar], duplicate: object) -> None:
    with pytest.raises(TypeError, match="is not copied"):
        duplicate(kind(SECRET))  # type: ignore[operator]


def test_secrets_are_compared_by_identity_only() -> None:
    assert Seed(SECRET) != Seed(SECRET)
    assert Scalar(SECRET) != Scalar(SECRET)
