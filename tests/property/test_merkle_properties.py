"""The tree at any size: growing equals hashing at once, proofs verify, altered proofs do not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import ConsistencyError, InclusionError
from audit.merkle import (
    CompactRange,
    StoredLeaves,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(i.to_bytes(2, "big")) for i in range(260)]
NODES = StoredLeaves(lambda start, stop: LEAVES[start:stop])
SIZES = st.integers(1, len(LEAVES))


def recursive_root(leaves):
    """RFC 6962 §2.1 as it is written: split at the largest power of two below the size."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(recursive_root(leaves[:split]), recursive_root(leaves[split:]))


@given(SIZES)
def test_hashing_level_by_level_is_the_recursion_of_the_rfc(size):
    assert root(LEAVES[:size]) == recursive_root(LEAVES[:size])


@given(SIZES, st.data())
def test_a_grown_tree_has_the_root_of_the_whole_one(size, data):
    start = data.draw(st.integers(0, size))
    tree = CompactRange().extend(LEAVES[:start])
    for leaf in LEAVES[start:size]:
        tree = tree.append(leaf)
    assert tree.root() == root(LEAVES[:size])
    assert tree == CompactRange.of_nodes(NODES, size)
    assert CompactRange.from_bytes(size, tree.frontier()) == tree


@given(SIZES)
def test_the_nodes_that_growing_closes_are_all_that_proofs_need(size):
    stored, tree = {}, CompactRange()
    for leaf in LEAVES[:size]:
        position = tree.size
        tree, closed = tree.grow(leaf)
        stored |= {(level, position >> level): node for level, node in enumerate(closed)}

    class Stored:
        def node(self, level, index):
            return stored[level, index]

    for index in {0, size // 2, size - 1}:
        assert inclusion_proof(Stored(), index, size) == inclusion_proof(NODES, index, size)
        assert consistency_proof(Stored(), index, size) == consistency_proof(NODES, index, size)


@given(SIZES, st.data())
def test_an_inclusion_proof_shows_its_leaf_and_no_other(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof, top = inclusion_proof(NODES, index, size), root(LEAVES[:size])
    verify_inclusion(LEAVES[index], index, size, proof, top)
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        with pytest.raises(InclusionError):
            verify_inclusion(LEAVES[other], index, size, proof, top)
        with pytest.raises(InclusionError):
            verify_inclusion(LEAVES[index], other, size, proof, top)


@given(SIZES, st.data())
def test_a_consistency_proof_shows_that_the_new_tree_begins_with_the_old(size, data):
    old = data.draw(st.integers(0, size))
    proof = consistency_proof(NODES, old, size)
    verify_consistency(old, root(LEAVES[:old]), size, root(LEAVES[:size]), proof)


@given(st.integers(2, len(LEAVES)), st.data())
def test_no_consistency_is_proved_when_an_old_leaf_was_changed(size, data):
    old = data.draw(st.integers(1, size - 1))
    changed = data.draw(st.integers(0, old - 1))
    forked = [*LEAVES[:changed], leaf_hash(b"other"), *LEAVES[changed + 1 : size]]
    forked_nodes = StoredLeaves(lambda start, stop: forked[start:stop])
    proof = consistency_proof(forked_nodes, old, size)
    with pytest.raises(ConsistencyError):
        verify_consistency(old, root(LEAVES[:old]), size, root(forked), proof)


def mutations(proof, data):
    """One change to a proof: a flipped bit, a hash dropped, doubled, put in, or two swapped."""
    proof = list(proof)
    position = data.draw(st.integers(0, max(len(proof) - 1, 0)))
    what = data.draw(st.sampled_from(["flip", "drop", "double", "put in", "swap"]))
    if what == "put in" or not proof:
        return [*proof[:position], leaf_hash(b"foreign"), *proof[position:]]
    if what == "flip":
        bit = data.draw(st.integers(0, 255))
        flipped = (int.from_bytes(proof[position], "big") ^ 1 << bit).to_bytes(32, "big")
        return [*proof[:position], flipped, *proof[position + 1 :]]
    if what == "drop":
        return [*proof[:position], *proof[position + 1 :]]
    if what == "double" or len(proof) == 1:
        return [*proof[: position + 1], *proof[position:]]
    other = data.draw(st.integers(0, len(proof) - 1).filter(lambda i: i != position))
    proof[position], proof[other] = proof[other], proof[position]
    return proof


@settings(max_examples=300)
@given(SIZES, st.data())
def test_any_mutated_inclusion_proof_is_refused(size, data):
    index = data.draw(st.integers(0, size - 1))
    mutated = mutations(inclusion_proof(NODES, index, size), data)
    with pytest.raises(InclusionError):
        verify_inclusion(LEAVES[index], index, size, mutated, root(LEAVES[:size]))


@settings(max_examples=300)
@given(SIZES, st.data())
def test_any_mutated_consistency_proof_is_refused(size, data):
    old = data.draw(st.integers(0, size))
    mutated = mutations(consistency_proof(NODES, old, size), data)
    with pytest.raises(ConsistencyError):
        verify_consistency(old, root(LEAVES[:old]), size, root(LEAVES[:size]), mutated)
