"""When datasets began and were erased, and whose the openings of commitments are.

Of older openings, those to the noise of releases get their request; the others stay without.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_RELEASES = sa.table("releases", sa.column("request"), sa.column("noise"))
_SALTS = sa.table("salts", sa.column("commitment"), sa.column("request"))


def upgrade() -> None:
    op.add_column(
        "datasets", sa.Column("since", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column("datasets", sa.Column("erased_at", sa.BigInteger(), nullable=True))
    op.execute("UPDATE datasets SET since = registered_at")
    op.add_column("salts", sa.Column("request", sa.String(length=32), nullable=True))
    op.create_index("salts_by_request", "salts", ["request"])
    connection = op.get_bind()
    for row in connection.execute(sa.select(_RELEASES)).all():
        connection.execute(
            sa.update(_SALTS)
            .where(_SALTS.c.commitment == bytes.fromhex(row.noise))
            .values(request=row.request)
        )


def downgrade() -> None:
    op.drop_index("salts_by_request", "salts")
    op.drop_column("salts", "request")
    op.drop_column("datasets", "erased_at")
    op.drop_column("datasets", "since")
