"""The counterparts of a request, of which there may be two, each with its word on it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_PEERS = """
INSERT INTO request_peers (request, peer, place, word)
SELECT id, peer, 0, CASE
    WHEN mine = 0 OR state = 'finished' THEN 'approved'
    WHEN state = 'refused' THEN 'refused'
    ELSE 'pending' END
FROM requests
"""
_PEER = """
UPDATE requests SET peer =
    (SELECT peer FROM request_peers WHERE request = requests.id AND place = 0)
"""


def upgrade() -> None:
    op.create_table(
        "request_peers",
        sa.Column("request", sa.String(length=32), nullable=False),
        sa.Column("peer", sa.String(length=100), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("word", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["request"], ["requests.id"]),
        sa.PrimaryKeyConstraint("request", "peer"),
    )
    op.execute(_PEERS)
    op.drop_column("requests", "peer")


def downgrade() -> None:
    op.add_column(
        "requests", sa.Column("peer", sa.String(length=100), nullable=False, server_default="")
    )
    op.execute(_PEER)
    op.drop_table("request_peers")
