"""What was asked of a party and by it: look, approve, refuse, go on."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import TYPE_CHECKING

from client.actors import OPERATOR
from client.cancelling import CancelToken
from client.sdk.calls import Calls
from client.sdk.results import Audience, Report, outcome_of
from party.desk import Desk
from party.driver import Progress
from party.filing import Filed
from party.organisation import Organisation

if TYPE_CHECKING:
    import pandas as pd


class Requests:
    """`commonground requests`. A request is named by its id, or the id's first digits."""

    def __init__(self, party: Organisation, calls: Calls) -> None:
        self._party, self._calls = party, calls

    def list(self) -> builtins.list[Filed]:
        """Return every request, newest first."""
        return Desk(self._party).filed()

    def show(self, request: str) -> Filed:
        """Return one request as it stands here.

        Raises:
            PartyError: there is none, or more than one.
        """
        return Desk(self._party).find(request)

    def steps_to_pandas(self, request: str) -> pd.DataFrame:
        """Return what each bound and rule left of this party's rows: name, before, after.

        A line a step, in their order, and none before the session is finished. The counts are
        exact: for your eyes only.

        Raises:
            PartyError: there is no such request, or more than one.
            ResultError: the result was changed after it was made.
        """
        import pandas as pd

        desk = Desk(self._party)
        steps = [step.to_dict() for step in desk.steps(desk.find(request).request.id)]
        return pd.DataFrame(steps, columns=["name", "before", "after"])

    def to_pandas(self) -> pd.DataFrame:
        """Return a line a request, newest first."""
        import pandas as pd

        names = ("kind", "mine", "peers", "state", "status", "reason", "created_at", "updated_at")
        lines = [
            (one.id, str(one.request.kind), *(getattr(one, name) for name in names[1:]))
            for one in self.list()
        ]
        return pd.DataFrame(lines, columns=["id", *names])

    def fetch(self, peer: str) -> builtins.list[Filed]:
        """Dial a counterpart, fetch what it asks, and return every request here.

        Raises:
            ContractError: no contract in force is with it, or it has no address.
            SessionSuspended: it is not there now.
        """
        with self._calls.carrying(None, None) as carrier:
            carrier.fetch(peer)
        return self.list()

    def approve(
        self,
        request: str,
        *,
        wait: bool = False,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Filed:
        """Approve a counterpart's request, and carry it out if this party is to dial, or waits.

        Raises:
            PartyError: it is this party's own, or was decided before.
            Refusal, SessionSuspended: as `Party.match`.
        """
        with self._calls.carrying(progress, cancel, wait=wait) as carrier:
            return carrier.approve(request, actor=OPERATOR)

    def refuse(self, request: str, reason: str = "declined by hand") -> Filed:
        """Refuse a counterpart's request, which reads the reason; nothing is spent.

        Raises:
            PartyError: it does not wait for a decision.
        """
        with self._calls.carrying(None, None) as carrier:
            return carrier.refuse(request, reason, actor=OPERATOR)

    def resume(
        self,
        request: str,
        *,
        wait: bool = False,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Report | Audience:
        """Go on with a request where it was, and return what it brings.

        Raises:
            Refusal, SessionSuspended: as `Party.match`.
        """
        with self._calls.carrying(progress, cancel, wait=wait) as carrier:
            filed = carrier.go_on(Desk(self._party).find(request))
        return outcome_of(self._party, filed)
