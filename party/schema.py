"""The tables of a party's store, in the order in which a session fills them; then its peers.

Then come the reports that are asked for again and again, and last the records of consent.

Exact figures of a party stay here (and its private results with them); what goes to the log
or to a counterpart is made elsewhere. `party/migrations` builds the same tables step by step,
and a test compares the two.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

METADATA: Final = MetaData()
ENDLESS: Final = 1 << 62
REVISION: Final = "0023"
"""The last of `party/migrations`, after which a store has these tables."""


def _index_where(name: str, where: str, *columns: str) -> Index:
    """Return an index of those rows alone that meet a condition."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


LOG_ENTRIES: Final = Table(
    "log_entries",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
    Column("leaf", LargeBinary(32), nullable=False),
)

LOG_NODES: Final = Table(
    "log_nodes",
    METADATA,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
)

LOG_WORDS: Final = Table(
    "log_words",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("field", String(10), nullable=False),
    Column("word", String(300), nullable=False),
    UniqueConstraint("field", "word", name="log_words_once"),
)
"""Each kind, actor, request, contract, counterpart and dataset that an entry has named, once."""

LOG_INDEX: Final = Table(
    "log_index",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", Integer, nullable=False),
    Column("actor", Integer, nullable=False),
    Column("request", Integer),
    Column("contract", Integer),
    Column("peer", Integer),
    Column("dataset", Integer),
    Index("log_index_by_kind", "kind", "seq", "actor", "contract"),
    Index("log_index_by_actor", "actor", "seq"),
    Index("log_index_by_request", "request", "seq"),
    Index("log_index_by_contract", "contract", "seq"),
    Index("log_index_by_peer", "peer", "seq"),
    Index("log_index_by_dataset", "dataset", "seq", "kind"),
)
"""Which words each entry has, by their ids: to find entries without reading the log."""

LOG_HEAD: Final = Table(
    "log_head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", Integer, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("checkpoint", Text, nullable=False),
)

COSIGNATURES: Final = Table(
    "cosignatures",
    METADATA,
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("cosigner", String(200), primary_key=True),
    Column("checkpoint", Text, nullable=False),
    Column("line", Text, nullable=False),
)

OUTSIDE_WITNESSES: Final = Table(
    "outside_witnesses",
    METADATA,
    Column("vkey", String(300), primary_key=True),
    Column("since", BigInteger, nullable=False),
)

WITNESSED: Final = Table(
    "witnessed",
    METADATA,
    Column("origin", String(200), primary_key=True),
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("checkpoint", Text, nullable=False),
    Column("line", Text, nullable=False),
)

