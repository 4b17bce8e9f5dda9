"""The roots of the consent records as they stand in the store, to be held against the log's."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.merkle import LeafHash, root
from party.consent.book import event_of
from party.schema import CONSENT_BATCHES, CONSENT_EVENTS, CONSENT_SUBJECTS


def stored_roots(connection: Connection) -> Mapping[int, bytes]:
    """Return, by the entry of the log, the root over each batch's events as they stand now.

    Each event is hashed anew. Of people to whom nothing leads any more the stored hash is taken,
    since a part of what it was made of is deleted with them.
    """
    events, subjects = CONSENT_EVENTS, CONSENT_SUBJECTS
    query = (
        sa.select(events, subjects.c.commitment, subjects.c.token)
        .join(subjects, subjects.c.id == events.c.subject)
        .order_by(events.c.seq)
        .execution_options(yield_per=10_000)
    )
    leaves: dict[int, list[LeafHash]] = {}
    for row in connection.execute(query):
        known = row.token is not None
        leaf = event_of(row, row.commitment).leaf() if known else bytes(row.leaf)
        leaves.setdefault(row.batch, []).append(leaf)
    batches = connection.execute(sa.select(CONSENT_BATCHES.c.id, CONSENT_BATCHES.c.entry))
    return {row.entry: root(leaves.get(row.id, [])) for row in batches}
