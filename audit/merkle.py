"""The tree of the log: RFC 6962 §2.1 over SHA-256, with the verifiers of RFC 9162 §2.1.

A log grows through a `CompactRange`, the O(log n) hashes of its complete subtrees. Proofs are
made from `Nodes`, the stored hashes; nothing here stores or reads anything itself. Positions:
a node `(level, index)` is the root of the complete subtree of `2**level` leaves that starts at
leaf `index << level`; level 0 is the leaf hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol, TypeAlias

from audit.errors import ConsistencyError, InclusionError, TreeError

LeafHash: TypeAlias = bytes
NodeHash: TypeAlias = bytes
RootHash: TypeAlias = bytes

HASH_BYTES: Final = 32
MAX_SIZE: Final = 2**63 - 1
EMPTY_ROOT: Final[RootHash] = sha256(b"").digest()


class Nodes(Protocol):
    """The stored hashes of a tree's complete subtrees."""

    def node(self, level: int, index: int) -> NodeHash:
        """Return the hash at `(level, index)`, 32 bytes."""
        ...


class StoredLeaves:
    """`Nodes` of a tree of which only the leaf hashes are stored.

    A node is hashed again from its leaves, which are read as one range: a proof costs one pass
    over the leaves and O(log n) reads.

    Args:
        read: the leaf hashes from index `start` up to, not including, `stop`.
    """

    def __init__(self, read: Callable[[int, int], Sequence[LeafHash]]) -> None:
        self._read = read

    def node(self, level: int, index: int) -> NodeHash:
        """Return the hash at `(level, index)`.

        Raises:
            TreeError: the store has not all the leaves below this node.
        """
        start, stop = index << level, (index + 1) << level
        leaves = self._read(start, stop)
        if len(leaves) != stop - start:
            raise TreeError(
                f"leaves {start} to {stop - 1} were asked for and {len(leaves)} came; "
                "a proof cannot go beyond the stored tree"
            )
        return root(leaves)


def leaf_hash(entry: bytes) -> LeafHash:
    """Hash an entry as a leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: NodeHash, right: NodeHash) -> NodeHash:
    """Hash two subtrees into the one above them."""
    return sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[LeafHash]) -> RootHash:
    """Hash a whole tree, level by level; a last node without a sibling moves up as it is."""
    level = list(leaves)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        above = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


@dataclass(frozen=True, slots=True)
class CompactRange:
    """All that is needed to grow a tree: the roots of its complete subtrees, largest first.

    There is one for each set bit of `size`.
    """

    size: int = 0
    hashes: tuple[NodeHash, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE:
            raise TreeError("a tree has 0 to 2**63-1 leaves")
        if len(self.hashes) != self.size.bit_count():
            raise TreeError(
                f"a tree of {self.size} leaves has {self.size.bit_count()} complete subtrees, "
                f"{len(self.hashes)} were given; rebuild the frontier from the stored leaves"
            )

    @classmethod
    def of_nodes(cls, nodes: Nodes, size: int) -> CompactRange:
        """Rebuild the frontier of a stored tree of `size` leaves."""
        return cls(size, tuple(nodes.node(level, index) for level, index in _peaks(0, size)))

    @classmethod
    def from_bytes(cls, size: int, frontier: bytes) -> CompactRange:
        """Read what `frontier` wrote.

        Raises:
            TreeError: the bytes are not the frontier of a tree of this size.
        """
        if len(frontier) % HASH_BYTES:
            raise TreeError("a frontier is whole hashes of 32 bytes; rebuild it from the leaves")
        step = HASH_BYTES
        return cls(size, tuple(frontier[i : i + step] for i in range(0, len(frontier), step)))

    def frontier(self) -> bytes:
        """Return the hashes as bytes, to be stored beside the size."""
        return b"".join(self.hashes)

    def grow(self, leaf: LeafHash) -> tuple[CompactRange, tuple[NodeHash, ...]]:
        """Append a leaf hash; return the new range and the nodes that the leaf completed.

        Node `i` of them stands at level `i`, index `size >> i` (`size` before growing): a
        store that keeps them answers `Nodes` in O(1).
        """
        closed = [leaf]
        kept = len(self.hashes)
        size = self.size
        while size & 1:
            kept -= 1
            closed.append(sha256(b"\x01" + self.hashes[kept] + closed[-1]).digest())
            size >>= 1
        return CompactRange(self.size + 1, (*self.hashes[:kept], closed[-1])), tuple(closed)

    def append(self, leaf: LeafHash) -> CompactRange:
        """Append a leaf hash."""
        return self.grow(leaf)[0]

    def extend(self, leaves: Iterable[LeafHash]) -> CompactRange:
        """Append many leaf hashes, without an object for each."""
        size, stack = self.size, list(self.hashes)
        for leaf in leaves:
            top, bits = leaf, size
            while bits & 1:
                top = sha256(b"\x01" + stack.pop() + top).digest()
                bits >>= 1
            stack.append(top)
            size += 1
        return CompactRange(size, tuple(stack))

    def root(self) -> RootHash:
        """Return the root of the tree."""
        return _fold(self.hashes) if self.hashes else EMPTY_ROOT


def inclusion_proof(nodes: Nodes, index: int, size: int) -> tuple[NodeHash, ...]:
    """Prove that leaf `index` is in the tree of `size` leaves: siblings from the leaf up.

    Raises:
        TreeError: the tree has no such leaf.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise TreeError(f"a tree of {size} leaves has no leaf {index}")
    return tuple(_siblings(nodes, 0, index, size))


