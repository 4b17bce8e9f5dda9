"""Ending what has come to its end: datasets, requests, lists, artefacts, results.

What is kept, and until when, is `kept`'s to say. A list is what a contract disclosed for so many
days; a session's artefacts and its seed serve resuming, suppression runs until the list's end and,
for the time that the contract keeps them, an auditor's replay. With them go the openings of the
session's commitments, of which the one to the noise would still give exact counts. What only the
runs need goes at the list's end: the receiver's tags, and whose the sender's points are. What is
deleted is logged, and the log keeps standing.

A file that no result names was never a list: a session writes its list before the result, and may
end between the two. It goes without an entry, unless its session is being carried out just now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import RetentionPruned
from audit.bodies.upkeep import Pruned
from audit.roles import Role
from party import registrations
from party.errors import InUse, SessionSuspended
from party.expired_requests import end_expired
from party.holds import forget_ended
from party.kept import Kept, What, kept
from party.lineage.delivery import file_events
from party.list_files import delete_changes
from party.occupied import carrying_out, changing_list, deleting, replaying, writing_table
from party.schema import RELEASES, REQUESTS, RESULTS, SALTS, SESSIONS
from party.suppression.list_file import HOLDERS_FILE, ListFile

if TYPE_CHECKING:
    from party.organisation import Organisation

ACTOR: Final = "retention"


def prune(party: Organisation) -> list[Kept]:
    """End expired requests; delete what has come to its end, log each, and return what went.

    Events that a kill has left without a file get theirs. Where another process is at it, or a
    member is at work who changes nothing, nothing is done.
    """
    if not party.access.allows(Role.ANALYST):
        return []
    with suppress(InUse), deleting(party.folder):
        return _prune(party)
    return []


def run(party: Organisation) -> list[Kept]:
    """Do what `prune` does, for somebody who asks for it, once another process has done it.

    Raises:
        NotEntitled: the account only reads.
        InUse: another process is at it for long.
    """
    party.access.require(Role.ANALYST, "retention.run")
    with deleting(party.folder, patiently=True):
        return _prune(party)


def due(party: Organisation) -> list[Kept]:
    """Return what has come to its end and would be deleted now; nothing is."""
    return kept(party, until=party.now)


def _prune(party: Organisation) -> list[Kept]:
    end_expired(party)
    file_events(party)
    party.store.write(lambda connection: forget_ended(connection, party.now))
    _drop_former_lists(party)
    _drop_unnamed_lists(party)
    ended = []
    for one in due(party):
        with suppress(InUse):  # it goes the next time
            _END[one.what](party, one)
            ended.append(one)
    return ended


def _end_dataset(party: Organisation, ended: Kept) -> None:
    with writing_table(party.folder, ended.name):
        registered = registrations.find(party, ended.name)
        if not registered.in_use(party.now):  # or it was registered anew meanwhile
            registrations.erase(party, registered)


def _end_list(party: Organisation, ended: Kept) -> None:
    from party.suppression.book import forget_points

    def work(connection: Connection) -> None:
        is_it = (RESULTS.c.request == ended.name, RESULTS.c.list_file.is_not(None))
        if connection.execute(sa.update(RESULTS).where(*is_it).values(list_file=None)).rowcount:
            forget_points(connection, ended.name)
            _log(party, connection, "list", ended)

    with changing_list(party.folder, ended.name):
        ListFile(party.folder / "lists", ended.name, party.identity).delete()
        delete_changes(party.folder / "lists", ended.name)
        party.store.write(work)


def _end_holders(party: Organisation, ended: Kept) -> None:
    from party.suppression.book import forget_points

    (party.folder / "sessions" / ended.name / HOLDERS_FILE).unlink(missing_ok=True)

    def work(connection: Connection) -> None:
        is_it = (SESSIONS.c.request == ended.name, SESSIONS.c.holders_end_at.is_not(None))
        forgotten = sa.update(SESSIONS).where(*is_it).values(holders_end_at=None)
        if connection.execute(forgotten).rowcount:
            forget_points(connection, ended.name)
            _log(party, connection, "holders", ended)

    party.store.write(work)


def _end_session(party: Organisation, ended: Kept) -> None:
    def work(connection: Connection) -> None:
        is_it = (SESSIONS.c.request == ended.name, SESSIONS.c.sealed_seed != b"")
        gone = {"sealed_seed": b"", "ends_at": None, "holders_end_at": None}
        if connection.execute(sa.update(SESSIONS).where(*is_it).values(gone)).rowcount:
            _forget_openings(connection, ended)
            _log(party, connection, "session", ended)

    with replaying(party.folder, ended.name):
        party.session_folder(ended.name).wipe()
        party.replay_folder(ended.name).wipe()  # of a replay that was killed
        party.store.write(work)


def _end_result(party: Organisation, ended: Kept) -> None:
    """Delete numbers and released table; the row stays, which says that there was a result."""

    def work(connection: Connection) -> None:
        is_it = (RESULTS.c.request == ended.name, RESULTS.c.body != "")
        emptied = sa.update(RESULTS).where(*is_it).values(body="", signature=b"", ends_at=None)
        if connection.execute(emptied).rowcount:
            connection.execute(sa.delete(RELEASES).where(RELEASES.c.request == ended.name))
            _forget_openings(connection, ended)
            _log(party, connection, "result", ended)

    party.store.write(work)


def _forget_openings(connection: Connection, ended: Kept) -> None:
    connection.execute(sa.delete(SALTS).where(SALTS.c.request == ended.name))


_END: Final[Mapping[What, Callable[[Organisation, Kept], None]]] = {
    "dataset": _end_dataset,
    "list": _end_list,
    "holders": _end_holders,
    "session": _end_session,
    "result": _end_result,
}


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


def _log(party: Organisation, connection: Connection, what: Pruned, ended: Kept) -> None:
    body = RetentionPruned(request=ended.name, what=what)
    party.journal.append(connection, "retention.pruned", body, actor=ACTOR, contract=ended.contract)
