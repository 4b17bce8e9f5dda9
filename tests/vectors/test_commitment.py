"""Salted commitments: one value, one context, one salt."""

from __future__ import annotations

import hashlib

import pytest

from audit.commitment import commit, new_salt, verify_opening
from audit.errors import CommitmentError

SALT = bytes(range(32))
COMMITMENT = commit("noise", b"value", SALT)


def test_a_commitment_is_the_hash_that_the_documentation_states():
    stated = b"commonground/v1/commitment/" + b"noise" + b"\0" + SALT + b"value"
    assert hashlib.sha256(stated).digest() == COMMITMENT


def test_the_value_with_its_salt_opens_a_commitment():
    verify_opening(COMMITMENT, "noise", b"value", SALT)


def test_two_salts_differ():
    assert len(new_salt()) == 32
    assert new_salt() != new_salt()


@pytest.mark.parametrize(
    ("commitment", "context", "value", "salt"),
    [
        (COMMITMENT, "noise", b"valuf", SALT),
        (COMMITMENT, "noise", b"", SALT),
        (COMMITMENT, "seed", b"value", SALT),
        (COMMITMENT, "noise", b"value", bytes(32)),
        (COMMITMENT, "noise", SALT[-1:] + b"value", b"\0" + SALT[:-1]),
        (COMMITMENT, "noise", b"value", SALT[:-1]),
        (COMMITMENT, "noise", b"value", SALT + b"\0"),
        (COMMITMENT, "noise\0", b"value", SALT),
        (COMMITMENT, "", b"value", SALT),
        (COMMITMENT[:-1], "noise", b"value", SALT),
        (bytes(32), "noise", b"value", SALT),
    ],
)
def test_nothing_else_opens_it(commitment, context, value, salt):
    with pytest.raises(CommitmentError):
        verify_opening(commitment, context, value, salt)


@pytest.mark.parametrize(
    ("context", "salt"),
    [("noise", SALT[:-1]), ("noise", b""), ("noise\0", SALT), ("", SALT), ("Noise", SALT)],
)
def test_no_commitment_is_made_out_of_form(context, salt):
    with pytest.raises(CommitmentError):
        commit(context, b"value", salt)


def test_a_refusal_shows_neither_value_nor_salt():
    with pytest.raises(CommitmentError) as refused:
        verify_opening(COMMITMENT, "noise", b"secret-value", SALT)
    assert "secret" not in str(refused.value)
    assert SALT.hex() not in str(refused.value)
