"""c2sp.org/tlog-tiles: paths, which tiles a tree has, proofs from tiles, and bundles."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audit.errors import TileError, TreeError
from audit.merkle import (
    CompactRange,
    StoredLeaves,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
)
from audit.tiles import (
    MAX_BUNDLED_BYTES,
    Tile,
    TileChecker,
    TileNodes,
    bundle,
    bundles_of,
    split_bundle,
    split_hashes,
    tiles_of,
)

LARGEST = 66_000
LEAVES = [leaf_hash(number.to_bytes(4, "big")) for number in range(LARGEST)]
PLAIN = StoredLeaves(lambda start, stop: LEAVES[start:stop])
LEVELS = [LEAVES]
while len(LEVELS[-1]) >= 256:
    below = LEVELS[-1]
    LEVELS.append([root(below[at : at + 256]) for at in range(0, len(below) // 256 * 256, 256)])


def read(tile):
    return LEVELS[tile.level][tile.start : tile.start + tile.width]


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts():
    widths = {}
    for tile in tiles_of(70_000):
        widths.setdefault(tile.level, []).append(tile.width)
    assert widths == {0: [256] * 273 + [112], 1: [256, 17], 2: [1]}


def test_a_tree_of_256_has_a_full_tile_and_a_partial_one_above_it():
    assert [tile.path for tile in tiles_of(256)] == ["tile/0/000", "tile/1/000.p/1"]


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(63, 0, 1), "tile/63/000.p/1"),
        (Tile(None, 999, 255), "tile/entries/999.p/255"),
        (Tile(None, 1000), "tile/entries/x001/000"),
    ],
)
def test_paths_are_those_of_the_specification(tile, path):
    assert tile.path == path
    assert Tile.parse(path) == tile


@given(
    st.builds(Tile, st.none() | st.integers(0, 63), st.integers(0, 2**63 - 1), st.integers(1, 256))
)
def test_a_path_is_read_back(tile):
    assert Tile.parse(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/64/000",
        "tile/00/000",
        "tile/0/0",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/-1/000",
        "tile/0/000/",
        "tile/0/../000",
        "tile/entries/x000/000",
        "/tile/0/000",
        "tile/0/" + "x999/" * 6 + "999",
        "tile/0/٠٠٠",
    ],
)
def test_other_spellings_of_a_path_are_refused(path):
    with pytest.raises(TileError):
        Tile.parse(path)


@settings(max_examples=40)
@given(st.integers(1, LARGEST), st.data())
@example(256, None)
@example(65_536, None)
@example(65_537, None)
def test_proofs_from_tiles_are_the_proofs_from_leaves(size, data):
    index = size - 1 if data is None else data.draw(st.integers(0, size - 1))
    nodes = TileNodes(size, read)
    assert inclusion_proof(nodes, index, size) == inclusion_proof(PLAIN, index, size)
    old = index + 1
    assert consistency_proof(nodes, old, size) == consistency_proof(PLAIN, old, size)


def test_a_proof_in_a_tree_of_66000_reads_few_tiles():
    asked = []
    nodes = TileNodes(LARGEST, lambda tile: asked.append(tile) or read(tile))
    inclusion_proof(nodes, 30_000, LARGEST)
    assert len(asked) <= 6


def test_no_node_is_given_beyond_the_tree():
    with pytest.raises(TreeError, match="beyond the stored tree"):
        TileNodes(300, read).node(0, 300)


@settings(max_examples=20)
@given(st.integers(0, LARGEST))
@example(65_536)
def test_the_checker_accepts_the_tiles_of_a_tree(size):
    checker = checked(size)
    assert checker.require(size, read) == sum(1 for tile in tiles_of(size) if tile.level)


def checked(size):
    checker = TileChecker()
    for tile in tiles_of(size):
        if not tile.level:
            checker.take(tile, read(tile))
    return checker


@pytest.mark.parametrize("wrong", [tile for tile in tiles_of(LARGEST) if tile.level])
def test_the_checker_names_an_upper_tile_that_is_another(wrong):
    def swapped(tile):
        return [*read(tile)[:-1], leaf_hash(b"another")] if tile == wrong else read(tile)

    with pytest.raises(TileError, match=wrong.path):
        checked(LARGEST).require(LARGEST, swapped)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_a_bundle_is_split_into_its_entries(entries):
    tile = Tile(None, 0, len(entries))
    data = bundle(entries)
    assert split_bundle(data, tile) == entries
    for other in (data[:-1], data + b"\0"):
        with pytest.raises(TileError):
            split_bundle(other, tile)
    if len(entries) < 256:
        with pytest.raises(TileError):
            split_bundle(data, Tile(None, 0, len(entries) + 1))


def test_a_bundle_holds_the_longest_entry_and_none_that_is_longer():
    longest = bytes(MAX_BUNDLED_BYTES)
    assert split_bundle(bundle([longest]), Tile(None, 0, 1)) == [longest]
    with pytest.raises(TileError, match="at most"):
        bundle([longest + b"\0"])


def test_a_tile_of_another_width_is_refused():
    data = b"".join(LEAVES[:3])
    assert split_hashes(data, Tile(0, 0, 3)) == LEAVES[:3]
    for other in (data[:-1], data[:-32], data + bytes(32)):
        with pytest.raises(TileError, match="not 3 hashes"):
            split_hashes(other, Tile(0, 0, 3))


def test_bundles_stand_as_tiles_of_leaves_do():
    assert [tile.path for tile in bundles_of(257)] == [
        "tile/entries/000",
        "tile/entries/001.p/1",
    ]
    assert list(bundles_of(0)) == list(tiles_of(0)) == []


def test_the_stored_nodes_are_those_that_grow_completes():
    """`party.log_tree.tile_rows`: node `(8 L, n)` becomes hash n of the tiles of level L."""
    from party.log_tree import tile_rows

    tree, rows = CompactRange(), {}
    for leaf in LEAVES:
        size = tree.size
        tree, closed = tree.grow(leaf)
        rows |= {(row["level"], row["position"]): row["hash"] for row in tile_rows(size, closed)}
    assert rows == {
        (level, at): node
        for level, hashes in enumerate(LEVELS)
        if level
        for at, node in enumerate(hashes)
    }
