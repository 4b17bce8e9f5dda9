"""Invitations can be withdrawn."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("invitations", sa.Column("withdrawn_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("invitations", "withdrawn_at")
