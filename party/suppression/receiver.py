"""The receiver's side of suppression runs: check a run, take its hits off the list, say so.

The list is written anew whether or not there was a hit, and the acknowledgement says nothing of
it, so the sender learns nothing. A run that is applied has one acknowledgement for ever.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from party.desk import Desk
from party.errors import Refusal, RefusalStatus, ResultError
from party.list_files import sha256_of, still_added
from party.occupied import changing_list
from party.schema import RESULTS
from party.session import as_refusal
from party.session_record import result_message
from party.suppression.book import DONE, Book
from party.suppression.list_file import ListFile, without
from party.suppression.list_session import ListSession
from party.suppression.run import Acknowledgement, SuppressionRun
from psi.errors import PsiError
from psi.suppression import require_run, run_tags

if TYPE_CHECKING:
    from party.organisation import Organisation


class SuppressionReceiver:
    """One list's runs at the party that has the list."""

    def __init__(self, party: Organisation, session: ListSession) -> None:
        self._party, self._session = party, session
        self._book = Book(party, session)
        self._file = ListFile(party.folder / "lists", session.request.id, party.identity)

    def apply(self, run: SuppressionRun) -> Acknowledgement:
        """Take a run's people off the list, or say again that they are off.

        Whoever else changes the list comes before or after all of it.

        Raises:
            InUse: another process changes the list for long; nothing is changed.
            Refusal: it is not the next run, not the one that was applied under its number, or
                names what it may not; what is a breach of the protocol is logged as an incident.
            ResultError: the list is not what was stored; nothing is changed.
        """
        with changing_list(self._party.folder, self._session.request.id):
            return self._apply(run)

    def _apply(self, run: SuppressionRun) -> Acknowledgement:
        try:
            applied = self._applied(run)
            if applied is not None:
                return applied
            self._require_next(run)
            points = run.as_points
            require_run(points, self._session.committed(), self._book.used_points())
        except (Refusal, PsiError) as error:
            refusal = as_refusal(error)
            self._book.note_incident(run.number, refusal)
            raise refusal from None
        digest = run.digest(self._session.session_id)
        acknowledgement = Acknowledgement.sign(run.number, digest, self._party.identity)
        self._take_off(run, acknowledgement)
        return acknowledgement

    def _applied(self, run: SuppressionRun) -> Acknowledgement | None:
        entered = self._book.entered(run.number)
        if entered is None or entered.state != DONE:
            return None
        if entered.digest != run.digest(self._session.session_id):
            raise Refusal(
                RefusalStatus.BAD_REQUEST,
                f"suppression run {run.number} came again with other points",
            )
        stored = Desk(self._party).result(self._session.request.id) or {}
        if stored.get("list_file"):  # it may have ended before the old list was deleted
            self._file.delete_older(stored["list_file"])
        return Acknowledgement(entered.number, entered.digest, entered.signature)

    def _require_next(self, run: SuppressionRun) -> None:
        if run.number > self._session.runs:
            raise Refusal(
                RefusalStatus.LIMIT_EXCEEDED,
                f"the request has {self._session.runs} suppression runs, and they are used up: "
                "make the list again",
            )
        expected = len(self._book.runs()) + 1
        if run.number != expected:
            raise Refusal(
                RefusalStatus.BAD_REQUEST,
                f"suppression run {run.number} came out of order: run {expected} is the next",
            )

    def _take_off(self, run: SuppressionRun, acknowledgement: Acknowledgement) -> None:
        stored = Desk(self._party).result(self._session.request.id)
        if stored is None or stored.get("list_file") is None:
            raise ResultError("the list is not here any more, so nobody is taken off it")
        entries, tags = self._file.read(stored)
        hits = run_tags(run.as_points, self._session.scalar)
        kept, kept_tags = without(entries, tags, hits)
        path = self._file.write(kept, kept_tags, version=self._file.next_version(stored))
        changed = {
            **stored,
            "list_file": str(path),
            "list_sha256": sha256_of(path).hex(),
            "people": len(kept),
            "suppressed": {"run": run.number, "at": self._party.now},
        }
        if "changes" in stored:
            request_id, lists = self._session.request.id, self._file.folder
            changed["changes"] = still_added(lists, request_id, stored["changes"], kept)
        request = self._session.request.id
        self._book.finish(
            run, acknowledgement, lambda c: change_result(c, self._party, request, changed)
        )
        self._file.delete_older(path.name)


def change_result(
    connection: Connection, party: Organisation, request_id: str, result: dict[str, Any]
) -> None:
    """Put a changed list in the place of a stored result's, signed anew."""
    text = json.dumps(result)
    connection.execute(
        sa.update(RESULTS)
        .where(RESULTS.c.request == request_id)
        .values(
            body=text,
            signature=party.identity.sign_own(result_message(request_id, text)),
            list_file=result["list_file"],
        )
    )
