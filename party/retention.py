"""Deleting what has come to its end: lists at their expiry, artefacts after the retention.

A list is what a contract disclosed for so many days; a session's artefacts and its seed serve
resuming and, for the time that the contract keeps them, an auditor's replay. What is deleted is
logged, and the log keeps standing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import RetentionPruned
from party.ledger import DAY_SECONDS
from party.schema import REQUESTS, RESULTS, SESSIONS

if TYPE_CHECKING:
    from party.organisation import Organisation

ACTOR = "retention"


def prune(party: Organisation) -> int:
    """Delete expired lists and artefacts of a party, log each, and return how many went."""
    return _prune_lists(party) + _prune_sessions(party)


def _prune_lists(party: Organisation) -> int:
    expired = party.store.rows(
        sa.select(RESULTS.c.request, RESULTS.c.list_file, REQUESTS.c.contract)
        .join(REQUESTS, REQUESTS.c.id == RESULTS.c.request)
        .where(RESULTS.c.expires_at <= party.now, RESULTS.c.list_file.is_not(None))
    )
    for row in expired:
        (party.folder / "lists" / Path(row.list_file).name).unlink(missing_ok=True)

        def work(connection: Connection, row: sa.Row[tuple[str, str, str]] = row) -> None:
            connection.execute(
                sa.update(RESULTS).where(RESULTS.c.request == row.request).values(list_file=None)
            )
            _log(party, connection, "list", row.request, row.contract)

        party.store.write(work)
    return len(expired)


def _prune_sessions(party: Organisation) -> int:
    keep = {
        contract.digest: contract.retention_days * DAY_SECONDS for contract in party.contracts()
    }
    ended = party.store.rows(
        sa.select(SESSIONS.c.request, SESSIONS.c.ended_at, REQUESTS.c.contract)
        .join(REQUESTS, REQUESTS.c.id == SESSIONS.c.request)
        .where(SESSIONS.c.ended_at.is_not(None), SESSIONS.c.sealed_seed != b"")
    )
    old = [row for row in ended if row.ended_at + keep[row.contract] <= party.now]
    for row in old:
        party.session_folder(row.request).wipe()

        def work(connection: Connection, row: sa.Row[tuple[str, int, str]] = row) -> None:
            connection.execute(
                sa.update(SESSIONS).where(SESSIONS.c.request == row.request).values(sealed_seed=b"")
            )
            _log(party, connection, "session", row.request, row.contract)

        party.store.write(work)
    return len(old)


def _log(
    party: Organisation, connection: Connection, what: str, request: str, contract: str
) -> None:
    body = RetentionPruned(request=request, what="list" if what == "list" else "session")
    party.journal.append(connection, "retention.pruned", body, actor=ACTOR, contract=contract)
