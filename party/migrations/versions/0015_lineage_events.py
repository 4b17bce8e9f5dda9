"""OpenLineage events as they were made, and whether each was filed and sent."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lineage_events",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("request", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("filed_at", sa.BigInteger()),
        sa.Column("sent_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("request", "type", name="lineage_events_told_once"),
    )


def downgrade() -> None:
    op.drop_table("lineage_events")
