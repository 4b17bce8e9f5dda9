"""Invitations and pinned peers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invitations",
        sa.Column("fingerprint", sa.String(length=71), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("for_name", sa.String(length=100), nullable=True),
        sa.Column("replaces", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("used_by", sa.Text(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("fingerprint"),
    )
    op.create_table(
        "peers",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("pinned_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    op.drop_table("peers")
    op.drop_table("invitations")
