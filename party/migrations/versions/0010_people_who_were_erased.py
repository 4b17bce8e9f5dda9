"""People who were erased, and the log entries that are about one person."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erased",
        sa.Column("population", sa.String(length=100), nullable=False),
        sa.Column("token", sa.LargeBinary(length=16), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("population", "token"),
    )
    op.create_table(
        "subject_entries",
        sa.Column("subject", sa.LargeBinary(length=16), nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("subject", "commitment"),
    )


def downgrade() -> None:
    op.drop_table("subject_entries")
    op.drop_table("erased")
