"""How requests and sessions stand: the words of the store, and a decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from party.errors import Refusal, RefusalStatus

State = Literal["pending", "approved", "refused", "finished"]
OPEN_STATES: Final = ("pending", "approved")
"""The states of a request that may still bring a result."""
OPENED, CHARGED, FINISHED, FAILED = "opened", "charged", "finished", "failed"
"""The states of a session, in their order; the last two are a request's too."""


@dataclass(frozen=True)
class Decision:
    """The state of a request, with status and reason when it is refused."""

    state: State
    status: RefusalStatus | None = None
    reason: str = ""

    @property
    def refusal(self) -> Refusal | None:
        """The refusal that the session's calls are answered with, if it is refused."""
        if self.state != "refused":
            return None
        return Refusal(
            self.status or RefusalStatus.DECLINED, self.reason or "the request was refused"
        )
