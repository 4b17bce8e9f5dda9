"""The files of a log, as in c2sp.org/tlog-tiles: checkpoint, tiles of hashes, bundles of entries.

A tile is 256 hashes of one height: at level 0 leaf hashes, above it the roots of full tiles one
level down. The last tile of a level may be partial, and is then named by its width. Entries
are bundled in the same way, each behind its length in two bytes. A full tile and a full bundle
never change, so whoever follows a log fetches only what is new.

Nothing here reads or writes a file. Paths are relative, the same on disk and in a URL.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

from audit.errors import TileError, TreeError
from audit.merkle import HASH_BYTES, LeafHash, NodeHash, RootHash, root

CHECKPOINT: Final = "checkpoint"
HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
MAX_LEVEL: Final = 63
MAX_BUNDLED_BYTES: Final = 2**16 - 1
MAX_BUNDLE_BYTES: Final = WIDTH * (2 + MAX_BUNDLED_BYTES)
_HIGHEST: Final = 2**63
_ENTRIES: Final = "entries"
_LENGTH: Final = struct.Struct(">H")
_KEPT_TILES: Final = 64
_PATH: Final = re.compile(
    r"tile/(0|[1-9][0-9]?|entries)/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True)
class Tile:
    """The place of a tile of hashes, or of a bundle of entries.

    Args:
        level: 0 for leaf hashes, up to 63; None for a bundle of entries.
        index: its place within the level, from 0.
        width: how many hashes or entries it has, 1 to 256; below 256 it is partial.
    """

    level: int | None
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        if not 0 <= (self.level or 0) <= MAX_LEVEL or not 1 <= self.width <= WIDTH:
            raise TileError(f"a tile has a level from 0 to {MAX_LEVEL} and 1 to {WIDTH} hashes")
        if not 0 <= self.index < _HIGHEST:
            raise TileError("the index of a tile is below 2**63")

    @property
    def path(self) -> str:
        """Where it lies, below the log's prefix."""
        groups = [f"{self.index % 1000:03d}"]
        rest = self.index // 1000
        while rest:
            groups.insert(0, f"x{rest % 1000:03d}")
            rest //= 1000
        level = _ENTRIES if self.level is None else self.level
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(groups)}{partial}"

    @classmethod
    def parse(cls, path: str) -> Self:
        """Read a path, in its one spelling.

        Raises:
            TileError: it names no tile.
        """
        match = _PATH.fullmatch(path)
        if match is None:
            raise TileError(
                "a tile's path is tile/LEVEL/INDEX or tile/entries/INDEX, with .p/WIDTH"
            )
        level = None if match[1] == _ENTRIES else int(match[1])
        index = int(match[2].replace("x", "").replace("/", ""))
        tile = cls(level, index, int(match[3]) if match[3] else WIDTH)
        if tile.path != path:
            raise TileError("the path of a tile has another spelling")
        return tile

    @property
    def start(self) -> int:
        """The first hash or entry of it, counted within its level."""
        return self.index * WIDTH

    def within(self, size: int) -> bool:
        """Tell whether a tree of `size` leaves has all of it."""
        return self.start + self.width <= size >> HEIGHT * (self.level or 0)


def tiles_of(size: int) -> Iterator[Tile]:
    """Yield the tiles of hashes of a tree of `size` leaves, level by level, partial ones last."""
    for level in range(MAX_LEVEL + 1):
        hashes = size >> HEIGHT * level
        if not hashes:
            return
        yield from _row(level, hashes)


def bundles_of(size: int) -> Iterator[Tile]:
    """Yield the bundles of a log of `size` entries in their order."""
    yield from _row(None, size)


def _row(level: int | None, count: int) -> Iterator[Tile]:
    for index in range(count // WIDTH):
        yield Tile(level, index)
    if count % WIDTH:
        yield Tile(level, count // WIDTH, count % WIDTH)


def split_hashes(data: bytes, tile: Tile) -> list[NodeHash]:
    """Read the hashes of a tile.

    Raises:
        TileError: it has not exactly as many as its width.
    """
    if len(data) != tile.width * HASH_BYTES:
        raise TileError(
            f"{tile.path} has {len(data)} bytes and not {tile.width} hashes of {HASH_BYTES}"
        )
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def bundle(entries: Iterable[bytes]) -> bytes:
    """Return the bundle of entries.

    Raises:
        TileError: an entry is longer than a bundle can say.
    """
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_BUNDLED_BYTES:
            raise TileError(f"a bundled entry has at most {MAX_BUNDLED_BYTES} bytes")
        parts += (_LENGTH.pack(len(entry)), entry)
    return b"".join(parts)


def split_bundle(data: bytes, tile: Tile) -> list[bytes]:
    """Read the entries of a bundle.

    Raises:
        TileError: it has not exactly as many as its width.
    """
    entries: list[bytes] = []
    at, end = 0, len(data)
    while at + _LENGTH.size <= end and len(entries) < tile.width:
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        entries.append(data[at : at + length])
        at += length
    if at != end or len(entries) != tile.width:
        raise TileError(f"{tile.path} has not exactly {tile.width} whole entries")
    return entries


class TileNodes:
    """`audit.merkle.Nodes` of a tree of which the tiles are stored: a proof reads a few of them.

    Args:
        size: leaves of the tree.
        read: the hashes of a tile of that tree.
    """

    def __init__(self, size: int, read: Callable[[Tile], Sequence[NodeHash]]) -> None:
        self._size = size
        self._read = lru_cache(maxsize=_KEPT_TILES)(read)

    def node(self, level: int, index: int) -> NodeHash:
        """Return the hash at `(level, index)`.

        Raises:
            TreeError: the tree has not all the leaves below this node.
        """
        if (index + 1) << level > self._size:
            raise TreeError(
                f"the node {index} of level {level} was asked for; "
                f"a proof cannot go beyond the stored tree of {self._size} leaves"
            )
        row, height = divmod(level, HEIGHT)
        first = index << height
        at = first // WIDTH
        width = min(WIDTH, (self._size >> HEIGHT * row) - at * WIDTH)
        hashes = self._read(Tile(row, at, width))
        return root(hashes[first % WIDTH : first % WIDTH + (1 << height)])


class TileChecker:
    """Holds the upper tiles of a log against the leaf hashes that stand below them.

    Leaf hashes are taken in tile by tile, as a verifier reads them, and then the upper tiles are
    compared with what follows from them.
    """

    def __init__(self) -> None:
        self._roots: list[RootHash] = []

    def take(self, tile: Tile, leaves: Sequence[LeafHash]) -> None:
        """Take in the next tile of level 0."""
        if tile.width == WIDTH:
            self._roots.append(root(leaves))

    def require(self, size: int, read: Callable[[Tile], Sequence[NodeHash]]) -> int:
        """Compare every tile above level 0 of a tree of `size` leaves; return how many there are.

        Raises:
            TileError: the first one that does not follow from the leaves; it is named.
        """
        expected, level, compared = self._roots, 0, 0
        for tile in tiles_of(size):
            if tile.level is None or tile.level == 0:
                continue
            if tile.level != level:
                if level:
                    expected = _roots_of(expected)
                level = tile.level
            if list(read(tile)) != expected[tile.start : tile.start + tile.width]:
                raise TileError(
                    f"{tile.path} does not follow from the leaf hashes below it: it was changed or "
                    "is another tile"
                )
            compared += 1
        return compared


def _roots_of(hashes: Sequence[NodeHash]) -> list[RootHash]:
    whole = len(hashes) // WIDTH * WIDTH
    return [root(hashes[at : at + WIDTH]) for at in range(0, whole, WIDTH)]
