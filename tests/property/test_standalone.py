"""verify.py has its own Ed25519, canonical JSON, Merkle proofs and ε: each against another's.

RFC 8032 section 7.1 gives vectors; `cryptography`, `rfc8785`, `audit.merkle` and
`audit.accounting`, of which verify.py uses nothing, give the rest.
"""

import math
from hashlib import sha256

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import standalone
from audit.accounting import zcdp_epsilon
from audit.checkpoint import Checkpoint, Cosigner
from audit.merkle import StoredLeaves, consistency_proof, inclusion_proof, leaf_hash, root
from audit.note import Signer, Verifier

RFC_8032 = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)
ONCE = settings(max_examples=25, deadline=None)


@pytest.mark.parametrize(("public", "message", "signature"), RFC_8032)
def test_the_signatures_of_rfc_8032_hold_and_none_that_is_near_them(public, message, signature):
    key, said, blob = (bytes.fromhex(text) for text in (public, message, signature))
    assert standalone.is_signed(key, said, blob)
    assert not standalone.is_signed(key, said + b"x", blob)
    for place in (0, 31, 32, 63):
        changed = bytearray(blob)
        changed[place] ^= 1
        assert not standalone.is_signed(key, said, bytes(changed))
    s = int.from_bytes(blob[32:], "little") + standalone.ORDER
    assert not standalone.is_signed(key, said, blob[:32] + s.to_bytes(32, "little"))
    assert not standalone.is_signed(key, said, blob[:-1])


@ONCE
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_what_another_library_signs_holds(seed, message):
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes_raw()
    assert standalone.is_signed(public, message, key.sign(message))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_canonical_json_is_that_of_rfc8785(value):
    assert standalone.canonical(value) == rfc8785.dumps(value)
    assert standalone.read_json(rfc8785.dumps(value), "it") == value


@pytest.mark.parametrize("data", [b'{"a": 1}', b'{"a":1,"a":1}', b"1.0", b"[1e2]", b"\xff", b""])
def test_other_json_is_refused(data):
    with pytest.raises(standalone.Refused):
        standalone.read_json(data, "it")


@ONCE
@given(st.integers(1, 70), st.data())
def test_merkle_proofs_are_read_as_the_log_writes_them(size, data):
    entries = [bytes([number]) for number in range(size)]
    leaves = [leaf_hash(entry) for entry in entries]
    nodes = StoredLeaves(lambda start, stop: leaves[start:stop])
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    new = standalone.Checkpoint(size, root(leaves))
    before = standalone.Checkpoint(old, root(leaves[:old]))
    proof = list(inclusion_proof(nodes, index, size))
    assert standalone.is_included(entries[index], index, new, proof)
    assert not standalone.is_included(entries[index] + b"x", index, new, proof)
    assert not standalone.is_included(entries[index], index, new, [*proof, bytes(32)])
    growth = list(consistency_proof(nodes, old, size))
    assert standalone.extends(new, before, growth)
    assert not standalone.extends(new, before, [*growth, bytes(32)])
    if old > 0:
        other = standalone.Checkpoint(old, sha256(b"another").digest())
        assert not standalone.extends(new, other, growth)


@ONCE
@given(st.integers(1, 10**11), st.integers(1, 10**15 - 1))
def test_epsilon_of_zcdp_is_the_auditors(rho_nano, delta_e15):
    found = standalone.zcdp_epsilon(rho_nano, delta_e15)
    assert found == zcdp_epsilon(rho_nano, delta_e15)
    assert found <= rho_nano + 2 * math.sqrt(rho_nano * 1e9 * -math.log(delta_e15 / 1e15)) + 1


def test_a_checkpoint_and_its_cosignature_are_read_as_they_are_signed():
    signer, witness = Signer("log.test/a", bytes([1]) * 32), Cosigner("log.test/b", bytes([2]) * 32)
    own = Checkpoint("log.test/a", 3, bytes(32))
    note = own.sign(signer) + witness.cosign(own, 77)
    log, other = (standalone.Key.read(Verifier.of(one.verifier).vkey) for one in (signer, witness))
    read = standalone.read_checkpoint(note, log, [other], "it")
    assert (read.size, read.root, read.cosigned) == (3, bytes(32), (("log.test/b", 77),))
    with pytest.raises(standalone.Refused, match="not one of this checkpoint"):
        standalone.read_checkpoint(
            Checkpoint("log.test/a", 4, bytes(32)).sign(signer) + witness.cosign(own, 77),
            log,
            [other],
            "it",
        )
    with pytest.raises(standalone.Refused, match="not signed by the key"):
        standalone.read_checkpoint(note, standalone.Key("log.test/a", other.public), [], "it")
