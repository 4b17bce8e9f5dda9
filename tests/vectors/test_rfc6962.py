"""RFC 6962 §2.1: the eight leaves that Certificate Transparency's implementations test with.

Leaves, node hashes and roots are the well-known constants; the proofs are read off the figure
of the eight-leaf tree below, by hand, so that generator and verifier are not each other's judge.
"""

from __future__ import annotations

import pytest

from audit.errors import ConsistencyError, InclusionError, TreeError
from audit.merkle import (
    EMPTY_ROOT,
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

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
LEAF_HASHES = [
    bytes.fromhex(text)
    for text in (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
        "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1",
    )
]
PAIRS = [
    bytes.fromhex(text)
    for text in (
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    )
]
QUADS = [
    bytes.fromhex(text)
    for text in (
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    )
]
ROOTS = [
    bytes.fromhex(text)
    for text in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
NODES = StoredLeaves(lambda start, stop: LEAF_HASHES[start:stop])

INCLUSION = [
    # index, size, proof
    (0, 1, []),
    (0, 8, [LEAF_HASHES[1], PAIRS[1], QUADS[1]]),
    (5, 8, [LEAF_HASHES[4], PAIRS[3], QUADS[0]]),
    (2, 3, [PAIRS[0]]),
    (1, 5, [LEAF_HASHES[0], PAIRS[1], LEAF_HASHES[4]]),
    (4, 5, [QUADS[0]]),
    (6, 7, [PAIRS[2], QUADS[0]]),
    (3, 7, [LEAF_HASHES[2], PAIRS[0], node_hash(PAIRS[2], LEAF_HASHES[6])]),
]
CONSISTENCY = [
    # old size, new size, proof
    (1, 1, []),
    (8, 8, []),
    (0, 5, []),
    (1, 8, [LEAF_HASHES[1], PAIRS[1], QUADS[1]]),
    (6, 8, [PAIRS[2], PAIRS[3], QUADS[0]]),
    (2, 5, [PAIRS[1], LEAF_HASHES[4]]),
    (3, 7, [LEAF_HASHES[2], LEAF_HASHES[3], PAIRS[0], node_hash(PAIRS[2], LEAF_HASHES[6])]),
    (4, 7, [node_hash(PAIRS[2], LEAF_HASHES[6])]),
    (6, 7, [PAIRS[2], LEAF_HASHES[6], QUADS[0]]),
]


def test_a_leaf_and_a_node_are_hashed_under_different_prefixes():
    assert [leaf_hash(leaf) for leaf in LEAVES] == LEAF_HASHES
    assert leaf_hash(b"L123456").hex() == (
        "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    )
    assert node_hash(b"N123", b"N456").hex() == (
        "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    )


@pytest.mark.parametrize("size", range(9))
def test_the_root_of_each_size_is_the_known_one(size):
    assert root(LEAF_HASHES[:size]) == ROOTS[size]
    assert CompactRange().extend(LEAF_HASHES[:size]).root() == ROOTS[size]
    assert CompactRange.of_nodes(NODES, size).root() == ROOTS[size]


def test_the_root_of_nothing_is_the_hash_of_nothing():
    assert ROOTS[0] == EMPTY_ROOT


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_an_inclusion_proof_is_the_one_of_the_figure(index, size, proof):
    assert list(inclusion_proof(NODES, index, size)) == proof
    verify_inclusion(LEAF_HASHES[index], index, size, proof, ROOTS[size])


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCY)
def test_a_consistency_proof_is_the_one_of_the_figure(old, new, proof):
    assert list(consistency_proof(NODES, old, new)) == proof
    verify_consistency(old, ROOTS[old], new, ROOTS[new], proof)


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_an_inclusion_proof_that_is_altered_anywhere_is_refused(index, size, proof):
    leaf, top = LEAF_HASHES[index], ROOTS[size]
    altered = [
        (leaf, index, size, [*proof, ROOTS[0]], top),
        (leaf, index, size, [ROOTS[0], *proof], top),
        (leaf, index, size, [*proof[:-1], ROOTS[0]] if proof else [ROOTS[0]], top),
        (leaf, index, size, proof, ROOTS[0]),
        (ROOTS[0], index, size, proof, top),
        (leaf, -1, size, proof, top),
        (leaf, size, size, proof, top),
        (leaf, index, 0, proof, top),
        (leaf, index, size, proof, top[:31]),
        (leaf, index, size, [hash_[:31] for hash_ in proof] or [b""], top),
    ]
    if proof:
        altered += [(leaf, index, size, proof[:-1], top), (leaf, index ^ 1, size, proof, top)]
    for arguments in altered:
        with pytest.raises(InclusionError):
            verify_inclusion(*arguments)


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCY)
def test_a_consistency_proof_that_is_altered_anywhere_is_refused(old, new, proof):
    foreign = leaf_hash(b"foreign")
    altered = [
        (old, ROOTS[old], new, ROOTS[new], [*proof, foreign]),
        (old, ROOTS[old], new, ROOTS[new], [foreign, *proof]),
        (old, foreign, new, ROOTS[new], proof),
        (old, ROOTS[old][:31], new, ROOTS[new], proof),
        (new + 1, ROOTS[old], new, ROOTS[new], proof),
        (-1, ROOTS[old], new, ROOTS[new], proof),
    ]
    if old:
        altered.append((old, ROOTS[old], new, foreign, proof))
    if proof:
        altered += [
            (old, ROOTS[old], new, ROOTS[new], proof[:-1]),
            (old, ROOTS[old], new, ROOTS[new], proof[1:]),
            (old, ROOTS[old], new, ROOTS[new], [*proof[:-1], foreign]),
            (old, ROOTS[old], new, ROOTS[new], []),
        ]
    for arguments in altered:
        with pytest.raises(ConsistencyError):
            verify_consistency(*arguments)


def test_an_interior_node_cannot_be_passed_off_as_a_leaf():
    """Without the prefixes, a pair of hashes would be an entry with the pair's node for hash."""
    forged = LEAF_HASHES[0] + LEAF_HASHES[1]
    with pytest.raises(InclusionError):
        verify_inclusion(leaf_hash(forged), 0, 4, [PAIRS[1]], ROOTS[4])


FOREIGN = leaf_hash(b"foreign")


@pytest.mark.parametrize(
    ("leaf", "index", "size", "proof", "top"),
    [
        (PAIRS[0], 0, 8, [PAIRS[1], QUADS[1]], ROOTS[8]),
        (LEAF_HASHES[1], 0, 1, [LEAF_HASHES[0]], ROOTS[2]),
        (LEAF_HASHES[0][:31], 0, 2, [LEAF_HASHES[0][31:] + LEAF_HASHES[1]], ROOTS[2]),
    ],
    ids=["a node as a leaf", "a leaf of a larger tree", "hashes cut at another place"],
)
def test_a_proof_that_leads_to_the_root_by_another_way_is_refused(leaf, index, size, proof, top):
    """The hashes come out right in each: what is wrong is the shape, which the size tells."""
    with pytest.raises(InclusionError):
        verify_inclusion(leaf, index, size, proof, top)


@pytest.mark.parametrize(
    ("old", "old_root", "new", "new_root", "proof"),
    [
        (1, ROOTS[1], 8, ROOTS[2], [LEAF_HASHES[1]]),
        (
            3,
            node_hash(FOREIGN, ROOTS[3]),
            4,
            node_hash(FOREIGN, ROOTS[4]),
            [LEAF_HASHES[2], LEAF_HASHES[3], PAIRS[0], FOREIGN],
        ),
        (1, ROOTS[1][:31], 2, ROOTS[2], [ROOTS[1][31:] + LEAF_HASHES[1]]),
    ],
    ids=["a size above the tree's", "leaves put in before both", "hashes cut at another place"],
)
def test_a_proof_that_leads_to_both_roots_by_another_way_is_refused(
    old, old_root, new, new_root, proof
):
    with pytest.raises(ConsistencyError):
        verify_consistency(old, old_root, new, new_root, proof)


@pytest.mark.parametrize(("index", "size"), [(-1, 8), (8, 8), (0, 0), (0, 9)])
def test_no_inclusion_proof_is_made_for_what_is_not_stored(index, size):
    with pytest.raises(TreeError):
        inclusion_proof(NODES, index, size)


@pytest.mark.parametrize(("old", "new"), [(-1, 8), (8, 7), (3, 12)])
def test_no_consistency_proof_is_made_for_what_is_not_stored(old, new):
    with pytest.raises(TreeError):
        consistency_proof(NODES, old, new)


@pytest.mark.parametrize(("size", "frontier"), [(3, b"\0" * 32), (1, b"\0" * 31), (-1, b"")])
def test_a_frontier_of_another_size_is_refused(size, frontier):
    with pytest.raises(TreeError):
        CompactRange.from_bytes(size, frontier)