def consistency_proof(nodes: Nodes, old_size: int, new_size: int) -> tuple[NodeHash, ...]:
    """Prove that the tree of `new_size` leaves extends that of `old_size`.

    Empty when the sizes are the same or the old tree is.

    Raises:
        TreeError: the old size is above the new one.
    """
    if not 0 <= old_size <= new_size <= MAX_SIZE:
        raise TreeError(f"a tree of {new_size} leaves does not extend one of {old_size}")
    if old_size in (0, new_size):
        return ()
    level = _trailing_zeros(old_size)
    index = (old_size >> level) - 1
    start = () if index == 0 else (nodes.node(level, index),)
    return (*start, *_siblings(nodes, level, index, new_size))


@dataclass(frozen=True)
class PathStep:
    """One step from a leaf up to the root: a sibling to the left or right, and what both make."""

    sibling: NodeHash
    is_left: bool
    node: NodeHash


def inclusion_path(
    leaf: LeafHash, index: int, size: int, proof: Sequence[NodeHash]
) -> tuple[PathStep, ...]:
    """Return the way from leaf `index` to the root of a tree of `size` leaves (RFC 9162 2.1.3.2).

    The last node is the root that the proof leads to; of a tree of one leaf the leaf is.

    Raises:
        InclusionError: there is no such leaf, or the proof is not exactly as long as it must be.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise InclusionError(f"a tree of {size} leaves has no leaf {index}")
    if any(len(item) != HASH_BYTES for item in (leaf, *proof)):
        raise InclusionError("a leaf, a root and each hash of a proof are 32 bytes")
    computed, position, last = leaf, index, size - 1
    path = []
    for sibling in proof:
        if last == 0:
            raise InclusionError(_wrong_length("an inclusion proof", size, "long"))
        is_left = bool(position & 1) or position == last
        if is_left:
            computed = node_hash(sibling, computed)
            position, last = _skip_levels(position, last)
        else:
            computed = node_hash(computed, sibling)
        path.append(PathStep(sibling, is_left, computed))
        position, last = position >> 1, last >> 1
    if last != 0:
        raise InclusionError(_wrong_length("an inclusion proof", size, "short"))
    return tuple(path)


def verify_inclusion(
    leaf: LeafHash, index: int, size: int, proof: Sequence[NodeHash], root: RootHash
) -> None:
    """Check that `leaf` is leaf `index` of the tree with this size and root.

    Raises:
        InclusionError: it is not, or the proof is not exactly as long as it must be.
    """
    path = inclusion_path(leaf, index, size, proof)
    if len(root) != HASH_BYTES:
        raise InclusionError("a leaf, a root and each hash of a proof are 32 bytes")
    if (path[-1].node if path else leaf) != root:
        raise InclusionError(f"leaf {index} is not in the tree of {size} leaves with this root")


def verify_consistency(
    old_size: int,
    old_root: RootHash,
    new_size: int,
    new_root: RootHash,
    proof: Sequence[NodeHash],
) -> None:
    """Check that the new tree begins with all leaves of the old one.

    Raises:
        ConsistencyError: it does not, or the proof is not exactly as long as it must be.
    """
    if not 0 <= old_size <= new_size <= MAX_SIZE:
        raise ConsistencyError(f"a tree of {new_size} leaves does not extend one of {old_size}")
    if any(len(item) != HASH_BYTES for item in (old_root, new_root, *proof)):
        raise ConsistencyError("a root and each hash of a proof are 32 bytes")
    if old_size in (0, new_size):
        _verify_trivial(old_size, old_root, new_size, new_root, proof)
        return
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not path:
        raise ConsistencyError(_wrong_length("a consistency proof", new_size, "short"))
    shift = _trailing_zeros(old_size)
    position, last = (old_size - 1) >> shift, (new_size - 1) >> shift
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ConsistencyError(_wrong_length("a consistency proof", new_size, "long"))
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            position, last = _skip_levels(position, last)
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ConsistencyError(_wrong_length("a consistency proof", new_size, "short"))
    if old != old_root or new != new_root:
        raise ConsistencyError(
            f"the tree of {new_size} leaves does not extend the one of {old_size} leaves: "
            "something before was changed, dropped or put in"
        )


def _verify_trivial(
    old_size: int,
    old_root: RootHash,
    new_size: int,
    new_root: RootHash,
    proof: Sequence[NodeHash],
) -> None:
    """Check the cases that need no proof: the same tree, or nothing before it."""
    if proof:
        raise ConsistencyError(_wrong_length("a consistency proof", new_size, "long"))
    if old_size == 0 and old_root != EMPTY_ROOT:
        raise ConsistencyError("an empty tree has the hash of nothing for its root")
    if old_size == new_size and old_root != new_root:
        raise ConsistencyError(f"two trees of {new_size} leaves have different roots")


def _siblings(nodes: Nodes, level: int, index: int, size: int) -> Iterator[NodeHash]:
    """Yield the siblings on the way from a node to the root of the tree of `size` leaves."""
    last = (size - 1) >> level
    while last > 0:
        if index ^ 1 <= last:
            yield _subtree(nodes, level, index ^ 1, size)
        level, index, last = level + 1, index >> 1, last >> 1


def _subtree(nodes: Nodes, level: int, index: int, size: int) -> NodeHash:
    """Hash the node `(level, index)` of the tree of `size` leaves, complete there or not."""
    if (index + 1) << level <= size:
        return nodes.node(level, index)
    return _fold([nodes.node(*peak) for peak in _peaks(index << level, size)])


def _peaks(start: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the complete subtrees that cover the leaves from `start` to `size`, largest first."""
    while start < size:
        level = (size - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _fold(hashes: Sequence[NodeHash]) -> NodeHash:
    """Hash complete subtrees, largest first, into one root."""
    folded = hashes[-1]
    for left in reversed(hashes[:-1]):
        folded = node_hash(left, folded)
    return folded


def _skip_levels(position: int, last: int) -> tuple[int, int]:
    """Go up the levels at which the last node has no sibling."""
    while position and not position & 1:
        position, last = position >> 1, last >> 1
    return position, last


def _trailing_zeros(number: int) -> int:
    return (number & -number).bit_length() - 1


def _wrong_length(what: str, size: int, how: str) -> str:
    return f"{what} for a tree of {size} leaves is not that {how}; ask for it again"
