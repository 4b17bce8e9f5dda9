"""The hashes of the log's tree as they lie in the store, so that a proof reads a few hundred rows.

Leaf hashes stand beside their entries. Of the nodes above them those are stored that a tile has
(`audit.tiles`): the roots of 256 leaves, of 65,536, and so on. What lies between is hashed again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.merkle import NodeHash
from audit.tiles import HEIGHT, Tile, TileNodes
from party.schema import LOG_ENTRIES, LOG_NODES


def tile_rows(size: int, closed: Sequence[NodeHash]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the nodes that the leaf after `size` leaves completed (`grow`)."""
    for level, node in enumerate(closed[HEIGHT::HEIGHT], 1):
        yield {"level": level, "position": size >> HEIGHT * level, "hash": node}


def read_tile(connection: Connection, tile: Tile) -> list[NodeHash]:
    """Return the hashes of a tile, as many of them as the store has."""
    start, stop = tile.start, tile.start + tile.width
    if not tile.level:
        query = (
            sa.select(LOG_ENTRIES.c.leaf)
            .where(LOG_ENTRIES.c.seq >= start, LOG_ENTRIES.c.seq < stop)
            .order_by(LOG_ENTRIES.c.seq)
        )
    else:
        at = LOG_NODES.c.position
        query = (
            sa.select(LOG_NODES.c.hash)
            .where(LOG_NODES.c.level == tile.level, at >= start, at < stop)
            .order_by(at)
        )
    return list(connection.execute(query).scalars())


def nodes_within(connection: Connection, size: int) -> TileNodes:
    """Return the nodes of the stored tree of `size` leaves, for proofs in this transaction."""
    return TileNodes(size, partial(read_tile, connection))
