"""Which lists owe a run since somebody withdrew, by the rule that audit holds logs against.

Of the log it takes what decides that: for each list that may be out its last run, and the first
withdrawal after that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.deadlines import Deadlines, Overdue
from audit.entry import format_time
from party.contract import DAY_SECONDS
from party.log_index import CONTRACT, KIND
from party.log_pages import entries_at, first_from
from party.schema import LOG_INDEX, LOG_WORDS

if TYPE_CHECKING:
    from party.contract import Contract
    from party.organisation import Organisation


def owed_runs(party: Organisation) -> tuple[Overdue, ...]:
    """Return the lists of this party's people that owe a run, and by when, soonest first.

    The log is read only where a contract states a deadline.
    """
    stating = [one for one in party.contracts() if one.suppression_days is not None]
    if not stating:
        return ()
    deadlines = Deadlines()
    for entry in party.store.read(
        lambda connection: entries_at(connection, _deciding(connection, stating, party.now))
    ):
        deadlines.admit(entry)
    return deadlines.owed(party.now)


def _deciding(connection: Connection, contracts: Sequence[Contract], now: int) -> list[int]:
    """Return the places of the entries that decide what lists under these contracts owe."""
    longest = max(contract.list_expires_at(0) for contract in contracts) + DAY_SECONDS
    oldest = format_time(datetime.fromtimestamp(now - longest, UTC))
    of_contracts = sa.select(LOG_WORDS.c.id).where(
        LOG_WORDS.c.field == CONTRACT, LOG_WORDS.c.word.in_([one.digest for one in contracts])
    )
    out, run, signed = LOG_INDEX.alias(), LOG_INDEX.alias(), LOG_INDEX.alias()
    last_run = sa.select(sa.func.max(run.c.seq)).where(
        run.c.request == out.c.request, run.c.kind + 0 == _number("list.suppressed")
    )
    lists = (
        sa.select(out.c.seq.label("disclosed"), last_run.scalar_subquery().label("run"))
        .where(out.c.kind == _number("list.disclosed"), out.c.contract.in_(of_contracts))
        .where(out.c.seq >= first_from(connection, oldest))
    ).subquery()
    since = sa.func.coalesce(lists.c.run, lists.c.disclosed)
    withdrawn = (_first(kind, since) for kind in ("consent.withdrawn", "subject.erasure"))
    rows = connection.execute(sa.select(lists.c.disclosed, lists.c.run, *withdrawn))
    found = {place for row in rows for place in row if place is not None}
    signings = sa.select(signed.c.seq).where(
        signed.c.kind == _number("contract.signed"), signed.c.contract.in_(of_contracts)
    )
    return sorted(found | set(connection.execute(signings).scalars()))


def _first(kind: str, after: sa.ColumnElement[int]) -> sa.ScalarSelect[int]:
    """Return the place of the first entry of a kind after another, in a query."""
    said = LOG_INDEX.alias()
    query = sa.select(sa.func.min(said.c.seq))
    return query.where(said.c.kind == _number(kind), said.c.seq > after).scalar_subquery()


def _number(kind: str) -> sa.ScalarSelect[int]:
    """Return the number of a kind in the index, in a query."""
    query = sa.select(LOG_WORDS.c.id).where(LOG_WORDS.c.field == KIND, LOG_WORDS.c.word == kind)
    return query.scalar_subquery()
