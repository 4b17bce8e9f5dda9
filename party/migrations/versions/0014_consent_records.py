"""Records of consent: notices, the people behind salted commitments, and what they said."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consent_notices",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("consent_notices_by_name", "consent_notices", ["name", "stored_at"])
    op.create_table(
        "consent_subjects",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("token", sa.LargeBinary(length=32)),
        sa.Column("salt", sa.LargeBinary(length=32)),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token"),
    )
    op.create_table(
        "consent_batches",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "consent_events",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("record", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("notice", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(length=100)),
        sa.Column("recipient", sa.String(length=64)),
        sa.Column("by", sa.String(length=10), nullable=False),
        sa.Column("how", sa.String(length=40), nullable=False),
        sa.Column("supersedes", sa.String(length=32)),
        sa.Column("tc_string", sa.Text()),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["consent_batches.id"]),
        sa.ForeignKeyConstraint(["subject"], ["consent_subjects.id"]),
        sa.ForeignKeyConstraint(["notice"], ["consent_notices.digest"]),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("consent_events_by_subject", "consent_events", ["subject", "seq"])
    op.create_index("consent_events_by_batch", "consent_events", ["batch", "seq"])


def downgrade() -> None:
    op.drop_table("consent_events")
    op.drop_table("consent_batches")
    op.drop_table("consent_subjects")
    op.drop_table("consent_notices")
