"""Requests are numbered in the order in which they were filed."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.Column("number", sa.Integer(), nullable=False, server_default="0")
    op.add_column("requests", number)
    requests = sa.table("requests", sa.column("id"), sa.column("created_at"), sa.column("number"))
    connection = op.get_bind()
    filed = sa.select(requests.c.id).order_by(requests.c.created_at, requests.c.id)
    for position, row in enumerate(connection.execute(filed).all(), 1):
        connection.execute(
            sa.update(requests).where(requests.c.id == row.id).values(number=position)
        )


def downgrade() -> None:
    op.drop_column("requests", "number")
