"""Which entries of the log speak of what: the words they have, numbered, and an index of them."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_AT_ONCE = 1000
_FIELDS = ("kind", "actor", "request", "contract", "peer")


def upgrade() -> None:
    words = op.create_table(
        "log_words",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=10), nullable=False),
        sa.Column("word", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("field", "word", name="log_words_once"),
    )
    index = op.create_table(
        "log_index",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Integer(), nullable=False),
        sa.Column("request", sa.Integer(), nullable=True),
        sa.Column("contract", sa.Integer(), nullable=True),
        sa.Column("peer", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
    )
    numbers: dict[tuple[str, str], int] = {}
    connection, start = op.get_bind(), 0
    while found := _entries(connection, start):
        new: list[dict[str, int | str]] = []
        rows = [{"seq": seq, **_numbered(json.loads(data), numbers, new)} for seq, data in found]
        if new:
            connection.execute(sa.insert(words), new)
        connection.execute(sa.insert(index), rows)
        start = found[-1][0] + 1
    if connection.dialect.name == "postgresql":
        named = sa.text("SELECT setval(pg_get_serial_sequence('log_words', 'id'), :next, false)")
        connection.execute(named, {"next": len(numbers) + 1})
    op.create_index("log_index_by_kind", "log_index", ["kind", "seq", "actor", "contract"])
    for field in _FIELDS[1:]:
        op.create_index(f"log_index_by_{field}", "log_index", [field, "seq"])


def _entries(connection: sa.Connection, start: int) -> list[tuple[int, bytes]]:
    query = sa.text(
        "SELECT seq, data FROM log_entries WHERE seq >= :start ORDER BY seq LIMIT :most"
    )
    rows = connection.execute(query, {"start": start, "most": _AT_ONCE})
    return [(row.seq, row.data) for row in rows]


def _numbered(
    entry: dict[str, Any], numbers: dict[tuple[str, str], int], new: list[dict[str, int | str]]
) -> dict[str, int | None]:
    """Return the number of each word of an entry; a new word gets the next."""
    body = entry["body"]
    words = {**entry, "request": body.get("request"), "peer": body.get("peer")}
    found: dict[str, int | None] = {}
    for field in _FIELDS:
        word = words.get(field)
        if word is not None and (field, word) not in numbers:
            numbers[field, word] = len(numbers) + 1
            new.append({"id": len(numbers), "field": field, "word": word})
        found[field] = None if word is None else numbers[field, word]
    return found


def downgrade() -> None:
    op.drop_table("log_index")
    op.drop_table("log_words")
