"""A party that is shown a counterpart's log: it cosigns what extends the last one, and no more."""

from __future__ import annotations

import pytest

from audit.checkpoint import Checkpoint, Cosigner, open_checkpoint, verify_cosignature
from audit.errors import (
    CheckpointError,
    ConsistencyError,
    ForkError,
    NoteError,
    RollbackError,
    SignatureError,
)
from audit.merkle import StoredLeaves, consistency_proof, leaf_hash, root
from audit.note import Signer, sign_note
from audit.witness import witness

LOG = Signer("advertiser.example/log", bytes([1]) * 32)
ME = Cosigner("channel.example/log", bytes([2]) * 32)
LEAVES = [leaf_hash(bytes([i])) for i in range(20)]
FORK = [*LEAVES[:4], leaf_hash(b"other"), *LEAVES[5:]]
TIME = 1_767_600_000


def at(size, leaves=LEAVES, origin=LOG.name):
    return Checkpoint(origin, size, root(leaves[:size]))


def proof(old, new, leaves=LEAVES):
    return consistency_proof(StoredLeaves(lambda start, stop: leaves[start:stop]), old, new)


def ask(note, last, shown):
    return witness(note, log=LOG.verifier, last=last, proof=shown, cosigner=ME, time=TIME)


@pytest.mark.parametrize("size", [0, 1, 7, 20])
def test_the_first_checkpoint_is_cosigned_without_a_proof(size):
    seen = ask(at(size).sign(LOG), None, ())
    assert seen.checkpoint == at(size)
    assert verify_cosignature(at(size), seen.line, [ME.verifier]).time == TIME


@pytest.mark.parametrize(("old", "new"), [(0, 5), (1, 2), (7, 20), (16, 20), (20, 20)])
def test_a_checkpoint_that_extends_the_last_one_is_cosigned(old, new):
    seen = ask(at(new).sign(LOG), at(old), proof(old, new))
    assert seen.checkpoint == at(new)
    verify_cosignature(at(new), seen.line, [ME.verifier])


def test_a_cosigned_checkpoint_still_opens_with_the_key_of_its_log():
    note = at(7).sign(LOG)
    seen = ask(note, None, ())
    assert open_checkpoint(note + seen.line, LOG.verifier) == at(7)


def test_a_smaller_checkpoint_is_refused_and_the_size_seen_is_told():
    with pytest.raises(RollbackError) as refused:
        ask(at(7).sign(LOG), at(8), ())
    assert refused.value.seen_size == 8


def test_another_root_at_the_same_size_is_a_fork():
    with pytest.raises(ForkError):
        ask(at(8, FORK).sign(LOG), at(8), ())


def test_a_longer_fork_is_refused_whatever_proof_comes_with_it():
    for shown in (proof(8, 20), proof(8, 20, FORK), ()):
        with pytest.raises(ConsistencyError):
            ask(at(20, FORK).sign(LOG), at(8), shown)


@pytest.mark.parametrize(
    ("last", "shown"),
    [
        (at(8), ()),
        (at(8), proof(7, 20)),
        (at(8), (*proof(8, 20), LEAVES[0])),
        (at(8), proof(8, 20)[:-1]),
        (at(20), proof(8, 20)),
        (None, proof(8, 20)),
        (at(0), proof(8, 20)),
        (at(8), (b"short", *proof(8, 20)[1:])),
    ],
)
def test_a_proof_that_does_not_fit_is_refused(last, shown):
    with pytest.raises(ConsistencyError):
        ask(at(20).sign(LOG), last, shown)


@pytest.mark.parametrize(
    ("note", "error"),
    [
        (at(9).sign(Signer(LOG.name, bytes([3]) * 32)), SignatureError),
        (at(9).body() + "\n" + ME.cosign(at(9), TIME), SignatureError),
        (sign_note(at(9, origin="vendor.example/log").body(), LOG), CheckpointError),
        (sign_note("hello\n", LOG), CheckpointError),
        (at(9).sign(LOG).replace("\n9\n", "\n10\n"), SignatureError),
        (at(9).body(), NoteError),
        ("", NoteError),
    ],
    ids=[
        "another key",
        "a witness's word",
        "another origin",
        "no checkpoint",
        "size changed",
        "unsigned",
        "empty",
    ],
)
def test_what_the_log_did_not_sign_as_its_checkpoint_is_refused(note, error):
    with pytest.raises(error):
        ask(note, at(8), proof(8, 9))


def test_the_last_checkpoint_of_another_log_is_no_measure():
    with pytest.raises(CheckpointError, match="the last one seen is of"):
        ask(at(9).sign(LOG), at(8, origin="vendor.example/log"), proof(8, 9))
