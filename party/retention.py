"""Ending what has come to its end: requests and lists at their expiry, artefacts after retention.

A list is what a contract disclosed for so many days; a session's artefacts and its seed serve
resuming, suppression runs until the list's end and, for the time that the contract keeps them, an
auditor's replay. What only the runs need goes at the list's end: the receiver's tags, and whose
the sender's points are. What is deleted is logged, and the log keeps standing.

A file that no result names was never a list: a session writes its list before the result, and may
end between the two. It goes without an entry, unless its session is being carried out just now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import RetentionPruned
from audit.roles import Role
from party.contract import DAY_SECONDS, Contract
from party.contract_terms import OutputKind
from party.errors import SessionSuspended
from party.expired_requests import end_expired
from party.holds import forget_ended
from party.list_files import delete_changes
from party.list_names import replaced
from party.occupied import carrying_out
from party.request import Request
from party.schema import REQUESTS, RESULTS, SESSIONS
from party.suppression.book import forget_points
from party.suppression.list_file import ListFile
from party.suppression.withdrawals import HOLDERS_FILE

if TYPE_CHECKING:
    from party.organisation import Organisation

ACTOR = "retention"
What: TypeAlias = Literal["list", "session", "holders"]


def prune(party: Organisation) -> int:
    """End expired requests; delete ended lists and artefacts, log each, return how many went.

    Where a member is at work who changes nothing, nothing is done.
    """
    if not party.access.allows(Role.ANALYST):
        return 0
    end_expired(party)
    party.store.write(lambda connection: forget_ended(connection, party.now))
    _drop_former_lists(party)
    _drop_unnamed_lists(party)
    return _prune_lists(party) + _prune_holders(party) + _prune_sessions(party)


def _prune_lists(party: Organisation) -> int:
    """Delete the lists that have expired, and those whose place a refresh has taken."""
    kept = party.store.rows(
        sa.select(RESULTS.c.request, RESULTS.c.expires_at, REQUESTS.c.contract)
        .join(REQUESTS, REQUESTS.c.id == RESULTS.c.request)
        .where(RESULTS.c.list_file.is_not(None))
    )
    old = replaced(party.store) if kept else set()
    ended = [row for row in kept if row.expires_at <= party.now or row.request in old]
    for row in ended:
        ListFile(party.folder / "lists", row.request, party.identity).delete()
        delete_changes(party.folder / "lists", row.request)

        def work(connection: Connection, row: sa.Row[tuple[str, int, str]] = row) -> None:
            connection.execute(
                sa.update(RESULTS).where(RESULTS.c.request == row.request).values(list_file=None)
            )
            forget_points(connection, row.request)
            _log(party, connection, "list", row.request, row.contract)

        party.store.write(work)
    return len(ended)


def _drop_former_lists(party: Organisation) -> None:
    """Delete what a party that was killed in a suppression run has left of the list before it."""
    rows = party.store.rows(
        sa.select(RESULTS.c.request, RESULTS.c.list_file).where(RESULTS.c.list_file.is_not(None))
    )
    for row in rows:
        lists = ListFile(party.folder / "lists", row.request, party.identity)
        lists.delete_older(row.list_file)


def _drop_unnamed_lists(party: Organisation) -> None:
    """Delete what sessions have left that wrote their list and ended before they had a result.

    One that goes on writes it again.
    """
    lists = party.folder / "lists"
    written = {file.name.partition(".")[0].partition("-")[0] for file in lists.glob("*")}
    for request in sorted(written):
        if not _has_no_result(party, request):
            continue
        try:
            with carrying_out(party.folder, request):
                if _has_no_result(party, request):
                    ListFile(lists, request, party.identity).delete()
                    delete_changes(lists, request)
        except SessionSuspended:
            continue  # it is under way, and may be about to store its result


def _has_no_result(party: Organisation, request: str) -> bool:
    """Say whether this is a request here that has brought nothing yet."""
    query = (
        sa.select(RESULTS.c.request)
        .select_from(REQUESTS)
        .outerjoin(RESULTS, RESULTS.c.request == REQUESTS.c.id)
        .where(REQUESTS.c.id == request)
    )
    row = party.store.row(query)
    return row is not None and row.request is None


def _prune_holders(party: Organisation) -> int:
    contracts = {contract.digest: contract for contract in party.contracts()}
    matches = party.store.rows(
        sa.select(SESSIONS.c.request, REQUESTS.c.contract, REQUESTS.c.body)
        .join(REQUESTS, REQUESTS.c.id == SESSIONS.c.request)
        .where(REQUESTS.c.kind == str(OutputKind.MATCH), SESSIONS.c.sealed_seed != b"")
    )
    pruned = 0
    for row in matches:
        path = party.folder / "sessions" / row.request / HOLDERS_FILE
        if party.now < _list_end(contracts[row.contract], row.body) or not path.exists():
            continue
        path.unlink()

        def work(connection: Connection, row: sa.Row[tuple[str, str, str]] = row) -> None:
            forget_points(connection, row.request)
            _log(party, connection, "holders", row.request, row.contract)

        party.store.write(work)
        pruned += 1
    return pruned


def _list_end(contract: Contract, body: str) -> int:
    return contract.list_expires_at(Request.decode(body.encode()).created)


def _prune_sessions(party: Organisation) -> int:
    contracts = {contract.digest: contract for contract in party.contracts()}
    ended = party.store.rows(
        sa.select(SESSIONS.c.request, SESSIONS.c.ended_at, REQUESTS.c.contract, REQUESTS.c.body)
        .join(REQUESTS, REQUESTS.c.id == SESSIONS.c.request)
        .where(SESSIONS.c.ended_at.is_not(None), SESSIONS.c.sealed_seed != b"")
    )
    old = [row for row in ended if _is_old(contracts[row.contract], row, party.now)]
    for row in old:
        party.session_folder(row.request).wipe()

        def work(connection: Connection, row: sa.Row[tuple[str, int, str]] = row) -> None:
            connection.execute(
                sa.update(SESSIONS).where(SESSIONS.c.request == row.request).values(sealed_seed=b"")
            )
            _log(party, connection, "session", row.request, row.contract)

        party.store.write(work)
    return len(old)


def _is_old(contract: Contract, row: sa.Row[Any], now: int) -> bool:
    """Say whether a session serves nothing any more; one with runs does until its list's end."""
    request = Request.decode(row.body.encode())
    end = row.ended_at + contract.retention_days * DAY_SECONDS
    if request.parameters.suppression_runs:
        end = max(end, contract.list_expires_at(request.created))
    return bool(end <= now)


def _log(
    party: Organisation, connection: Connection, what: What, request: str, contract: str
) -> None:
    body = RetentionPruned(request=request, what=what)
    party.journal.append(connection, "retention.pruned", body, actor=ACTOR, contract=contract)
