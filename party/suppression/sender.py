"""The sender's side of suppression runs: who has withdrawn, and which points say so.

A run that was made is the same until it is acknowledged, whatever changes meanwhile, so it can be
sent again byte for byte. What changed meanwhile is for the next run.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from party.errors import Refusal, RefusalStatus
from party.suppression.book import DONE, WAITING, Book
from party.suppression.list_session import ListSession
from party.suppression.run import Acknowledgement, SuppressionRun
from party.suppression.withdrawals import Holders, Indices, consenting_now, read_holders
from psi.suppression import RUN_POINTS, choose_run, still_due

if TYPE_CHECKING:
    from party.organisation import Organisation


class SuppressionSender:
    """One list's runs at the party that disclosed it."""

    def __init__(self, party: Organisation, session: ListSession) -> None:
        self._party, self._session = party, session
        self._book = Book(party, session)

    def waiting(self) -> SuppressionRun | None:
        """Return the run that waits for its acknowledgement, or None."""
        for entered in self._book.runs():
            if entered.state == WAITING:
                return self._book.read_run(entered.number)
        return None

    def has_run_since(self, moment: int) -> bool:
        """Say whether a run was made or acknowledged after `moment` (Unix seconds)."""
        return any(entered.changed_at > moment for entered in self._book.runs())

    @property
    def runs_left(self) -> int:
        """How many runs the list may still have."""
        return self._session.runs - len(self._book.runs())

    def next_run(self, *, cover: bool = False) -> SuppressionRun | None:
        """Return the run that waits, or a new one, or None when nobody has withdrawn.

        With `cover` a run is made also when nobody has.

        Raises:
            Refusal: LIMIT_EXCEEDED, when people have withdrawn and the runs are used up.
            DatasetError: the dataset cannot be read, so that nobody can say who has withdrawn.
        """
        waiting = self.waiting()
        if waiting is not None:
            return waiting
        due, number = self._due(), len(self._book.runs()) + 1
        if not len(due) and not cover:
            return None
        if number > self._session.runs:
            raise _used_up(self._session)
        session = self._session
        points = choose_run(
            session.own_set(), due, self._book.used_points(), reserve=session.reserve
        )
        self._book.make(SuppressionRun(number, points.tobytes()))
        return self.waiting()

    def take(self, acknowledgement: Acknowledgement) -> None:
        """Take the receiver's word that the run that waits is applied, and log it.

        Raises:
            Refusal: it is not its word on that run.
        """
        entered = self._book.entered(acknowledgement.number)
        if entered is None:
            raise Refusal(RefusalStatus.BAD_REQUEST, "a run was acknowledged that was never made")
        signers = self._session.contract.parties[self._session.peer].signers(self._party.now)
        try:
            acknowledgement.require(entered.number, entered.digest, signers)
        except Refusal as refusal:
            self._book.note_incident(entered.number, refusal)
            raise
        if entered.state != DONE:
            self._book.finish(self._book.read_run(entered.number), acknowledgement)

    def _due(self) -> Indices:
        """Return the withdrawn keys that the next run names: nobody's in part."""
        due = still_due(self._session.own_set(), self._withdrawn, self._book.used_points())
        return self._holders.whole(due, RUN_POINTS)

    @cached_property
    def _holders(self) -> Holders:
        session = self._session
        return read_holders(session.folder, self._party.identity, session.request)

    @cached_property
    def _withdrawn(self) -> Indices:
        session, party, holders = self._session, self._party, self._holders
        consenting = consenting_now(
            holders,
            party.definition(session.request.datasets[session.me]),
            session.request,
            session.me,
            seed=session.seed,
            gmail=session.contract.profile.gmail,
            now=party.clock(),
            executor=party.executor,
        )
        return holders.withdrawn(consenting)


def _used_up(session: ListSession) -> Refusal:
    return Refusal(
        RefusalStatus.LIMIT_EXCEEDED,
        f"people have withdrawn whom no run can take off the list of {session.peer} any more: all "
        f"{session.runs} runs are used. Make the list again, and ask {session.peer} to delete "
        "this one",
    )
