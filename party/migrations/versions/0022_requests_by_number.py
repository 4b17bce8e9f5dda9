"""Requests by the order in which they were filed, and those that the console carries."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("requests_by_number", "requests", ["number"])
    op.create_index("requests_by_state_and_number", "requests", ["state", "number"])
    op.create_table(
        "console_runs",
        sa.Column("request", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["request"], ["requests.id"]),
        sa.PrimaryKeyConstraint("request"),
    )


def downgrade() -> None:
    op.drop_table("console_runs")
    op.drop_index("requests_by_state_and_number", "requests")
    op.drop_index("requests_by_number", "requests")
