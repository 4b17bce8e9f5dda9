"""Until when sessions and results are kept, and which dataset a request or an entry is of."""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
import yaml
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_AT_ONCE = 1000
_DAY = 86_400
_ENDLESS = 1 << 62
_ENDS = {
    ("sessions", "ends_at"): "sessions_by_end",
    ("sessions", "holders_end_at"): "sessions_by_end_of_holders",
    ("results", "ends_at"): "results_by_end",
}
_OF_SOME = (
    ("results", "results_with_a_list", ["expires_at", "request"], "list_file IS NOT NULL"),
    ("results", "results_of_lists", ["made_at"], "expires_at IS NOT NULL"),
    ("lineage_events", "lineage_events_to_file", ["seq"], "filed_at IS NULL"),
    ("lineage_events", "lineage_events_to_send", ["seq"], "sent_at IS NULL"),
)
_OF_REQUESTS = {
    "requests_by_dataset": ["dataset", "number"],
    "requests_by_kind_and_number": ["kind", "number"],
    "requests_by_kind_and_time": ["kind", "asked_at"],
}


def upgrade() -> None:
    for table, name in _ENDS:
        op.add_column(table, sa.Column(name, sa.BigInteger(), nullable=True))
    for name, kind in (
        ("dataset", sa.String(length=100)),
        ("roles", sa.Text()),
        ("asked_at", sa.BigInteger()),
    ):
        empty = "0" if name == "asked_at" else ""
        op.add_column(
            "requests", sa.Column(name, kind, nullable=False, server_default=sa.text(f"'{empty}'"))
        )
    op.add_column("log_index", sa.Column("dataset", sa.Integer(), nullable=True))
    connection = op.get_bind()
    _fill_requests(connection)
    _fill_ends(connection)
    _fill_log_index(connection)
    for (table, column), name in _ENDS.items():
        op.create_index(name, table, [column, "request"])
    for table, name, columns, where in _OF_SOME:
        only = sa.text(where)
        op.create_index(name, table, columns, sqlite_where=only, postgresql_where=only)
    for name, columns in _OF_REQUESTS.items():
        op.create_index(name, "requests", columns)
    op.create_index("list_generations_by_replaced", "list_generations", ["replaces"])
    op.create_index("log_index_by_dataset", "log_index", ["dataset", "seq", "kind"])


def _rows(connection: sa.Connection, query: str, at: str | int = "") -> Iterator[sa.Row[Any]]:
    """Yield the rows of a query that takes those after a key, and has that key as `at`."""
    text = sa.text(f"{query} LIMIT {_AT_ONCE}")
    while found := connection.execute(text, {"at": at}).all():
        yield from found
        at = found[-1].at


def _fill_requests(connection: sa.Connection) -> None:
    """Fill in what stands in each request; whose party it is stands in each entry of the log."""
    first = connection.execute(sa.text("SELECT data FROM log_entries WHERE seq = 0")).scalar()
    me = "" if first is None else json.loads(first)["party"]
    set_ = sa.text(
        "UPDATE requests SET dataset = :dataset, roles = :roles, asked_at = :asked WHERE id = :id"
    )
    for row in _rows(connection, "SELECT body, id AS at FROM requests WHERE id > :at ORDER BY id"):
        body = json.loads(row.body)
        values = {
            "dataset": body["datasets"].get(me, ""),
            "roles": json.dumps(body["roles"], sort_keys=True, separators=(",", ":")),
            "asked": body["created"],
        }
        connection.execute(set_, {**values, "id": row.at})


def _fill_ends(connection: sa.Connection) -> None:
    """Fill in the ends as the contracts state them."""
    contracts = {
        row.hash: yaml.safe_load(row.text)
        for row in connection.execute(sa.text("SELECT hash, text FROM contracts"))
    }
    set_ = sa.text(
        "UPDATE sessions SET ends_at = :ends, holders_end_at = :holders WHERE request = :id"
    )
    for row in _rows(
        connection,
        "SELECT r.contract, r.kind, r.body, s.ended_at, s.request AS at FROM sessions s"
        " JOIN requests r ON r.id = s.request"
        " WHERE length(s.sealed_seed) > 0 AND s.request > :at ORDER BY s.request",
    ):
        terms, request = contracts[row.contract], json.loads(row.body)
        list_end = request["created"] + terms["list_expiry_days"] * _DAY
        ends = row.ended_at
        if ends is not None:
            ends += (terms.get("replay_days") or terms["retention_days"]) * _DAY
            if request["parameters"].get("suppression_runs"):
                ends = max(ends, list_end)
        holders = list_end if row.kind == "match" else None
        connection.execute(set_, {"ends": ends, "holders": holders, "id": row.at})
    set_ = sa.text("UPDATE results SET ends_at = :ends WHERE request = :id")
    for row in _rows(
        connection,
        "SELECT r.contract, s.made_at, s.expires_at, s.request AS at FROM results s"
        " JOIN requests r ON r.id = s.request WHERE length(s.body) > 0 AND s.request > :at"
        " ORDER BY s.request",
    ):
        days = contracts[row.contract].get("result_days")
        ends = _ENDLESS if days is None else max(row.made_at + days * _DAY, row.expires_at or 0)
        connection.execute(set_, {"ends": ends, "id": row.at})


def _fill_log_index(connection: sa.Connection) -> None:
    numbers: dict[str, int] = {}
    set_ = sa.text("UPDATE log_index SET dataset = :number WHERE seq = :seq")
    for row in _rows(
        connection,
        "SELECT e.data, e.seq AS at FROM log_entries e JOIN log_index i ON i.seq = e.seq"
        " WHERE i.kind IN (SELECT id FROM log_words WHERE field = 'kind' AND word IN ("
        "'dataset.registered', 'dataset.erased', 'consent.snapshot', 'lookalike.made',"
        " 'bound.chosen'))"
        " AND e.seq > :at ORDER BY e.seq",
        -1,
    ):
        entry = json.loads(row.data)
        name = entry["body"].get("dataset") or entry["body"]["name"]
        if name not in numbers:
            numbers[name] = connection.execute(
                sa.text(
                    "INSERT INTO log_words (field, word) VALUES ('dataset', :word) RETURNING id"
                ),
                {"word": name},
            ).scalar_one()
        connection.execute(set_, {"number": numbers[name], "seq": row.at})


def downgrade() -> None:
    op.drop_index("log_index_by_dataset", "log_index")
    op.drop_index("list_generations_by_replaced", "list_generations")
    for name in _OF_REQUESTS:
        op.drop_index(name, "requests")
    for table, name, _, _ in _OF_SOME:
        op.drop_index(name, table)
    for (table, _), name in _ENDS.items():
        op.drop_index(name, table)
    op.drop_column("log_index", "dataset")
    op.execute("DELETE FROM log_words WHERE field = 'dataset'")
    for name in ("asked_at", "roles", "dataset"):
        op.drop_column("requests", name)
    for table, name in _ENDS:
        op.drop_column(table, name)
