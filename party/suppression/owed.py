"""Which lists owe a run since somebody withdrew, by the rule that audit holds logs against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audit.deadlines import Deadlines, Overdue
from audit.entry import Entry
from party.evidence import StoredLog

if TYPE_CHECKING:
    from party.organisation import Organisation

_KINDS: Final = tuple(
    f'"kind":"{kind}"'.encode()
    for kind in (
        "contract.signed",
        "list.disclosed",
        "consent.withdrawn",
        "subject.erasure",
        "list.suppressed",
    )
)


def owed_runs(party: Organisation) -> tuple[Overdue, ...]:
    """Return the lists of this party's people that owe a run, and by when, soonest first.

    The log is read only where a contract states a deadline.
    """
    if all(contract.suppression_days is None for contract in party.contracts()):
        return ()
    deadlines = Deadlines()
    for data in StoredLog(party.store, party.identity).entries():
        if any(kind in data for kind in _KINDS):  # what is parsed is what may be one of them
            deadlines.admit(Entry.parse(data))
    return deadlines.owed(party.now)