SALTS: Final = Table(
    "salts",
    METADATA,
    Column("commitment", LargeBinary(32), primary_key=True),
    Column("salt", LargeBinary(32), nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("request", String(32)),
    Index("salts_by_request", "request"),
)

ERASED: Final = Table(
    "erased",
    METADATA,
    Column("population", String(100), primary_key=True),
    Column("token", LargeBinary(16), primary_key=True),
    Column("erased_at", BigInteger, nullable=False),
)

SUBJECT_ENTRIES: Final = Table(
    "subject_entries",
    METADATA,
    Column("subject", LargeBinary(16), primary_key=True),
    Column("commitment", LargeBinary(32), primary_key=True),
)

CONTRACTS: Final = Table(
    "contracts",
    METADATA,
    Column("hash", String(64), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("text", Text, nullable=False),
    Column("stored_at", BigInteger, nullable=False),
)

DATASETS: Final = Table(
    "datasets",
    METADATA,
    Column("name", String(100), primary_key=True),
    Column("definition", Text, nullable=False),
    Column("quality", Text, nullable=False),
    Column("population", String(100), nullable=False),
    Column("snapshot", String(64), nullable=False),
    Column("registered_at", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False, server_default="0"),
    Column("erased_at", BigInteger),
)

CONSENT_SNAPSHOTS: Final = Table(
    "consent_snapshots",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("dataset", String(100), nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("taken_at", BigInteger, nullable=False),
)

REQUESTS: Final = Table(
    "requests",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("mine", Integer, nullable=False),
    Column("contract", String(64), ForeignKey("contracts.hash"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("status", String(40)),
    Column("reason", Text),
    Column("decided_by", String(100)),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("number", Integer, nullable=False, server_default="0"),
    Column("dataset", String(100), nullable=False, server_default=""),
    Column("roles", Text, nullable=False, server_default=""),
    Column("asked_at", BigInteger, nullable=False, server_default="0"),
    Index("requests_by_state", "state", "created_at"),
    Index("requests_by_number", "number"),
    Index("requests_by_state_and_number", "state", "number"),
    Index("requests_by_dataset", "dataset", "number"),
    Index("requests_by_kind_and_number", "kind", "number"),
    Index("requests_by_kind_and_time", "kind", "asked_at"),
)
"""`dataset` is this party's own; `roles` (JSON) and `asked_at` are what the request itself says."""

CONSOLE_RUNS: Final = Table(
    "console_runs",
    METADATA,
    Column("request", String(32), ForeignKey("requests.id"), primary_key=True),
    Column("account", String(40), nullable=False),
    Column("began_at", BigInteger, nullable=False),
)
"""Requests that the console carries, for the account that began them."""

REQUEST_PEERS: Final = Table(
    "request_peers",
    METADATA,
    Column("request", String(32), ForeignKey("requests.id"), primary_key=True),
    Column("peer", String(100), primary_key=True),
    Column("place", Integer, nullable=False),
    Column("word", String(20), nullable=False),
)

SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("request", String(32), ForeignKey("requests.id"), primary_key=True),
    Column("sealed_seed", LargeBinary, nullable=False),
    Column("input_root", LargeBinary(32), nullable=False),
    Column("consent_sequence", Integer, nullable=False),
    Column("session_id", LargeBinary(32)),
    Column("transcript", LargeBinary(32)),
    Column("state", String(20), nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ends_at", BigInteger),
    Column("holders_end_at", BigInteger),
    Index("sessions_by_end", "ends_at", "request"),
    Index("sessions_by_end_of_holders", "holders_end_at", "request"),
)
"""`ends_at` says until when what a session left is kept; None while it goes on, and once deleted.

`holders_end_at` says so of what tells whose the points of its list are.
"""

STEPS: Final = Table(
    "steps",
    METADATA,
    Column("request", String(32), ForeignKey("sessions.request"), primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary(32), nullable=False),
)

LEDGER: Final = Table(
    "ledger",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("request", String(32), nullable=False),
    Column("what", String(20), nullable=False),
    Column("population", String(100), nullable=False),
    Column("coalition", String(300), nullable=False),
    Column("window_start", BigInteger, nullable=False),
    Column("epsilon_nano", BigInteger, nullable=False),
    Column("rho_nano", BigInteger, nullable=False),
    Column("delta_e15", BigInteger, nullable=False),
    Column("spent_at", BigInteger, nullable=False),
    UniqueConstraint("request", "what", name="ledger_charged_once"),
    Index("ledger_by_account", "population", "coalition", "window_start"),
)

HOLDS: Final = Table(
    "holds",
    METADATA,
    Column("request", String(32), primary_key=True),
    Column("population", String(100), nullable=False),
    Column("coalition", String(300), nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("epsilon_nano", BigInteger, nullable=False),
    Column("rho_nano", BigInteger, nullable=False),
    Column("delta_e15", BigInteger, nullable=False),
    Column("holder", String(100), nullable=False),
    Index("holds_by_population", "population", "due_at"),
)

RESTORES: Final = Table(
    "restores",
    METADATA,
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("closes", Integer, nullable=False),
)
"""`closes` is 1 where what was spent between the backup and `at` is not known."""

SUPPRESSION_RUNS: Final = Table(
    "suppression_runs",
    METADATA,
    Column("request", String(32), ForeignKey("sessions.request"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", String(20), nullable=False),
    Column("points", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("incident", Integer, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

RELEASES: Final = Table(
    "releases",
    METADATA,
    Column("request", String(32), ForeignKey("sessions.request"), primary_key=True),
    Column("artefact", Text, nullable=False),
    Column("noise", Text, nullable=False),
)

RESULTS: Final = Table(
    "results",
    METADATA,
    Column("request", String(32), ForeignKey("sessions.request"), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("body", Text, nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
    Column("list_file", Text),
    Column("expires_at", BigInteger),
    Column("made_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger),
    Index("results_by_end", "ends_at", "request"),
    _index_where("results_with_a_list", "list_file IS NOT NULL", "expires_at", "request"),
    _index_where("results_of_lists", "expires_at IS NOT NULL", "made_at"),
)
"""`ends_at` says until when a result is kept, `ENDLESS` for ever; None once it is deleted."""

MEMBERS: Final = Table(
    "members",
    METADATA,
    Column("account", String(32), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("since", BigInteger, nullable=False),
)

LINEAGE_EVENTS: Final = Table(
    "lineage_events",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("request", String(32), nullable=False),
    Column("type", String(20), nullable=False),
    Column("data", Text, nullable=False),
    Column("filed_at", BigInteger),
    Column("sent_at", BigInteger),
    UniqueConstraint("request", "type", name="lineage_events_told_once"),
    _index_where("lineage_events_to_file", "filed_at IS NULL", "seq"),
    _index_where("lineage_events_to_send", "sent_at IS NULL", "seq"),
)

INVITATIONS: Final = Table(
    "invitations",
    METADATA,
    Column("fingerprint", String(71), primary_key=True),
    Column("certificate", Text, nullable=False),
    Column("for_name", String(100)),
    Column("replaces", Integer, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("used_by", Text),
    Column("used_at", BigInteger),
    Column("withdrawn_at", BigInteger),
    Column("datasets", Text),
)

PEERS: Final = Table(
    "peers",
    METADATA,
    Column("name", String(100), primary_key=True),
    Column("card", Text, nullable=False),
    Column("pinned_at", BigInteger, nullable=False),
)

KEY_STATEMENTS: Final = Table(
    "key_statements",
    METADATA,
    Column("party", String(300), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("known_at", BigInteger, nullable=False),
)
"""How counterparts, by their log's key, replaced keys; this party's own lie beside its keys."""

KEYS_TOLD: Final = Table(
    "keys_told",
    METADATA,
    Column("party", String(300), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("told_at", BigInteger, nullable=False),
)
"""Up to which of this party's own statements a counterpart knows them."""

REVOKED: Final = Table(
    "revoked",
    METADATA,
    Column("party", String(300), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("reason", Text, nullable=False),
    Column("revoked_at", BigInteger, nullable=False),
)

LIST_GENERATIONS: Final = Table(
    "list_generations",
    METADATA,
    Column("request", String(32), ForeignKey("requests.id"), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    Column("replaces", String(32), ForeignKey("requests.id")),
    UniqueConstraint("name", "number", name="list_generations_in_order"),
    Index("list_generations_by_replaced", "replaces"),
)

TEMPLATES: Final = Table(
    "templates",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("body", Text, nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
    Column("made_at", BigInteger, nullable=False),
)

SERIES: Final = Table(
    "series",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("cancelled_at", BigInteger),
    Index("series_by_name", "name", "made_at"),
)

SERIES_RUNS: Final = Table(
    "series_runs",
    METADATA,
    Column("series", String(32), ForeignKey("series.id"), primary_key=True),
    Column("slot", BigInteger, primary_key=True, autoincrement=False),
    Column("request", String(32), nullable=False),
    Column("state", String(20), nullable=False),
    Column("reason", Text),
    Column("changed_at", BigInteger, nullable=False),
    UniqueConstraint("request", name="series_runs_asked_once"),
    Index("series_runs_by_state", "state", "slot"),
)

CONSENT_NOTICES: Final = Table(
    "consent_notices",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("stored_at", BigInteger, nullable=False),
    Index("consent_notices_by_name", "name", "stored_at"),
)

CONSENT_SUBJECTS: Final = Table(
    "consent_subjects",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("commitment", LargeBinary(32), nullable=False),
    Column("token", LargeBinary(32), unique=True),
    Column("salt", LargeBinary(32)),
)
"""`token` finds the person of an id, `salt` opens the commitment; without both it is nobody's."""

CONSENT_BATCHES: Final = Table(
    "consent_batches",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("entry", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
)

CONSENT_EVENTS: Final = Table(
    "consent_events",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("batch", Integer, ForeignKey("consent_batches.id"), nullable=False),
    Column("record", String(32), nullable=False),
    Column("subject", BigInteger, ForeignKey("consent_subjects.id"), nullable=False),
    Column("notice", String(64), ForeignKey("consent_notices.digest"), nullable=False),
    Column("state", String(10), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("purpose", String(100)),
    Column("recipient", String(64)),
    Column("by", String(10), nullable=False),
    Column("how", String(40), nullable=False),
    Column("supersedes", String(32)),
    Column("tc_string", Text),
    Column("leaf", LargeBinary(32), nullable=False),
    Index("consent_events_by_subject", "subject", "seq"),
    Index("consent_events_by_batch", "batch", "seq"),
)
"""`at` is in microseconds since 1970."""

COMMITS: Final = Table(
    "commits",
    METADATA,
    Column("token", String(32), primary_key=True),
    Column("made_at", BigInteger, nullable=False),
)
"""Marks of transactions whose COMMIT may not be answered (PostgreSQL; `party.store`)."""

BOUNDS: Final = Table(
    "bounds",
    METADATA,
    Column("charge", String(32), primary_key=True),
    Column("contract", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("chosen_at", BigInteger, nullable=False),
)
"""Top bounds that were taken from data; `body` is JSON, whose digest is in the log."""

STAFF_ACCOUNTS: Final = Table(
    "staff_accounts",
    METADATA,
    Column("account", String(40), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("password", Text),
    Column("issuer", String(300)),
    Column("subject", String(300)),
    Column("token", LargeBinary(32)),
    Column("ends_at", BigInteger),
    UniqueConstraint("token", name="staff_accounts_by_token"),
    UniqueConstraint("issuer", "subject", name="staff_accounts_by_subject"),
)
"""Accounts of the console and tokens of its API: each has a password's argon2 hash, or who an
OpenID Connect provider says it is, or a token's SHA-256 and its end."""

STAFF_SESSIONS: Final = Table(
    "staff_sessions",
    METADATA,
    Column("id", LargeBinary(32), primary_key=True),
    Column(
        "account",
        String(40),
        ForeignKey("staff_accounts.account", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("began_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Index("staff_sessions_by_account", "account"),
)
"""Who is signed in to the console; `id` is the SHA-256 of what the browser holds."""

STAFF_DELAYS: Final = Table(
    "staff_delays",
    METADATA,
    Column("id", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("failed_at", BigInteger, nullable=False),
)
"""How often it was tried in vain to sign in: as an account, and from an address, by hash."""
