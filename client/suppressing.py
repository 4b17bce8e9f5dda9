"""Taking people who have withdrawn off a list that is out: runs made, carried and applied.

The sender of a list decides what a run names, and dials if the receiver has an address. Otherwise
the receiver dials, and fetches the run that waits. Every step may be repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from audit.roles import Role
from client.carrying import Waiting, reaching
from party.contract import DAY_SECONDS, Contract
from party.decision import FINISHED
from party.errors import PartyError, Refusal, RefusalStatus
from party.filing import Filed
from party.lists import Lists
from party.organisation import Organisation
from party.suppression.desk import SuppressionDesk
from party.suppression.owed import owed_runs
from psi.legs import SENDER

ROUND_SECONDS: Final = DAY_SECONDS - 3600
"""A round of cover less than this ago was today's, whatever the clock did meanwhile."""
SENT: Final = "sent"
APPLIED: Final = "applied"
AWAITED: Final = "awaited"


@dataclass(frozen=True)
class Suppressed:
    """What a side has done: how many runs it has sent or applied now; the sender's runs left.

    A receiver that does not dial has awaited them: they come to its `serve`.
    """

    did: str
    runs: int
    runs_left: int | None = None

    def to_dict(self) -> dict[str, object]:
        """Return it as JSON values."""
        return {"runs": {self.did: self.runs, "left": self.runs_left}}


@dataclass(frozen=True)
class Suppressor:
    """Carries the suppression runs of one party's lists."""

    party: Organisation

    def find(self, wanted: str) -> Filed:
        """Return a match by the name of this party's list, or by its request's first digits.

        Raises:
            PartyError: there is none, or the list is not made yet.
        """
        return Lists(self.party).match_of(wanted)

    def suppress(self, filed: Filed, *, cover: bool = False) -> Suppressed:
        """Do this party's part for one list; with `cover` the sender makes a run in any case.

        Raises:
            Refusal: the list has no runs, or no more, or the counterpart refused one.
            SessionSuspended: the counterpart is to dial, or not there; nothing is lost.
            DatasetError: the dataset does not say who has withdrawn.
        """
        self.party.access.require(Role.ANALYST, "list.suppress")
        contract = self.party.contract(filed.request.contract)
        if self._sends(filed):
            return self._send(filed, contract, cover=cover)
        return self._fetch(filed, contract)

    def suppress_all(self, *, cover: bool = False) -> Iterator[tuple[Filed, str]]:
        """Do this party's part for each list that has runs; yield what was done or did not work.

        With `cover` a list of this party's people has its runs at one time of the day, whether or
        not anybody has withdrawn; another round on the same day leaves it alone.
        """
        for filed in SuppressionDesk(self.party).with_runs():
            if not self._may_be_out(filed):
                continue
            try:
                done = self._daily(filed) if cover else self.suppress(filed)
            except (PartyError, OSError) as error:
                if not (isinstance(error, Refusal) and error.status is RefusalStatus.EXPIRED):
                    yield filed, str(error)
                continue
            if done.runs:
                yield filed, f"{done.runs} runs {done.did}"

    def _may_be_out(self, filed: Filed) -> bool:
        """Say whether a list that has runs may be out: for its sender from the disclosure on."""
        if filed.state == FINISHED or not self._sends(filed):
            return filed.state == FINISHED
        return SuppressionDesk(self.party).has_disclosed(filed)

    def _daily(self, filed: Filed) -> Suppressed:
        """Do what the day asks for: at the sender one round of runs, and only one."""
        if not self._sends(filed):
            return self.suppress(filed)
        sender = SuppressionDesk(self.party).sender(filed)
        if sender.waiting() is None and sender.has_run_since(self.party.now - ROUND_SECONDS):
            return Suppressed(SENT, 0, sender.runs_left)
        return self.suppress(filed, cover=sender.runs_left > 0)

    def _sends(self, filed: Filed) -> bool:
        contract = self.party.contract(filed.request.contract)
        return filed.request.roles.get(SENDER) == contract.me(self.party.identity)

    def _send(self, filed: Filed, contract: Contract, *, cover: bool) -> Suppressed:
        sender = SuppressionDesk(self.party).sender(filed)
        owes = any(one.request == filed.request.id for one in owed_runs(self.party))
        run, sent = sender.next_run(cover=cover or (owes and sender.runs_left > 0)), 0
        while run is not None:
            if contract.parties[filed.peer].address is None:
                raise Waiting(
                    f"suppression run {run.number} is made, and {filed.peer} only dials: they "
                    f"fetch it with `commonground suppress {filed.request.id[:8]}` while "
                    "`commonground serve` runs here"
                )
            with reaching(self.party, contract, filed.peer) as dialler:
                sender.take(dialler.suppress(filed.request.id, run))
            sent += 1
            run = sender.next_run()
        return Suppressed(SENT, sent, sender.runs_left)

    def _fetch(self, filed: Filed, contract: Contract) -> Suppressed:
        receiver = SuppressionDesk(self.party).receiver(filed)
        if contract.parties[contract.me(self.party.identity)].address is not None:
            return Suppressed(AWAITED, 0)  # the sender dials, and `serve` applies what comes
        applied = 0
        with reaching(self.party, contract, filed.peer) as dialler:
            while (run := dialler.fetch_run(filed.request.id)) is not None:
                dialler.acknowledge_run(filed.request.id, receiver.apply(run))
                applied += 1
        return Suppressed(APPLIED, applied)
