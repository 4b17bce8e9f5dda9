"""The nodes of the log's tree that tiles have, and the keys of witnesses outside contracts."""

import sqlalchemy as sa
from alembic import op

from audit.merkle import CompactRange

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_AT_ONCE = 256


def upgrade() -> None:
    nodes = op.create_table(
        "log_nodes",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "position"),
    )
    op.create_table(
        "outside_witnesses",
        sa.Column("vkey", sa.String(length=300), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("vkey"),
    )
    connection, tree = op.get_bind(), CompactRange()
    while leaves := _leaves(connection, tree.size):
        rows = []
        for leaf in leaves:
            size = tree.size
            tree, closed = tree.grow(leaf)
            rows += [
                {"level": level, "position": size >> 8 * level, "hash": node}
                for level, node in enumerate(closed[8::8], 1)
            ]
        if rows:
            connection.execute(sa.insert(nodes), rows)


def _leaves(connection: sa.Connection, start: int) -> list[bytes]:
    query = sa.text("SELECT leaf FROM log_entries WHERE seq >= :start ORDER BY seq LIMIT :most")
    return list(connection.execute(query, {"start": start, "most": _AT_ONCE}).scalars())


def downgrade() -> None:
    op.drop_table("outside_witnesses")
    op.drop_table("log_nodes")
